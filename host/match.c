#include "host/match.h"

#include "dissect/packet.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 4 /* of a concatenation; nftables has a few more, which are seldom used */

/* What the packet has where a rule looks. */
enum value_kind {
    VALUE_UNKNOWN, /* it cannot be known here */
    VALUE_ABSENT,  /* it has no such thing: a UDP port of a TCP packet; no condition on it holds */
    VALUE_NUMBER,
    VALUE_ADDRESS,
    VALUE_NAME
};

struct value {
    enum value_kind kind;
    uint64_t number;
    uint8_t version; /* VALUE_ADDRESS */
    struct addr addr;
    const char *name;
    bool bits; /* a set of flags: "in" asks whether one of them is there */
};

static struct value unknown(void)
{
    return (struct value){ .kind = VALUE_UNKNOWN };
}

static struct value absent(void)
{
    return (struct value){ .kind = VALUE_ABSENT };
}

static struct value number(uint64_t n)
{
    return (struct value){ .kind = VALUE_NUMBER, .number = n };
}

static struct value name(const char *text)
{
    return text ? (struct value){ .kind = VALUE_NAME, .name = text } : absent();
}

static struct value port(uint16_t p)
{
    return p ? number(p) : unknown();
}

static struct value address(const struct walker *w, uint8_t version, const struct addr *a)
{
    if (w->version != version)
        return absent();
    return (struct value){ .kind = VALUE_ADDRESS, .version = version, .addr = *a };
}

/* --- what a rule looks at --- */

static struct value tcp_field(const struct walker *w, const char *field)
{
    if (strcmp(field, "dport") == 0)
        return port(w->dport);
    if (strcmp(field, "sport") == 0)
        return port(w->sport);
    if (strcmp(field, "flags") == 0)
        return (struct value){ .kind = VALUE_NUMBER, .number = w->flags, .bits = true };
    return unknown();
}

static struct value ip_field(const struct walker *w, uint8_t version, const char *field)
{
    if (strcmp(field, "saddr") == 0)
        return w->any_src && w->version == version ? unknown() : address(w, version, &w->src);
    if (strcmp(field, "daddr") == 0)
        return w->any_dst && w->version == version ? unknown() : address(w, version, &w->dst);
    if (w->version != version)
        return absent();
    if (strcmp(field, "protocol") == 0 || strcmp(field, "nexthdr") == 0)
        return number(IPPROTO_TCP);
    return unknown();
}

static struct value payload(const struct walker *w, const json_t *p)
{
    const char *protocol = json_string_value(json_object_get(p, "protocol")),
               *field = json_string_value(json_object_get(p, "field"));
    static const char *const others[] = { "udp", "udplite", "icmp", "icmpv6", "sctp", "dccp",
                                          "esp", "ah",      "comp", "igmp",   "arp" };

    if (!protocol || !field)
        return unknown();
    if (strcmp(protocol, "tcp") == 0 || strcmp(protocol, "th") == 0)
        return tcp_field(w, field);
    if (strcmp(protocol, "ip") == 0)
        return ip_field(w, 4, field);
    if (strcmp(protocol, "ip6") == 0)
        return ip_field(w, 6, field);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(protocol, others[i]) == 0)
            return absent();
    return unknown();
}

static struct value meta(const struct walker *w, const char *key)
{
    if (strcmp(key, "iifname") == 0 || strcmp(key, "iif") == 0)
        return name(w->inward ? w->in : NULL);
    if (strcmp(key, "oifname") == 0 || strcmp(key, "oif") == 0)
        return name(w->inward ? NULL : w->out);
    if (strcmp(key, "l4proto") == 0)
        return number(IPPROTO_TCP);
    if (strcmp(key, "nfproto") == 0)
        return name(w->version == 6 ? "ipv6" : "ipv4");
    if (strcmp(key, "protocol") == 0)
        return name(w->version == 6 ? "ip6" : "ip");
    if (strcmp(key, "pkttype") == 0 && w->inward)
        return name("host");
    return unknown();
}

