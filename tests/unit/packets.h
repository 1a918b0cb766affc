/* packets: conversations told in lines, as struct packet for the tracker, without a capture or a dissector between.
 *
 * A line is "C S" (the client sends a SYN), "S S.", "C .", "C P. (100)", "S F.", "S R": the side, tcpdump's flags, then in any order
 *
 *     (100)          payload bytes, all "x"; 'text' to the end of the line is payload too, with \r\n as | for short
 *     cut 10         only so many of them captured
 *     +250 +3s -20   milliseconds (seconds) since the packet before; 10 ms where nothing is said
 *     seq 1 seq +1448 seq -1    relative to the side's SYN (data begins at 1), or with a sign to what comes next
 *     ack 1 ack +1 ack -1       likewise of the other side; left out: all it sent
 *     win 0          as in the header; it stays until the next
 *     ttl 9, id 7    of this packet alone
 *     mss 0, ws 3, nows, nosack of a SYN; else mss 1460, ws 7, SACK permitted
 *     sack 100-200   a block, relative to the other side's SYN
 *     ts 5           a time stamp option with this value
 *     vlan 5, frag, badsum
 *     port 5         of the client, from here on
 *     dup            the packet before once more, 10 us later
 *
 * "wait +5s" lets time pass (something that is no TCP is captured then); "icmp C 3/13" is an ICMP error about the last packet of that side,
 * with "from server" by the end it was meant for, and "mtu 1400".
 */
#ifndef TCPSLEUTH_TESTS_PACKETS_H
#define TCPSLEUTH_TESTS_PACKETS_H

#include "base/timens.h"
#include "flow/tracker.h"

#include <stdlib.h>
#include <string.h>

struct talk {
    struct tracker *tracker;
    GPtrArray *flows;       /* struct flow*, as the tracker let them go */
    GArray *now_ns;         /* int64_t: the tracker's time when each of them left */
    uint8_t version;        /* 4, or 6 */
    struct addr addr[2], router;
    uint16_t port[2], window[2], id[2];
    uint8_t ttl[2];
    uint32_t isn[2], next[2];
    int64_t ts_ns;
    uint64_t number;
    struct packet last[2], packet;
    uint8_t payload[4096];
};

static inline void talk_flow(void *user, struct flow *f)
{
    struct talk *t = user;
    int64_t now_ns = t->tracker ? tracker_now_ns(t->tracker) : TIME_NONE;

    g_ptr_array_add(t->flows, f);
    g_array_append_val(t->now_ns, now_ns);
}

static inline void talk_lookup(void *user, struct lookup *l)
{
    (void)user;
    lookup_free(l);
}

/* Of flow log_flow every packet is kept (flow->log). */
static inline struct talk *talk_new(uint64_t log_flow)
{
    static const uint8_t ends[3][4] = { { 10, 0, 0, 1 }, { 192, 0, 2, 1 }, { 10, 0, 0, 254 } };
    struct talk *t = g_new0(struct talk, 1);
    struct tracker_hooks hooks = { .flow = talk_flow, .lookup = talk_lookup, .user = t };

    t->flows = g_ptr_array_new_with_free_func((GDestroyNotify)flow_free);
    t->now_ns = g_array_new(FALSE, FALSE, sizeof(int64_t));
    t->tracker = tracker_new(&hooks, log_flow);
    t->version = 4;
    t->addr[CLIENT] = addr_v4(ends[0]);
    t->addr[SERVER] = addr_v4(ends[1]);
    t->router = addr_v4(ends[2]);
    t->port[CLIENT] = 40000;
    t->port[SERVER] = 80;
    for (int s = CLIENT; s <= SERVER; s++) {
        t->isn[s] = t->next[s] = s == CLIENT ? 1000 : 0xfffffff0; /* the server's numbers soon begin again at 0 */
        t->window[s] = 500;
        t->ttl[s] = s == CLIENT ? 64 : 57;
        t->id[s] = s == CLIENT ? 100 : 5000;
    }
    t->ts_ns = 1700000000 * NS_PER_S;
    memset(t->payload, 'x', sizeof t->payload);
    return t;
}

