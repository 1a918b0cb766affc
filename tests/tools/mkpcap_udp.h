/* mkpcap_udp: datagrams, and DNS messages (RFC 1035, EDNS: RFC 6891) in them. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_UDP_H
#define TCPSLEUTH_TESTS_MKPCAP_UDP_H

#include "tests/tools/mkpcap_flow.h"

static const struct { const char *name; unsigned type; } dns_types[] = {
    { "A", 1 }, { "NS", 2 }, { "CNAME", 5 }, { "SOA", 6 }, { "PTR", 12 }, { "MX", 15 }, { "TXT", 16 }, { "AAAA", 28 },
    { "SRV", 33 }, { "SVCB", 64 }, { "HTTPS", 65 },
};

static const struct { const char *name; unsigned rcode; } dns_rcodes[] = {
    { "NODATA", 0 }, { "FORMERR", 1 }, { "SERVFAIL", 2 }, { "NXDOMAIN", 3 }, { "NOTIMP", 4 }, { "REFUSED", 5 },
};

/* The type's number; 0 where the word names none. `question` says that it has to end with "?". */
static inline unsigned dns_type(const char *text, bool question)
{
    size_t n = strlen(text) - question;
    if (question && text[n] != '?')
        return 0;
    for (size_t i = 0; i < G_N_ELEMENTS(dns_types); i++)
        if (strlen(dns_types[i].name) == n && strncmp(dns_types[i].name, text, n) == 0)
            return dns_types[i].type;
    return 0;
}

static inline void put_name(const struct line *l, GByteArray *b, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    for (unsigned i = 0; labels[i]; i++) {
        size_t n = strlen(labels[i]);
        if (n > 63)
            fail(l, "the label '%s' has more than 63 bytes", labels[i]);
        if (n == 0)
            continue; /* a dot at the end */
        put_u8(b, (unsigned)n);
        put(b, labels[i], n);
    }
    put_u8(b, 0);
}

static inline void put_record(GByteArray *b, unsigned type, uint32_t ttl, const GByteArray *owner, const GByteArray *data)
{
    put_bytes(b, owner);
    put_u16(b, type);
    put_u16(b, 1);
    put_u32(b, ttl);
    put_u16(b, data->len);
    put_bytes(b, data);
}

struct dns_answer {
    unsigned rcode, flags, count;
    bool edns, soa;
    guint last_ttl; /* where the last record's TTL stands in records */
    GByteArray *records, *owner;
};

/* "A 192.0.2.1", "AAAA ...", "CNAME name": the owner is the name asked for, or the last alias. */
static inline bool read_record(struct line *l, struct dns_answer *a)
{
    const char *next = next_word(l);
    unsigned type = next ? dns_type(next, false) : 0;
    if (!type)
        return false;
    l->at++;
    g_autoptr(GByteArray) data = g_byte_array_new();
    struct addr addr;
    if (type == 1 || type == 28) {
        unsigned version = address(l, "the address", &addr);
        if (version != (type == 1 ? 4 : 6))
            fail(l, "the address is of the other version");
        put_addr(data, &addr, version);
    } else if (type == 5 || type == 2 || type == 12) {
        put_name(l, data, word(l, "the name"));
    } else {
        fail(l, "answers hold A, AAAA, CNAME, NS and PTR records; write others as hex");
    }
    a->last_ttl = a->records->len + a->owner->len + 4;
    put_record(a->records, type, 300, a->owner, data);
    a->count++;
    if (type == 5) {
        g_byte_array_set_size(a->owner, 0);
        put_bytes(a->owner, data);
    }
    return true;
}

static inline bool read_rcode(struct line *l, struct dns_answer *a)
{
    for (size_t i = 0; i < G_N_ELEMENTS(dns_rcodes); i++) {
        if (take(l, dns_rcodes[i].name)) {
            a->rcode = dns_rcodes[i].rcode;
            a->soa = a->rcode == 0 || a->rcode == 3; /* RFC 2308: negative answers carry one */
            return true;
        }
    }
    return false;
}

static inline void put_soa(struct line *l, GByteArray *b, const char *name)
{
    g_autoptr(GByteArray) owner = g_byte_array_new(), data = g_byte_array_new();
    const char *dot = strchr(name, '.');
    put_name(l, owner, dot ? dot + 1 : name);
    put_name(l, data, "ns.example");
    put_name(l, data, "hostmaster.example");
    const uint32_t numbers[] = { 1, 7200, 3600, 1209600, 300 };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        put_u32(data, numbers[i]);
    put_record(b, 6, 300, owner, data);
}

