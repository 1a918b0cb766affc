/* mkpcap_flow: a declared flow, what each of its sides has sent and received so far, and the state of a whole script. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_FLOW_H
#define TCPSLEUTH_TESTS_MKPCAP_FLOW_H

#include "base/seq.h"
#include "base/side.h"
#include "tests/tools/mkpcap_dress.h"

/* A packet that was sent: what an ICMP error quotes. */
struct sent {
    uint32_t seq;
    GByteArray *ip; /* at most SENT_BYTES of it */
};

/* Bytes that an ICMPv6 error can hold of a packet (RFC 4443: the error stays within 1280 bytes). */
#define SENT_BYTES (1280 - 40 - 8)

struct range {
    uint32_t left, right;
};

#define MAX_RANGES 64

#define NO_OPTION UINT32_MAX

/* One side. Sequence numbers are those of the header. */
struct half {
    struct addr addr;
    uint16_t port;
    uint8_t mac[6];
    uint32_t ttl, isn;
    uint32_t id, id_step;
    uint32_t win;        /* of segments without SYN; a `win` stays until the next. NO_OPTION: not said */
    uint32_t win_syn;
    uint32_t mss, wscale; /* of SYNs; NO_OPTION where not sent */
    bool sack, offload, seen;
    bool has_ts;
    uint32_t ts_base;    /* TSval at the start of the capture */
    uint32_t ts_recent;  /* last TSval received */
    bool started;        /* has sent something */
    struct addr alias;   /* how the server's capture has this end: NAT; where alias_port is not 0 */
    uint16_t alias_port;
    uint32_t shift;      /* and by how much its sequence numbers are greater there */
    uint32_t snd_next, rcv_next;
    struct range early[MAX_RANGES]; /* received beyond rcv_next */
    unsigned n_early;
    GByteArray *stream;  /* bytes sent, from sequence number isn + 1: what a retransmission repeats */
    GArray *sent;        /* struct sent */
};

struct flow {
    char *name;
    unsigned version, protocol;
    struct half half[2];
    bool df;
    enum side near; /* the capture was taken at this side: macros and cooked captures need to know */
    int64_t rtt_ns;
    uint32_t hops;  /* TTL that packets lose between both ends of an `ends` script */
    int only_at;    /* 1 + the end whose capture alone has the flow; 0: both */
    struct dress dress;
    struct { char *name; unsigned type, id; } dns; /* last question */
};

/* A script with two ends (mkpcap_ends.h). */
struct ends {
    bool on;
    enum side here;  /* the end whose capture is made */
    int64_t delay_ns, offset_ns, from_ns[2], to_ns[2];
    double drift;
};

struct script {
    const char *path;
    char *folder;           /* of the script: where payload files are */
    char **lines;           /* from index 0; line numbers count from 1 */
    struct capture_file out;
    struct flow standard;   /* what `default` lines say */
    GPtrArray *flows;
    int64_t now_ns;         /* time of the last event */
    uint32_t fragment_id;   /* IPv6 */
    uint32_t icmp_id;       /* IP-ID of routers */
    struct counters counters;
    struct ends ends;
    bool began;             /* packets have been made: header lines are no longer taken */
};

static inline void sent_clear(void *data)
{
    g_byte_array_unref(((struct sent *)data)->ip);
}

static inline void flow_free(void *data)
{
    struct flow *f = data;
    for (int i = 0; i < 2; i++) {
        g_byte_array_unref(f->half[i].stream);
        g_array_unref(f->half[i].sent);
    }
    g_free(f->name);
    g_free(f->dns.name);
    g_free(f);
}

static inline void flow_standard(struct flow *f)
{
    *f = (struct flow){ .df = true, .near = CLIENT, .rtt_ns = 20 * NS_PER_MS };
    for (int i = 0; i < 2; i++) {
        f->half[i] = (struct half){ .ttl = i == CLIENT ? 64 : 57, .isn = i == CLIENT ? 1000 : 9000, .id_step = 1,
                                    .id = i == CLIENT ? 4096 : 32768, .win_syn = i == CLIENT ? 64240 : 65160,
                                    .win = NO_OPTION, .mss = 0, .wscale = 7, .sack = true, .seen = true,
                                    .ts_base = i == CLIENT ? 1000000 : 5000000 };
    }
}