static struct value ct(const struct walker *w, const json_t *c)
{
    const char *key = json_string_value(json_object_get(c, "key"));

    if (key && strcmp(key, "state") == 0)
        return name(w->established ? "established" : "new");
    return unknown();
}

static struct value left_of(const struct walker *w, const json_t *left);

static bool flag_bits(const json_t *j, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } flags[] = { { "fin", TCP_FIN }, { "syn", TCP_SYN }, { "rst", TCP_RST }, { "psh", TCP_PSH },
                  { "ack", TCP_ACK }, { "urg", TCP_URG }, { "ecn", TCP_ECE }, { "cwr", TCP_CWR } };
    const json_t *all = json_is_object(j) ? json_object_get(j, "|") : j;
    const char *text = json_string_value(j);
    size_t i;
    json_t *one;

    if (json_is_integer(j)) {
        *out |= (uint64_t)json_integer_value(j);
        return true;
    }
    for (i = 0; text && i < G_N_ELEMENTS(flags); i++) {
        if (strcmp(text, flags[i].name) == 0) {
            *out |= flags[i].bit;
            return true;
        }
    }
    if (!json_is_array(all))
        return false;
    json_array_foreach(all, i, one) if (json_is_array(one) || json_is_object(one) || !flag_bits(one, out)) return false;
    return true;
}

/* {"&": [left, mask]} of flags. */
static struct value masked(const struct walker *w, const json_t *both)
{
    struct value v = left_of(w, json_array_get(both, 0));
    uint64_t mask = 0;

    if (v.kind != VALUE_NUMBER || !v.bits || !flag_bits(json_array_get(both, 1), &mask))
        return v.kind == VALUE_ABSENT ? v : unknown();
    v.number &= mask;
    v.bits = false;
    return v;
}

static struct value left_of(const struct walker *w, const json_t *left)
{
    const json_t *part;

    if ((part = json_object_get(left, "payload")))
        return payload(w, part);
    if ((part = json_object_get(left, "meta")))
        return meta(w, json_string_value(json_object_get(part, "key")) ? json_string_value(json_object_get(part, "key"))
                                                                       : "");
    if ((part = json_object_get(left, "ct")))
        return ct(w, part);
    if ((part = json_object_get(left, "&")))
        return masked(w, part);
    return unknown();
}

/* --- against what a rule says --- */

static enum truth truth_of(bool holds)
{
    return holds ? TRUTH_YES : TRUTH_NO;
}

static enum truth or (enum truth a, enum truth b) {
    if (a == TRUTH_YES || b == TRUTH_YES) return TRUTH_YES;
    return a == TRUTH_UNKNOWN || b == TRUTH_UNKNOWN ? TRUTH_UNKNOWN : TRUTH_NO;
}

static enum truth and (enum truth a, enum truth b) {
    if (a == TRUTH_NO || b == TRUTH_NO) return TRUTH_NO;
    return a == TRUTH_UNKNOWN || b == TRUTH_UNKNOWN ? TRUTH_UNKNOWN : TRUTH_YES;
}

/* A packet of ours is new or established, never related. */
static bool read_address(const char *text, struct addr *out, uint8_t *version)
{
    uint8_t bytes[16];

    *version = 4;
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *out = addr_v4(bytes);
        return true;
    }
    *version = 6;
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    *out = addr_v6(bytes);
    return true;
}

static bool read_number(const json_t *j, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t value;
    } protocols[] = { { "tcp", IPPROTO_TCP },       { "udp", IPPROTO_UDP },          { "icmp", IPPROTO_ICMP },
                      { "icmpv6", IPPROTO_ICMPV6 }, { "ipv6-icmp", IPPROTO_ICMPV6 }, { "esp", IPPROTO_ESP },
                      { "ah", IPPROTO_AH },         { "sctp", IPPROTO_SCTP },        { "gre", IPPROTO_GRE },
                      { "igmp", IPPROTO_IGMP },     { "udplite", IPPROTO_UDPLITE },  { "dccp", IPPROTO_DCCP } };
    const char *text = json_string_value(j);

    if (json_is_integer(j)) {
        *out = (uint64_t)json_integer_value(j);
        return true;
    }
    for (size_t i = 0; text && i < G_N_ELEMENTS(protocols); i++) {
        if (strcmp(text, protocols[i].name) == 0) {
            *out = protocols[i].value;
            return true;
        }
    }
    return false;
}

