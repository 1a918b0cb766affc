#include "dissect/app_dns.h"

#include "base/limits.h"
#include "dissect/dns.h"

#include <string.h>

/* A message of which only a part has come, its two length bytes in front. */
struct held {
    GByteArray *bytes; /* NULL: none */
    bool lost;         /* a gap: the framing is lost */
};

struct app_dns {
    struct app_facts *facts;
    struct held half[2];
};

struct app_dns *app_dns_new(struct app_facts *facts)
{
    struct app_dns *d = g_new0(struct app_dns, 1);

    d->facts = facts;
    return d;
}

static void drop(struct held *h)
{
    if (h->bytes)
        g_byte_array_unref(h->bytes);
    h->bytes = NULL;
}

void app_dns_free(struct app_dns *d)
{
    if (!d)
        return;
    drop(&d->half[CLIENT]);
    drop(&d->half[SERVER]);
    g_free(d);
}

static void said_clear(gpointer p)
{
    dns_message_free(((struct dns_said *)p)->message);
}

static void message(struct app_dns *d, const struct app_bytes *b, struct slice s)
{
    struct dns_said said = { .from = b->from, .ts_ns = b->ts_ns, .packet = b->packet };

    if (d->facts->dns && d->facts->dns->len >= LIMIT_DNS_MESSAGES)
        return;
    said.message = dns_parse(s);
    if (!said.message)
        return;
    if (!d->facts->dns) {
        d->facts->dns = g_array_new(FALSE, FALSE, sizeof said);
        g_array_set_clear_func(d->facts->dns, said_clear);
    }
    g_array_append_val(d->facts->dns, said);
}

/* Reads the whole messages at the start of s; returns what is left. */
static struct slice whole_messages(struct app_dns *d, const struct app_bytes *b, struct slice s)
{
    while (s.n >= 2) {
        size_t n = (size_t)s.p[0] << 8 | s.p[1];
        if (s.n < 2 + n)
            break;
        message(d, b, slice_of(s.p + 2, n));
        s = slice_of(s.p + 2 + n, s.n - 2 - n);
    }
    return s;
}

void app_dns_data(struct app_dns *d, const struct app_bytes *b)
{
    struct held *h = &d->half[b->from];
    struct slice s = b->data;

    if (h->lost)
        return;
    if (h->bytes) {
        g_byte_array_append(h->bytes, s.p, (guint)s.n);
        s = slice_of(h->bytes->data, h->bytes->len);
    }
    struct slice rest = whole_messages(d, b, s);
    if (h->bytes)
        g_byte_array_remove_range(h->bytes, 0, (guint)(s.n - rest.n));
    else if (rest.n)
        h->bytes = g_byte_array_append(g_byte_array_new(), rest.p, (guint)rest.n);
    if (h->bytes && h->bytes->len == 0)
        drop(h);
}

void app_dns_gap(struct app_dns *d, enum side from)
{
    d->half[from].lost = true;
    drop(&d->half[from]);
}

bool app_dns_wants(const struct app_dns *d, enum side from)
{
    return !d->half[from].lost;
}
