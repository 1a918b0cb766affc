#include "dissect/certs.h"

#include "base/limits.h"
#include "dissect/tls_internal.h"

#include <string.h>

/* What a certificate was read from, then what was read. */
struct known {
    uint8_t *der;
    size_t n;
    struct tls_certificate *certificate;
};

struct certs {
    GHashTable *known; /* struct known*, each its own key */
    GQueue order;      /* the same, the oldest first */
};

static guint known_hash(gconstpointer p)
{
    const struct known *k = p;
    guint h = 2166136261u;

    /* the end of a certificate is its signature: as good as random */
    for (size_t i = k->n > 64 ? k->n - 64 : 0; i < k->n; i++)
        h = (h ^ k->der[i]) * 16777619u;
    return h;
}

static gboolean known_equal(gconstpointer a, gconstpointer b)
{
    const struct known *x = a, *y = b;
    return x->n == y->n && memcmp(x->der, y->der, x->n) == 0;
}

static void known_free(gpointer p)
{
    struct known *k = p;

    tls_certificate_free(k->certificate);
    g_free(k->der);
    g_free(k);
}

struct certs *certs_new(void)
{
    struct certs *c = g_new0(struct certs, 1);

    c->known = g_hash_table_new(known_hash, known_equal);
    g_queue_init(&c->order);
    return c;
}

void certs_free(struct certs *c)
{
    if (!c)
        return;
    g_hash_table_destroy(c->known);
    g_queue_clear_full(&c->order, known_free);
    g_free(c);
}

static void forget_oldest(struct certs *c)
{
    struct known *oldest = g_queue_pop_head(&c->order);

    g_hash_table_remove(c->known, oldest);
    known_free(oldest);
}

struct tls_certificate *certs_read(struct certs *c, struct slice der)
{
    struct known key = { .der = (uint8_t *)(uintptr_t)der.p, .n = der.n };

    if (!c || der.n == 0 || der.n > LIMIT_TLS_CERTIFICATE)
        return tls_certificate_read(der);
    struct known *k = g_hash_table_lookup(c->known, &key);
    if (!k) {
        if (c->order.length >= LIMIT_KNOWN_CERTIFICATES)
            forget_oldest(c);
        k = g_new(struct known, 1);
        *k = (struct known){ g_memdup2(der.p, der.n), der.n, tls_certificate_read(der) };
        g_hash_table_add(c->known, k);
        g_queue_push_tail(&c->order, k);
    }
    k->certificate->references++;
    return k->certificate;
}
