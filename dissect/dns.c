/* DNS messages (RFC 1035). The records are found here, one after the other; ldns turns names and record data into
 * text.
 *
 * ldns could take the message as a whole, but then one bad record would spoil it, and each of the thousands of
 * names of a made-up message could follow a chain of thousands of compression pointers. Only what is kept is
 * handed to it. */
#include "dissect/dns.h"

#include "base/addr.h"
#include "base/limits.h"
#include "base/text.h"

#include <ldns/ldns.h>
#include <string.h>

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, TYPE_OPT = 41 };

struct header {
    uint16_t id, flags, questions, answers, authorities, additionals;
};

/* One record: where it starts in the message, and its fixed fields. */
struct record {
    size_t at;
    uint16_t type;
    uint32_t ttl;
    struct slice data;
};

static struct header read_header(struct cursor *c)
{
    struct header h;
    h.id = cursor_u16(c);
    h.flags = cursor_u16(c);
    h.questions = cursor_u16(c);
    h.answers = cursor_u16(c);
    h.authorities = cursor_u16(c);
    h.additionals = cursor_u16(c);
    return h;
}

/* Steps over a name as it stands here: labels, and perhaps a pointer at the end (RFC 1035 section 4.1.4). */
static void skip_name(struct cursor *c)
{
    for (;;) {
        uint8_t length = cursor_u8(c);
        if (length == 0)
            return;
        if ((length & 0xc0) == 0xc0) {
            cursor_skip(c, 1);
            return;
        }
        if (length & 0xc0)
            c->failed = true; /* the other two forms are not in use */
        cursor_skip(c, length);
    }
}

static bool next_record(struct cursor *c, struct slice message, struct record *r)
{
    r->at = (size_t)(c->p - message.p);
    skip_name(c);
    r->type = cursor_u16(c);
    cursor_skip(c, 2);
    r->ttl = cursor_u32(c);
    r->data = cursor_take(c, cursor_u16(c));
    return !c->failed;
}

/* --- texts --- */

/* A name in lower case without its last dot; the root stays ".". */
static char *clean_name(const char *presentation)
{
    size_t n = strlen(presentation);
    if (n > 1 && presentation[n - 1] == '.')
        n--;
    char *text = text_dup_utf8(slice_of(presentation, n), LIMIT_DNS_TEXT);
    for (char *p = text; *p; p++)
        *p = g_ascii_tolower(*p);
    return text;
}

/* The name that starts at this place of the message; NULL where it is none. */
static char *name_at(struct slice message, size_t at)
{
    ldns_rdf *name = NULL;
    if (ldns_wire2dname(&name, message.p, message.n, &at) != LDNS_STATUS_OK)
        return NULL;
    char *presentation = ldns_rdf2str(name);
    char *text = presentation ? clean_name(presentation) : NULL;
    free(presentation);
    ldns_rdf_deep_free(name);
    return text;
}

/* "MX 10 mail.example.com." */
static char *record_text(const ldns_rr *rr, uint16_t type)
{
    char *name = dns_type_name(type);
    GString *text = g_string_new(name);
    for (size_t i = 0; i < ldns_rr_rd_count(rr) && text->len < LIMIT_DNS_TEXT; i++) {
        char *field = ldns_rdf2str(ldns_rr_rdf(rr, i));
        g_string_append_printf(text, " %s", field ? field : "?");
        free(field);
    }
    char *clean = text_dup_utf8(slice_of(text->str, text->len), LIMIT_DNS_TEXT);
    g_string_free(text, TRUE);
    g_free(name);
    return clean;
}