static inline void talk_free(struct talk *t)
{
    tracker_free(t->tracker);
    g_ptr_array_free(t->flows, TRUE);
    g_array_free(t->now_ns, TRUE);
    g_free(t);
}

/* --- reading a line --- */

/* The next word of *at into out; false where there is none. */
static inline bool talk_word(const char **at, char out[32])
{
    size_t n;

    *at += strspn(*at, " ");
    n = strcspn(*at, " ");
    g_assert(n < 32);
    memcpy(out, *at, n);
    out[n] = '\0';
    *at += n;
    return n > 0;
}

static inline long talk_number(const char **at)
{
    char word[32];

    if (!talk_word(at, word))
        g_error("a number is missing");
    return strtol(word, NULL, 0);
}

static inline enum side talk_side(const char *word)
{
    if (word[1] || (word[0] != 'C' && word[0] != 'S'))
        g_error("not a side: %s", word);
    return word[0] == 'C' ? CLIENT : SERVER;
}

static inline uint16_t talk_flags(const char *word)
{
    static const char letters[] = "FSRP.UEW";
    uint16_t flags = 0;

    for (; *word; word++) {
        const char *letter = strchr(letters, *word);
        if (!letter)
            g_error("not a flag: %c", *word);
        flags |= (uint16_t)(1 << (letter - letters));
    }
    return flags;
}

static inline uint32_t talk_sequence(const char **at, uint32_t isn, uint32_t next)
{
    *at += strspn(*at, " ");
    bool relative = **at == '+' || **at == '-';
    return (relative ? next : isn) + (uint32_t)talk_number(at);
}

static inline void talk_time(struct talk *t, const char *word)
{
    char *unit;
    long n = strtol(word, &unit, 10);
    t->ts_ns += n * (*unit == 's' ? NS_PER_S : *unit == 'u' ? NS_PER_US : NS_PER_MS);
}

static inline void talk_text(struct talk *t, const char *text)
{
    size_t n = strlen(text);

    g_assert(n > 0 && text[n - 1] == '\'');
    for (n = 0; *text != '\'' || text[1]; text++) {
        g_assert(n + 2 < sizeof t->payload);
        if (*text == '|')
            t->payload[n++] = '\r';
        t->payload[n++] = *text == '|' ? '\n' : (uint8_t)*text;
    }
    t->packet.tcp.payload = slice_of(t->payload, n);
    t->packet.tcp.len = (uint32_t)n;
}

static inline void talk_option(struct packet *p, uint16_t which)
{
    p->tcp.opt.present |= which;
}

static inline void talk_sack(struct talk *t, enum side from, const char *word)
{
    struct tcp_options *o = &t->packet.tcp.opt;
    char *dash;
    uint32_t left = (uint32_t)strtoul(word, &dash, 10), isn = t->isn[other_side(from)];

    o->present |= TCPOPT_HAS_SACK;
    o->sack[o->n_sack].left = isn + left;
    o->sack[o->n_sack++].right = isn + (uint32_t)strtoul(dash + 1, NULL, 10);
}

/* Words about the IP packet and the capture; false: it is none of them. */
static inline bool talk_ip_word(struct talk *t, const char *word, const char **at)
{
    struct packet *p = &t->packet;

    if (strcmp(word, "ttl") == 0)
        p->ip.ttl = (uint8_t)talk_number(at);
    else if (strcmp(word, "id") == 0)
        p->ip.id = (uint16_t)talk_number(at);
    else if (strcmp(word, "vlan") == 0)
        p->encap.vlans[p->encap.n_vlans++] = (uint16_t)talk_number(at);
    else if (strcmp(word, "frag") == 0)
        p->ip.reassembled = true;
    else if (strcmp(word, "badsum") == 0)
        p->tcp.checksum_bad = true;
    else
        return false;
    return true;
}