/* -1, 0, 1; 2: they cannot be compared. */
static int compare(const struct value *v, const json_t *j)
{
    const char *text = json_string_value(j);
    uint64_t n = 0;
    struct addr a;
    uint8_t version;

    if (v->kind == VALUE_ADDRESS) {
        if (!text || !read_address(text, &a, &version) || version != v->version)
            return 2;
        int c = addr_cmp(&v->addr, &a);
        return c < 0 ? -1 : c > 0;
    }
    if (v->kind == VALUE_NUMBER && v->bits)
        return flag_bits(j, &n) ? (v->number > n) - (v->number < n) : 2;
    if (v->kind == VALUE_NUMBER && !read_number(j, &n) && !flag_bits(j, &n))
        return 2;
    return (v->number > n) - (v->number < n);
}

static enum truth in_prefix(const struct value *v, const json_t *prefix)
{
    const char *text = json_string_value(json_object_get(prefix, "addr"));
    json_int_t length = json_integer_value(json_object_get(prefix, "len"));
    struct addr a;
    uint8_t version;

    if (v->kind != VALUE_ADDRESS || !text || !read_address(text, &a, &version))
        return TRUTH_UNKNOWN;
    if (version != v->version)
        return TRUTH_NO;
    unsigned bits = (unsigned)CLAMP(length, 0, version == 6 ? 128 : 32) + (version == 4 ? 96u : 0u);
    for (unsigned i = 0; i < bits; i++)
        if ((a.bytes[i / 8] ^ v->addr.bytes[i / 8]) >> (7 - i % 8) & 1)
            return TRUTH_NO;
    return TRUTH_YES;
}

static enum truth in_range(const struct value *v, const json_t *range)
{
    int low = compare(v, json_array_get(range, 0)), high = compare(v, json_array_get(range, 1));

    if (low == 2 || high == 2)
        return TRUTH_UNKNOWN;
    return truth_of(low >= 0 && high <= 0);
}

/* A name of an interface may end in a star; another interface by its number is not known. */
static enum truth is_name(const struct value *v, const char *text)
{
    size_t n = strlen(text);

    if (n && text[n - 1] == '*')
        return truth_of(strncmp(v->name, text, n - 1) == 0);
    return truth_of(strcmp(v->name, text) == 0);
}

static enum truth is(const struct matching *m, const struct value *v, unsigned n, const json_t *right);

static enum truth in_list(const struct matching *m, const struct value *v, unsigned n, const json_t *list)
{
    enum truth t = TRUTH_NO;
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one) t = or (t, is(m, v, n, one));
    return t;
}

static enum truth is_concat(const struct matching *m, const struct value *v, unsigned n, const json_t *parts)
{
    enum truth t = json_array_size(parts) == n ? TRUTH_YES : TRUTH_UNKNOWN;

    for (unsigned i = 0; t != TRUTH_UNKNOWN && i < n; i++)
        t = and(t, is(m, &v[i], 1, json_array_get(parts, i)));
    return t;
}

/* Whether n values (more than one: a concatenation) are what the right side says. */
static enum truth is(const struct matching *m, const struct value *v, unsigned n, const json_t *right)
{
    const char *text = json_string_value(right);
    const json_t *part;