static inline void put_message(struct line *l, GByteArray *b, const struct flow *f, const struct dns_answer *a)
{
    put_u16(b, f->dns.id);
    put_u16(b, a->flags | a->rcode);
    put_u16(b, 1);
    put_u16(b, a->count);
    put_u16(b, a->soa);
    put_u16(b, a->edns);
    put_name(l, b, f->dns.name);
    put_u16(b, f->dns.type);
    put_u16(b, 1);
    put_bytes(b, a->records);
    if (a->soa)
        put_soa(l, b, f->dns.name);
    if (a->edns) { /* the root, OPT, 1232 bytes, nothing else */
        put_u8(b, 0);
        put_u16(b, 41);
        put_u16(b, 1232);
        put_u32(b, 0);
        put_u16(b, 0);
    }
}

/* `A? www.example.net`: becomes the flow's last question. The same question again keeps its id. */
static inline void read_question(struct line *l, struct flow *f)
{
    const char *text = word(l, "the type of the question");
    unsigned type = dns_type(text, true);
    if (!type)
        fail(l, "'%s' is no question such as A? or AAAA?", text);
    const char *name = word(l, "the name");
    if (type != f->dns.type || g_strcmp0(name, f->dns.name) != 0)
        f->dns.id = (f->dns.id + 1) & 0xffff;
    f->dns.type = type;
    g_free(f->dns.name);
    f->dns.name = g_strdup(name);
}

/* `ttl 60`: of the record before it. */
static inline void set_record_ttl(struct line *l, struct dns_answer *a)
{
    uint32_t ttl = number(l, "the record's ttl", INT32_MAX);
    if (a->count == 0)
        fail(l, "ttl follows its record (the IP header's stands before dns)");
    set_u16(a->records->data + a->last_ttl, ttl >> 16);
    set_u16(a->records->data + a->last_ttl + 2, ttl & 0xffff);
}

static inline bool read_dns_word(struct line *l, struct flow *f, bool answer, struct dns_answer *a)
{
    if (take(l, "edns"))
        a->edns = to_switch(l, word(l, "edns"));
    else if (take(l, "id"))
        f->dns.id = number(l, "the message's id", 65535);
    else if (answer && take(l, "ttl"))
        set_record_ttl(l, a);
    else if (answer && take(l, "tc"))
        a->flags |= 0x0200;
    else
        return answer && (read_rcode(l, a) || read_record(l, a));
    return true;
}

/* `dns A? www.example.net id 7`, `dns answer CNAME web.example.net A 192.0.2.1 ttl 60`, `dns answer NXDOMAIN`. */
static inline void read_dns(struct line *l, struct flow *f, GByteArray *out)
{
    bool answer = take(l, "answer");
    if (!answer)
        read_question(l, f);
    if (!f->dns.name)
        fail(l, "nothing was asked yet");
    g_autoptr(GByteArray) records = g_byte_array_new(), owner = g_byte_array_new();
    struct dns_answer a = { .edns = true, .records = records, .owner = owner, .flags = answer ? 0x8180 : 0x0100 };
    put_name(l, owner, f->dns.name);
    while (read_dns_word(l, f, answer, &a))
        ;
    put_message(l, out, f, &a);
}

/* The rest of a line behind "D >" or "D <" of a udp flow. */
static inline void udp_line(struct script *s, struct line *l, struct flow *f, enum side from)
{
    struct half *h = &f->half[from];
    struct ip_spec ip = flow_ip(f, from);
    struct dress d = flow_dress(f, from);
    enum checksum sum = h->offload ? SUM_PARTIAL : SUM_GOOD;
    g_autoptr(GByteArray) payload = g_byte_array_new(), b = g_byte_array_new();
    while (peek(l)) {
        if (take(l, "dns"))
            read_dns(l, f, payload);
        else if (take(l, "badsum"))
            sum = SUM_BAD;
        else if (take(l, "lost") || take(l, "unseen"))
            d.hidden = true;
        else if (!read_payload_part(s, l, payload) && !read_ip_override(l, &ip) && !read_dress(l, &d))
            fail(l, "do not know what to do with '%s'", peek(l)->text);
    }
    if (ip.version == 6 && d.frag.size)
        ip.id = ++s->fragment_id;
    put_u16(b, h->port);
    put_u16(b, f->half[!from].port);
    put_u16(b, 8 + payload->len);
    put_u16(b, 0);
    put_bytes(b, payload);
    set_checksum(b, 6, &ip, sum);
    remember(h, 0, emit_ip(&s->out, l, s->now_ns, &ip, b, &d));
}

#endif