static inline bool talk_option_word(struct talk *t, enum side from, const char *word, const char **at)
{
    struct tcp_options *o = &t->packet.tcp.opt;
    char blocks[32];

    if (strcmp(word, "mss") == 0)
        o->mss = (uint16_t)talk_number(at);
    else if (strcmp(word, "ws") == 0)
        o->wscale = (uint8_t)talk_number(at);
    else if (strcmp(word, "nows") == 0)
        o->present &= (uint16_t)~TCPOPT_HAS_WSCALE;
    else if (strcmp(word, "nosack") == 0)
        o->present &= (uint16_t)~TCPOPT_HAS_SACK_OK;
    else if (strcmp(word, "ts") == 0)
        o->tsval = (talk_option(&t->packet, TCPOPT_HAS_TIMESTAMPS), (uint32_t)talk_number(at));
    else if (strcmp(word, "sack") == 0 && talk_word(at, blocks))
        talk_sack(t, from, blocks);
    else
        return false;
    return true;
}

/* One word after the flags. */
static inline void talk_tcp_word(struct talk *t, enum side from, const char *word, const char **at)
{
    struct tcp_facts *tcp = &t->packet.tcp;
    enum side to = other_side(from);

    if (*word == '(') {
        tcp->len = (uint32_t)strtoul(word + 1, NULL, 10);
        tcp->payload = slice_of(t->payload, MIN(tcp->len, sizeof t->payload));
    } else if (strcmp(word, "cut") == 0) {
        tcp->payload.n = (size_t)talk_number(at);
    } else if (strcmp(word, "seq") == 0) {
        tcp->seq = talk_sequence(at, t->isn[from], t->next[from]);
    } else if (strcmp(word, "ack") == 0) {
        tcp->ack = talk_sequence(at, t->isn[to], t->next[to]);
    } else if (strcmp(word, "win") == 0) {
        tcp->window = t->window[from] = (uint16_t)talk_number(at);
    } else if (strcmp(word, "port") == 0) {
        t->port[CLIENT] = (uint16_t)talk_number(at);
    } else if (!talk_ip_word(t, word, at) && !talk_option_word(t, from, word, at)) {
        g_error("what is \"%s\"?", word);
    }
}

/* --- making packets --- */

static inline void talk_send(struct talk *t, const struct packet *made)
{
    struct packet p = *made;

    p.number = ++t->number;
    p.ts_ns = t->ts_ns;
    tracker_packet(t->tracker, &p);
}

static inline void talk_begin(struct talk *t, enum side from, uint16_t flags)
{
    struct packet *p = &t->packet;

    memset(p, 0, sizeof *p);
    p->kind = PACKET_TCP;
    p->ip.version = t->version;
    p->ip.ttl = t->ttl[from];
    p->ip.df = true;
    p->ip.protocol = 6;
    p->ip.id = t->version == 4 ? t->id[from]++ : 0;
    p->tcp.flags = flags;
    p->tcp.seq = t->next[from];
    p->tcp.ack = flags & TCP_ACK ? t->next[other_side(from)] : 0;
    p->tcp.window = flags & TCP_RST ? 0 : flags & TCP_SYN ? 64240 : t->window[from];
    p->tcp.checksum_checked = true;
    if (flags & TCP_SYN) {
        p->tcp.opt.present = TCPOPT_HAS_MSS | TCPOPT_HAS_WSCALE | TCPOPT_HAS_SACK_OK;
        p->tcp.opt.mss = 1460;
        p->tcp.opt.wscale = 7;
    }
}

static inline void talk_end(struct talk *t, enum side from)
{
    struct packet *p = &t->packet;
    enum side to = other_side(from);
    uint32_t end = p->tcp.seq + p->tcp.len + !!(p->tcp.flags & TCP_SYN) + !!(p->tcp.flags & TCP_FIN);

    p->ip.src = t->addr[from];
    p->ip.dst = t->addr[to];
    p->tcp.sport = t->port[from];
    p->tcp.dport = t->port[to];
    p->ip.total_len = 40 + p->tcp.len;
    p->caplen = p->wirelen = 54 + p->tcp.len;
    if ((int32_t)(end - t->next[from]) > 0 && !(p->tcp.flags & TCP_RST))
        t->next[from] = end;
    t->last[from] = *p;
    talk_send(t, p);
}