/* Any record but an address or alias; its type alone where its data is not of that type. */
static char *other_text(struct slice message, const struct record *r)
{
    ldns_rr *rr = NULL;
    size_t at = r->at;
    if (ldns_wire2rr(&rr, message.p, message.n, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
        return dns_type_name(r->type);
    char *text = record_text(rr, r->type);
    ldns_rr_free(rr);
    return text;
}

static char *address_text(GArray *addresses, const struct record *r)
{
    struct dns_address address = { .version = r->type == TYPE_A ? 4 : 6 };
    struct addr a = r->type == TYPE_A ? addr_v4(r->data.p) : addr_v6(r->data.p);
    char text[ADDR_TEXT_SIZE];
    memcpy(address.bytes, a.bytes, sizeof address.bytes);
    g_array_append_val(addresses, address);
    return g_strdup(addr_text(text, &a, address.version));
}

static char *answer_text(GArray *addresses, struct slice message, const struct record *r)
{
    if ((r->type == TYPE_A && r->data.n == 4) || (r->type == TYPE_AAAA && r->data.n == 16))
        return address_text(addresses, r);
    char *alias = NULL;
    if (r->type == TYPE_CNAME && r->data.n > 0)
        alias = name_at(message, (size_t)(r->data.p - message.p));
    return alias ? alias : other_text(message, r);
}

/* --- the message --- */

/* Reads the answers, then steps over the authorities; false where the message is cut off before their end. */
static bool read_answers(struct dns_message *m, struct cursor *c, struct slice message, const struct header *h)
{
    GPtrArray *texts = g_ptr_array_new();
    struct record r;
    bool there = true;
    for (unsigned i = 0; i < h->answers && there; i++) {
        there = next_record(c, message, &r);
        if (there && texts->len < LIMIT_DNS_ANSWERS)
            g_ptr_array_add(texts, answer_text(m->addresses, message, &r));
    }
    for (unsigned i = 0; i < h->authorities && there; i++)
        there = next_record(c, message, &r);
    g_ptr_array_add(texts, NULL);
    m->answers = (char **)g_ptr_array_free(texts, FALSE);
    return there;
}

/* The upper bits of the response code stand in the OPT record (RFC 6891 section 6.1.3). */
static void read_extended_rcode(struct dns_message *m, struct cursor *c, struct slice message, unsigned additionals)
{
    struct record r;
    for (; additionals > 0 && next_record(c, message, &r); additionals--)
        if (r.type == TYPE_OPT) {
            m->rcode |= (uint16_t)(r.ttl >> 24 << 4);
            return;
        }
}

struct dns_message *dns_parse(struct slice message)
{
    struct cursor c = cursor_of(message);
    struct header h = read_header(&c);
    bool query = (h.flags >> 11 & 0xf) == 0;
    if (c.failed || h.questions != 1 || !query)
        return NULL;
    size_t at = (size_t)(c.p - message.p);
    skip_name(&c);
    uint16_t type = cursor_u16(&c);
    cursor_skip(&c, 2);
    char *name = c.failed ? NULL : name_at(message, at);
    if (!name)
        return NULL;
    struct dns_message *m = g_new0(struct dns_message, 1);
    m->id = h.id;
    m->response = h.flags & 0x8000;
    m->truncated = h.flags & 0x0200;
    m->rcode = h.flags & 0xf;
    m->name = name;
    m->type = type;
    m->addresses = g_array_new(FALSE, FALSE, sizeof(struct dns_address));
    if (read_answers(m, &c, message, &h))
        read_extended_rcode(m, &c, message, h.additionals);
    return m;
}

void dns_message_free(struct dns_message *m)
{
    if (!m)
        return;
    g_free(m->name);
    g_strfreev(m->answers);
    g_array_unref(m->addresses);
    g_free(m);
}

/* --- names of numbers --- */

char *dns_type_name(uint16_t type)
{
    char *name = ldns_rr_type2str((ldns_rr_type)type);
    char *copy = name ? g_strdup(name) : g_strdup_printf("TYPE%u", type);
    free(name);
    return copy;
}

char *dns_rcode_name(uint16_t rcode)
{
    static const char *const names[] = {
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
        "NOTZONE", "DSOTYPENI", NULL, NULL, NULL, NULL, "BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG",
        "BADTRUNC", "BADCOOKIE"
    };
    if (rcode < G_N_ELEMENTS(names) && names[rcode])
        return g_strdup(names[rcode]);
    return g_strdup_printf("RCODE%u", rcode);
}
