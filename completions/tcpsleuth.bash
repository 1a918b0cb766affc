# bash completion of tcpsleuth
# SPDX-License-Identifier: GPL-2.0-or-later

# _tcpsleuth_option COMMANDS KIND HELP NAME...: an option, where $command is one of its commands ("-": none is on the line yet).
_tcpsleuth_option()
{
    local name
    for name in "${@:4}"; do
        kinds[$name]=${2%...}
        [[ " $1 " == *" $command "* ]] && offered+=("$name")
    done
}

_tcpsleuth_words()
{
    words_of[$1]="${*:2}"
}

_tcpsleuth_tables()
{
    # tables: `make golden-update` writes them from the tables of the program
    _tcpsleuth_option '-' 'FILE...' 'Read a capture (pcap, pcapng and others, also in gzip or zstd); - is standard input' -r --read
    _tcpsleuth_option '-' 'IFACE...' 'Watch this interface, until Ctrl-C, -c or --duration; any: all; again for more' -i --interface
    _tcpsleuth_option '-' '' 'List the interfaces' -D --list-interfaces
    _tcpsleuth_option '- probe check compare' 'FORMAT' 'Report as text (default), json or ndjson' --format
    _tcpsleuth_option '- probe check compare' '' 'The same as --format=json' --json
    _tcpsleuth_option '- probe check explain compare' 'FILE' 'Write the report to FILE' -o --output
    _tcpsleuth_option '-' 'FILE' 'Save the packets read (pcapng where FILE ends so)' -w --write
    _tcpsleuth_option '-' 'FILE' 'Save the packets that prove what is wrong, with comments (pcapng)' --evidence
    _tcpsleuth_option '-' 'COUNT' 'Stop after COUNT packets' -c --count
    _tcpsleuth_option '-' 'SECONDS' 'Stop watching after SECONDS' --duration
    _tcpsleuth_option '- compare' '' 'List every flow, healthy ones too' -a --all
    _tcpsleuth_option '- compare' 'N' 'Draw the packets of flow N as a ladder' --flow
    _tcpsleuth_option '-' '' 'How each verdict was reached: what was seen, what it excludes, what was considered' --why
    _tcpsleuth_option '- probe check compare' '' 'More detail' -v --verbose
    _tcpsleuth_option '- probe check compare' '' 'Less: the verdicts only' -q --quiet
    _tcpsleuth_option '- probe check explain compare' 'WHEN' 'auto (default), always or never' --color
    _tcpsleuth_option '-' 'BYTES' 'Live: keep BYTES of each packet; 0 (default): all' -s --snapshot-length
    _tcpsleuth_option '-' 'KIB' 'Live: the kernel'\''s buffer, in KiB (default 16384)' -B --buffer-size
    _tcpsleuth_option '-' '' 'Live: leave the interface out of promiscuous mode' -p --no-promiscuous-mode
    _tcpsleuth_option '-' '' 'Live: each packet at once, instead of in batches of 50 ms' --immediate-mode
    _tcpsleuth_option '- probe check explain compare' '' 'Send nothing at all' --passive
    _tcpsleuth_option '-' '' 'Probe the servers of broken conversations from here, of a file, too' --confirm
    _tcpsleuth_option 'check' '' 'Climb the ladder of a service of this host: PORT instead of TARGET' --server
    _tcpsleuth_option 'check' 'ADDRESS' 'With --server: show what the logs say of this client' --client
    _tcpsleuth_option 'check' 'STEP' 'Climb this rung alone' --only
    _tcpsleuth_option 'check' 'STEP' 'Climb up to this rung' --until
    _tcpsleuth_option 'check' 'STEP' 'Say what a rung tests and why, and climb nothing' --explain
    _tcpsleuth_option '- probe check explain compare' '' 'Print the version' -V --version
    _tcpsleuth_option '- probe check explain compare' '' 'Print this' -h --help
    _tcpsleuth_words COMMAND probe check explain compare
    _tcpsleuth_words FORMAT text json ndjson
    _tcpsleuth_words WHEN auto always never
    _tcpsleuth_words STEP device driver rfkill wifi link counters address self_ping route_default gateway route_target dns ping path_mtu port service firewall connections tls application listening local_connect process unit log
    _tcpsleuth_words CODE ok incomplete_capture device_missing driver_missing radio_blocked wifi_not_associated interface_down no_carrier interface_errors no_address address_conflict no_default_route gateway_unanswered no_route neighbor_unanswered dns_disagree dns_nxdomain dns_servfail dns_refused dns_no_data dns_no_answer firewall_drops conntrack_full ports_exhausted not_listening listening_locally_only process_missing unit_failed network_unreachable host_unreachable admin_prohibited port_unreachable ttl_exceeded syn_unanswered syn_refused_by_middlebox port_reuse_refused syn_refused accept_queue_full handshake_unfinished idle_expired reset_injected pmtu_ignored pmtu_blackhole path_went_dead zero_window_stall reset_by_server reset_by_client clock_wrong captive_portal tls_certificate_expired tls_certificate_not_yet_valid tls_name_mismatch tls_self_signed tls_not_spoken tls_alert tls_no_server_hello tls_reset redirect_loop redirect_broken response_truncated server_silent http_server_error http_client_error slow_server option_stripped packet_loss reordering ip_fragmented half_close_leak
    # end of tables
}

# What may stand for a value of this kind.
_tcpsleuth_value()
{
    case $1 in
        FILE) _filedir ;;
        IFACE) mapfile -t COMPREPLY < <(compgen -W "any $(ls /sys/class/net 2>/dev/null)" -- "$cur") ;;
        HOST) _known_hosts_real -- "$cur" ;;
        *) mapfile -t COMPREPLY < <(compgen -W "${words_of[$1]-}" -- "$cur") ;;
    esac
}

# The command's word among those before the cursor; "-" where there is none.
_tcpsleuth_command()
{
    local i
    for ((i = 1; i < cword; i++)); do
        [[ ${kinds[${words[i - 1]}]-} ]] && continue
        [[ " ${words_of[COMMAND]} " == *" ${words[i]} "* ]] && command=${words[i]} && return
    done
    command=-
}

_tcpsleuth()
{
    local cur prev words cword split command= offered=()
    local -A kinds=() words_of=()

    _init_completion -s || return
    _tcpsleuth_tables
    if [[ ${kinds[$prev]-} ]]; then
        _tcpsleuth_value "${kinds[$prev]}"
        return
    fi
    $split && return
    _tcpsleuth_command
    offered=()
    _tcpsleuth_tables
    case $command:$cur in
        *:-*) mapfile -t COMPREPLY < <(compgen -W "${offered[*]}" -- "$cur") ;;
        -:*) _tcpsleuth_value COMMAND ;;
        explain:*) _tcpsleuth_value CODE ;;
        compare:*) _tcpsleuth_value FILE ;;
        *) _tcpsleuth_value HOST ;;
    esac
} &&
    complete -F _tcpsleuth tcpsleuth