    if (text && *text == '@') {
        part = m->set(m->user, text + 1);
        return part ? in_list(m, v, n, part) : TRUTH_NO; /* a set without elements has none in JSON */
    }
    if ((part = json_object_get(right, "set")) || (json_is_array(right) && (part = right)))
        return in_list(m, v, n, part);
    if ((part = json_object_get(right, "elem")))
        return is(m, v, n, json_object_get(part, "val"));
    if ((part = json_object_get(right, "concat")))
        return is_concat(m, v, n, part);
    if (n != 1 || v->kind == VALUE_UNKNOWN)
        return TRUTH_UNKNOWN;
    if (v->kind == VALUE_ABSENT)
        return TRUTH_NO;
    if ((part = json_object_get(right, "prefix")))
        return in_prefix(v, part);
    if ((part = json_object_get(right, "range")))
        return in_range(v, part);
    if (v->kind == VALUE_NAME)
        return text ? is_name(v, text) : TRUTH_UNKNOWN;
    int c = compare(v, right);
    return c == 2 ? (v->kind == VALUE_ADDRESS ? TRUTH_NO : TRUTH_UNKNOWN) : truth_of(c == 0);
}

/* --- matches --- */

static unsigned read_left(const struct walker *w, const json_t *left, struct value out[FIELDS])
{
    const json_t *parts = json_object_get(left, "concat");
    size_t n = parts ? json_array_size(parts) : 1;

    for (size_t i = 0; i < n && i < FIELDS; i++)
        out[i] = left_of(w, parts ? json_array_get(parts, i) : left);
    return n <= FIELDS ? (unsigned)n : 0;
}

static bool has_absent(const struct value *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (v[i].kind == VALUE_ABSENT)
            return true;
    return false;
}

static enum truth ordered(const struct value *v, const char *op, const json_t *right)
{
    int c = v->kind == VALUE_NUMBER || v->kind == VALUE_ADDRESS ? compare(v, right) : 2;

    if (c == 2)
        return TRUTH_UNKNOWN;
    if (op[1] == '=')
        return truth_of(op[0] == '<' ? c <= 0 : c >= 0);
    return truth_of(op[0] == '<' ? c < 0 : c > 0);
}

/* "in" with flags: one of them is there. */
static enum truth has_bits(const struct value *v, const json_t *right)
{
    uint64_t bits = 0;

    return flag_bits(right, &bits) ? truth_of((v->number & bits) != 0) : TRUTH_UNKNOWN;
}

enum truth match_holds(const struct matching *m, const json_t *match)
{
    const char *op = json_string_value(json_object_get(match, "op"));
    const json_t *right = json_object_get(match, "right");
    struct value v[FIELDS];
    unsigned n = read_left(m->packet, json_object_get(match, "left"), v);

    if (!op || n == 0)
        return TRUTH_UNKNOWN;
    if (has_absent(v, n)) /* what is not there is not unequal either: the rule ends */
        return TRUTH_NO;
    if (strcmp(op, "in") == 0 && n == 1 && v[0].bits)
        return has_bits(&v[0], right);
    if (strcmp(op, "==") == 0 || strcmp(op, "in") == 0)
        return is(m, v, n, right);
    if (strcmp(op, "!=") == 0) {
        enum truth t = is(m, v, n, right);
        return t == TRUTH_UNKNOWN ? t : truth_of(t == TRUTH_NO);
    }
    return n == 1 ? ordered(&v[0], op, right) : TRUTH_UNKNOWN;
}

const json_t *match_vmap(const struct matching *m, const json_t *vmap, enum truth *truth)
{
    const json_t *data = json_object_get(vmap, "data");
    const char *named = json_string_value(data);
    const json_t *pairs = named && *named == '@' ? m->set(m->user, named + 1) : json_object_get(data, "set");
    struct value v[FIELDS];
    unsigned n = read_left(m->packet, json_object_get(vmap, "key"), v);
    size_t i;
    json_t *pair;

    *truth = n == 0 ? TRUTH_UNKNOWN : TRUTH_NO;
    if (n == 0 || has_absent(v, n))
        return NULL;
    json_array_foreach(pairs, i, pair)
    {
        enum truth t = is(m, v, n, json_array_get(pair, 0));
        *truth = or (*truth, t);
        if (t == TRUTH_YES)
            return json_array_get(pair, 1);
    }
    return NULL;
}
