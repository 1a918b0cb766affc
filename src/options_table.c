#include "src/options_table.h"

#include <stddef.h>

#define AT(member) offsetof(struct raw_options, member)
#define FLAG G_OPTION_ARG_NONE
#define NUMBER G_OPTION_ARG_INT64
#define TEXT G_OPTION_ARG_FILENAME /* any bytes */
#define TEXTS G_OPTION_ARG_FILENAME_ARRAY

/* clang-format off */
const struct option_row option_rows[] = {
    { FOR_FILES, "read", 'r', TEXTS, AT(o.files), "Read a capture (pcap, pcapng and others, also in gzip or zstd); - is standard input", "FILE" },
    { FOR_LIVE, "interface", 'i', TEXTS, AT(o.interfaces), "Watch this interface, until Ctrl-C, -c or --duration; any: all; again for more", "IFACE" },
    { FOR(COMMAND_LIST), "list-interfaces", 'D', FLAG, AT(list), "List the interfaces", NULL },
    { FOR_REPORTS, "format", 0, TEXT, AT(format), "Report as text (default), json or ndjson", "FORMAT" },
    { FOR_REPORTS, "json", 0, FLAG, AT(json), "The same as --format=json", NULL },
    { FOR_REPORTS | FOR(COMMAND_EXPLAIN), "output", 'o', TEXT, AT(o.output), "Write the report to FILE", "FILE" },
    { FOR_CAPTURES, "write", 'w', TEXT, AT(o.save), "Save the packets read (pcapng where FILE ends so)", "FILE" },
    { FOR_CAPTURES, "evidence", 0, TEXT, AT(o.evidence), "Save the packets that prove what is wrong, with comments (pcapng)", "FILE" },
    { FOR_CAPTURES, "count", 'c', NUMBER, AT(count), "Stop after COUNT packets", "COUNT" },
    { FOR_CAPTURES, "duration", 0, NUMBER, AT(duration), "Stop watching after SECONDS", "SECONDS" },
    { FOR_CAPTURES | FOR_COMPARE, "all", 'a', FLAG, AT(all), "List every flow, healthy ones too", NULL },
    { FOR_CAPTURES | FOR_COMPARE, "flow", 0, NUMBER, AT(flow), "Draw the packets of flow N as a ladder", "N" },
    { FOR_CAPTURES, "why", 0, FLAG, AT(why), "How each verdict was reached: what was seen, what it excludes, what was considered", NULL },
    { FOR_REPORTS, "verbose", 'v', FLAG, AT(verbose), "More detail", NULL },
    { FOR_REPORTS, "quiet", 'q', FLAG, AT(quiet), "Less: the verdicts only", NULL },
    { FOR_REPORTS | FOR(COMMAND_EXPLAIN), "color", 0, TEXT, AT(color), "auto (default), always or never", "WHEN" },
    { FOR_CAPTURES, "snapshot-length", 's', NUMBER, AT(snaplen), "Live: keep BYTES of each packet; 0 (default): all", "BYTES" },
    { FOR_CAPTURES, "buffer-size", 'B', NUMBER, AT(buffer), "Live: the kernel's buffer, in KiB (default 16384)", "KIB" },
    { FOR_CAPTURES, "no-promiscuous-mode", 'p', FLAG, AT(o.no_promiscuous), "Live: leave the interface out of promiscuous mode", NULL },
    { FOR_CAPTURES, "immediate-mode", 0, FLAG, AT(o.immediate), "Live: each packet at once, instead of in batches of 50 ms", NULL },
    { FOR_ALL, "no-names", 'n', FLAG, AT(ignored), NULL, NULL },
    { FOR_CAPTURES, "keylog", 0, TEXT, AT(o.keylog), NULL, "FILE" },
    { FOR_ALL, "passive", 0, FLAG, AT(o.passive), NULL, NULL },
    { FOR_CAPTURES, "confirm", 0, FLAG, AT(o.confirm), NULL, NULL },
    { FOR(COMMAND_CHECK), "server", 0, FLAG, AT(o.server), "Climb the ladder of a service of this host: PORT instead of TARGET", NULL },
    { FOR(COMMAND_CHECK), "client", 0, TEXT, AT(o.client), "With --server: show what the logs say of this client", "ADDRESS" },
    { FOR(COMMAND_CHECK), "only", 0, TEXT, AT(o.only), "Climb this rung alone", "STEP" },
    { FOR(COMMAND_CHECK), "until", 0, TEXT, AT(o.until), "Climb up to this rung", "STEP" },
    { FOR(COMMAND_CHECK), "explain", 0, TEXT, AT(o.explain), "Say what a rung tests and why, and climb nothing", "STEP" },
    { FOR_ALL, "version", 'V', FLAG, AT(o.version), "Print the version", NULL },
    { FOR_ALL, "help", 'h', FLAG, AT(help), "Print this", NULL },
    { 0 },
};
/* clang-format on */

gboolean option_given(const struct option_row *row, const struct raw_options *r)
{
    const void *value = (const char *)r + row->at;

    switch (row->arg) {
    case FLAG: return *(const gboolean *)value;
    case NUMBER: return *(const gint64 *)value != NOT_GIVEN;
    default: return *(const void *const *)value != NULL;
    }
}