static inline struct flow *find_flow(const struct script *s, const char *name)
{
    for (guint i = 0; i < s->flows->len; i++) {
        struct flow *f = g_ptr_array_index(s->flows, i);
        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

static inline struct flow *flow_named(const struct script *s, struct line *l)
{
    const char *name = word(l, "the name of a flow");
    struct flow *f = find_flow(s, name);
    if (!f)
        fail(l, "no flow is called '%s'", name);
    return f;
}

/* `>`: from the client; `<`: from the server. */
static inline enum side sender(struct line *l)
{
    if (take(l, ">"))
        return CLIENT;
    if (!take(l, "<"))
        fail(l, "> or < is missing: who sends this?");
    return SERVER;
}

static inline enum side side_word(struct line *l)
{
    if (take(l, "client"))
        return CLIENT;
    if (!take(l, "server"))
        fail(l, "client or server is missing");
    return SERVER;
}

/* --- the attributes of a declaration --- */

static inline void attr_ttl(struct line *l, struct flow *f)
{
    uint32_t v[2];
    number_pair(l, "ttl", 255, v);
    for (int i = 0; i < 2; i++)
        f->half[i].ttl = v[i];
}

static inline void attr_isn(struct line *l, struct flow *f)
{
    uint32_t v[2];
    number_pair(l, "isn", UINT32_MAX, v);
    for (int i = 0; i < 2; i++)
        f->half[i].isn = v[i];
}

/* "100/500": from there in steps of 1; "100+7": in steps of 7; "0" (or "100+0"): always the same. */
static inline void attr_id(struct line *l, struct flow *f)
{
    g_auto(GStrv) two = pair(l, "id");
    for (int i = 0; i < 2; i++) {
        g_auto(GStrv) parts = g_strsplit(two[i], "+", 2);
        f->half[i].id = to_number(l, parts[0], 65535);
        f->half[i].id_step = parts[1] ? to_number(l, parts[1], 65535) : f->half[i].id != 0;
    }
}

static inline void attr_win(struct line *l, struct flow *f)
{
    uint32_t v[2];
    number_pair(l, "win", 65535, v);
    for (int i = 0; i < 2; i++)
        f->half[i].win = v[i];
}

static inline uint32_t to_option(const struct line *l, const char *text, uint32_t max)
{
    return strcmp(text, "none") == 0 ? NO_OPTION : to_number(l, text, max);
}

static inline void attr_mss(struct line *l, struct flow *f)
{
    g_auto(GStrv) two = pair(l, "mss");
    for (int i = 0; i < 2; i++)
        f->half[i].mss = to_option(l, two[i], 65535);
}

static inline void attr_wscale(struct line *l, struct flow *f)
{
    g_auto(GStrv) two = pair(l, "wscale");
    for (int i = 0; i < 2; i++)
        f->half[i].wscale = to_option(l, two[i], 255);
}

static inline void attr_sack(struct line *l, struct flow *f)
{
    g_auto(GStrv) two = pair(l, "sack");
    for (int i = 0; i < 2; i++)
        f->half[i].sack = to_switch(l, two[i]);
}

/* `ts` alone, `ts off`, or the TSval of both sides at the start: `ts 1000/2000`. */
static inline void attr_ts(struct line *l, struct flow *f)
{
    bool off = take(l, "off");
    for (int i = 0; i < 2; i++)
        f->half[i].has_ts = !off;
    const char *next = next_word(l);
    if (off || !next || !g_ascii_isdigit(*next))
        return;
    uint32_t v[2];
    number_pair(l, "ts", UINT32_MAX, v);
    for (int i = 0; i < 2; i++)
        f->half[i].ts_base = v[i];
}

static inline void attr_mac(struct line *l, struct flow *f)
{
    g_auto(GStrv) two = pair(l, "mac");
    for (int i = 0; i < 2; i++)
        to_mac(l, two[i], f->half[i].mac);
}

static inline void attr_df(struct line *l, struct flow *f) { f->df = to_switch(l, word(l, "df")); }
static inline void attr_near(struct line *l, struct flow *f) { f->near = side_word(l); }
static inline void attr_rtt(struct line *l, struct flow *f) { f->rtt_ns = duration(l, "rtt"); }
static inline void attr_offload(struct line *l, struct flow *f) { f->half[side_word(l)].offload = true; }

static inline void attr_only(struct line *l, struct flow *f)
{
    f->half[other_side(side_word(l))].seen = false;
}

static inline void attr_hops(struct line *l, struct flow *f) { f->hops = number(l, "hops", 255); }
static inline void attr_at(struct line *l, struct flow *f) { f->only_at = 1 + (int)side_word(l); }

static inline void attr_shift(struct line *l, struct flow *f)
{
    uint32_t v[2];
    number_pair(l, "shift", UINT32_MAX, v);
    for (int i = 0; i < 2; i++)
        f->half[i].shift = v[i];
}

/* `nat 198.51.100.7:61000 > 10.1.0.80:8080`: the ends as the server's capture has them. */
static inline void attr_nat(struct line *l, struct flow *f)
{
    endpoint(l, &f->half[CLIENT].alias, &f->half[CLIENT].alias_port);
    expect(l, ">");
    endpoint(l, &f->half[SERVER].alias, &f->half[SERVER].alias_port);
}

static inline bool read_flow_attribute(struct line *l, struct flow *f)
{
    static const struct { const char *name; void (*take)(struct line *, struct flow *); } attributes[] = {
        { "ttl", attr_ttl }, { "isn", attr_isn }, { "id", attr_id }, { "win", attr_win }, { "mss", attr_mss },
        { "wscale", attr_wscale }, { "sack", attr_sack }, { "ts", attr_ts }, { "mac", attr_mac }, { "df", attr_df },
        { "near", attr_near }, { "rtt", attr_rtt }, { "offload", attr_offload }, { "only", attr_only },
        { "hops", attr_hops }, { "at", attr_at }, { "shift", attr_shift }, { "nat", attr_nat },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (take(l, attributes[i].name)) {
            attributes[i].take(l, f);
            return true;
        }
    }
    return read_dress(l, &f->dress);
}

static inline void read_flow_attributes(struct line *l, struct flow *f)
{
    while (peek(l))
        if (!read_flow_attribute(l, f))
            fail(l, "unknown attribute '%s'", peek(l)->text);
}

/* What follows from the attributes, and what nobody said. */
static inline void half_complete(struct flow *f, enum side side)
{
    static const uint8_t no_mac[6];
    struct half *h = &f->half[side];
    if (memcmp(h->mac, no_mac, 6) == 0)
        mac_of(&h->addr, h->mac);
    h->mss = h->mss ? h->mss : f->version == 4 ? 1460 : 1440;
    if (h->win == NO_OPTION) {
        bool scaled = f->half[0].wscale != NO_OPTION && f->half[1].wscale != NO_OPTION;
        h->win = scaled ? h->win_syn / 128 : h->win_syn;
    }
    h->snd_next = h->isn + 1;
    h->rcv_next = f->half[other_side(side)].isn + 1;
}

/* `flow NAME CLIENT > SERVER ...` and `udp NAME CLIENT > SERVER ...`, behind their first word. */
static inline void declare_flow(struct script *s, struct line *l, unsigned protocol)
{
    const char *name = word(l, "the name of the flow");
    if (find_flow(s, name))
        fail(l, "there is a flow '%s' already", name);
    struct flow *f = g_new(struct flow, 1);
    *f = s->standard;
    f->name = g_strdup(name);
    f->protocol = protocol;
    for (int i = 0; i < 2; i++) {
        f->half[i].stream = g_byte_array_new();
        f->half[i].sent = g_array_new(FALSE, FALSE, sizeof(struct sent));
        g_array_set_clear_func(f->half[i].sent, sent_clear);
    }
    g_ptr_array_add(s->flows, f);
    f->version = endpoint(l, &f->half[CLIENT].addr, &f->half[CLIENT].port);
    expect(l, ">");
    if (endpoint(l, &f->half[SERVER].addr, &f->half[SERVER].port) != f->version)
        fail(l, "the two addresses differ in version");
    read_flow_attributes(l, f);
    half_complete(f, CLIENT);
    half_complete(f, SERVER);
}

/* --- packets of a flow --- */

/* The IP header of a packet from that side, by the flow's rules; takes the next IP-ID. */
static inline struct ip_spec flow_ip(struct flow *f, enum side from)
{
    struct half *h = &f->half[from];
    struct ip_spec ip = { .version = f->version, .src = h->addr, .dst = f->half[!from].addr, .ttl = h->ttl,
                          .protocol = f->protocol, .id = h->id, .df = f->df };
    h->id = (h->id + h->id_step) & 0xffff;
    return ip;
}

static inline struct dress flow_dress(const struct flow *f, enum side from)
{
    struct dress d = f->dress;
    memcpy(d.src_mac, f->half[from].mac, 6);
    memcpy(d.dst_mac, f->half[!from].mac, 6);
    d.reverse = from == SERVER;
    d.outgoing = from == f->near;
    d.hidden = !f->half[from].seen;
    return d;
}

/* Keeps what an ICMP error may quote; consumes ip. */
static inline void remember(struct half *h, uint32_t seq, GByteArray *ip)
{
    struct sent sent = { seq, ip };
    if (ip->len > SENT_BYTES)
        g_byte_array_set_size(ip, SENT_BYTES);
    g_array_append_val(h->sent, sent);
}

/* The fields of an IP header that any packet line may override; false if the next word is none of them. */
static inline bool read_ip_override(struct line *l, struct ip_spec *ip)
{
    static const char *const ecn[] = { "not-ect", "ect1", "ect0", "ce" };
    if (take(l, "ttl")) {
        ip->ttl = number(l, "ttl", 255);
    } else if (take(l, "id")) {
        ip->id = number(l, "id", UINT32_MAX);
    } else if (take(l, "tos")) {
        ip->tos = number(l, "tos", 255);
    } else if (take(l, "df")) {
        ip->df = to_switch(l, word(l, "df"));
    } else if (take(l, "len")) {
        ip->has_len = true;
        ip->total_len = number(l, "len", UINT32_MAX);
    } else if (take(l, "badipsum")) {
        ip->bad_sum = true;
    } else if (take(l, "ecn")) {
        const char *name = word(l, "ecn");
        unsigned code = 0;
        while (code < 4 && strcmp(ecn[code], name) != 0)
            code++;
        if (code == 4)
            fail(l, "ecn is one of not-ect, ect1, ect0, ce");
        ip->tos = (ip->tos & ~3u) | code;
    } else {
        return false;
    }
    return true;
}

/* --- payload --- */

/* What a stream holds where the script does not say: readable, and never the same at a distance that matters. */
static inline uint8_t filler(uint32_t offset)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return offset % 64 == 63 ? '\n' : (uint8_t)letters[(offset + offset / 64) % 62];
}

static inline void read_file_part(const struct script *s, struct line *l, GByteArray *out)
{
    g_autofree char *path = g_build_filename(s->folder, word(l, "the file's name"), NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    gsize size;
    if (!g_file_get_contents(path, &bytes, &size, &error))
        fail(l, "%s", error->message);
    gsize from = take(l, "from") ? number(l, "the offset", UINT32_MAX) : 0;
    if (from > size)
        fail(l, "%s has only %zu bytes", path, size);
    gsize n = take(l, "for") ? number(l, "the count", UINT32_MAX) : size - from;
    if (n > size - from)
        fail(l, "%s has only %zu bytes", path, size);
    put(out, bytes + from, n);
}

/* One part of a payload: "text", `hex 0a0b`, `file NAME [from N] [for N]`, `fill N`; false if something else comes. */
static inline bool read_payload_part(const struct script *s, struct line *l, GByteArray *out)
{
    const struct token *t = peek(l);
    if (t && t->kind == TOKEN_STRING) {
        put(out, t->text, t->n);
        l->at++;
    } else if (take(l, "hex")) {
        to_hex(l, word(l, "hex digits"), out);
    } else if (take(l, "file")) {
        read_file_part(s, l, out);
    } else if (take(l, "fill")) {
        uint32_t n = number(l, "the number of bytes", 1 << 24);
        for (uint32_t i = 0; i < n; i++)
            put_u8(out, filler(i));
    } else {
        return false;
    }
    return true;
}

#endif