static inline void talk_icmp(struct talk *t, const char *at)
{
    char word[32];
    struct packet p = { .kind = PACKET_ICMP_ERROR, .ip = { .version = t->version, .ttl = 60 } };

    talk_word(&at, word);
    enum side about = talk_side(word);
    const struct packet *quoted = &t->last[about];
    talk_word(&at, word);
    p.icmp.type = (uint8_t)atoi(word);
    p.icmp.code = (uint8_t)atoi(strchr(word, '/') + 1);
    p.ip.src = t->router;
    p.ip.dst = quoted->ip.src;
    p.icmp.quotes_ports = p.icmp.quotes_seq = true;
    p.icmp.quoted_src = quoted->ip.src;
    p.icmp.quoted_dst = quoted->ip.dst;
    p.icmp.quoted_version = t->version;
    p.icmp.quoted_protocol = 6;
    p.icmp.quoted_sport = quoted->tcp.sport;
    p.icmp.quoted_dport = quoted->tcp.dport;
    p.icmp.quoted_seq = quoted->tcp.seq;
    int64_t before_ns = t->ts_ns;
    while (talk_word(&at, word)) {
        if (*word == '+' || *word == '-')
            talk_time(t, word);
        else if (strcmp(word, "mtu") == 0)
            p.icmp.mtu = (uint32_t)talk_number(&at);
        else if (strcmp(word, "from") == 0 && talk_word(&at, word))
            p.ip.src = quoted->ip.dst;
        else
            g_error("icmp: what is \"%s\"?", word);
    }
    t->ts_ns += t->ts_ns == before_ns ? 10 * NS_PER_MS : 0;
    talk_send(t, &p);
}

/* Everything in a line behind the side and the flags. */
static inline void talk_rest(struct talk *t, enum side from, const char *at)
{
    int64_t before_ns = t->ts_ns;
    char word[32];

    for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
        if (*at == '\'') {
            talk_text(t, at + 1);
            break;
        }
        talk_word(&at, word);
        if (*word == '+' || *word == '-')
            talk_time(t, word);
        else
            talk_tcp_word(t, from, word, &at);
    }
    t->ts_ns += t->ts_ns == before_ns ? 10 * NS_PER_MS : 0;
}

/* One line. */
static inline void talk_say(struct talk *t, const char *line)
{
    static const struct packet other = { .kind = PACKET_OTHER };
    char word[32];

    talk_word(&line, word);
    if (strcmp(word, "wait") == 0) {
        talk_word(&line, word);
        talk_time(t, word);
        talk_send(t, &other);
    } else if (strcmp(word, "icmp") == 0) {
        talk_icmp(t, line);
    } else if (strcmp(word, "dup") == 0) {
        t->ts_ns += 10 * NS_PER_US;
        talk_send(t, &t->packet);
    } else {
        enum side from = talk_side(word);
        talk_word(&line, word);
        talk_begin(t, from, talk_flags(word));
        talk_rest(t, from, line);
        talk_end(t, from);
    }
    memset(t->payload, 'x', sizeof t->payload);
}

/* Lines separated by ";" (payload text holds none); "20 { ... }" repeats some, without blocks in blocks. */
static inline void talk_lines(struct talk *t, const char *lines)
{
    while (*(lines += strspn(lines, " ;"))) {
        bool block = g_ascii_isdigit(*lines);
        char *rest = NULL;
        unsigned long times = block ? strtoul(lines, &rest, 10) : 1;
        const char *from = block ? strchr(rest, '{') + 1 : lines;
        size_t n = strcspn(from, block ? "}" : ";");
        g_assert(!block || from[n]);
        g_autofree char *one = g_strndup(from, n);

        for (unsigned long i = 0; i < times; i++) {
            if (block)
                talk_lines(t, one);
            else
                talk_say(t, one);
        }
        lines = from + n + (block ? 1 : 0);
    }
}

/* The capture ends: the flow with this index (from 0) in the order in which they left. */
static inline struct flow *talk_finish(struct talk *t, guint index)
{
    tracker_finish(t->tracker);
    if (index >= t->flows->len)
        g_error("there are only %u flows", t->flows->len);
    return g_ptr_array_index(t->flows, index);
}

/* A new talk, its lines, its end; the only flow. */
static inline struct flow *talk_one(struct talk **t, const char *lines)
{
    *t = talk_new(1);
    talk_lines(*t, lines);
    struct flow *f = talk_finish(*t, 0);
    if ((*t)->flows->len != 1)
        g_error("%u flows", (*t)->flows->len);
    return f;
}

#endif
