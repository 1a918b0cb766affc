#include "dissect/defrag.h"

#include "base/limits.h"
#include "dissect/frag4.h"
#include "dissect/frag6.h"

#include <glib.h>

/* RFC 791 section 3.2; for IPv6 (RFC 8200 section 4.5) the protocol is left 0: it does not count. No padding:
 * compared as bytes. */
struct key {
    struct addr src, dst;
    uint32_t id;
    uint8_t version, protocol, zero[2];
};

/* A datagram of which at least one fragment came. */
struct pending {
    struct key key;      /* first, so that a key is looked up where it stands */
    GList link;          /* in defrag.order */
    int64_t first_ns;    /* when the first fragment came */
    uint64_t frames;     /* of it so far, not yet counted anywhere */
    size_t bytes;        /* memory charged */
    unsigned end;        /* IPv4: of the payload, from the last fragment; 0 = not known */
    uint32_t number;     /* IPv4: for frag4 */
    struct frag6 *v6;    /* IPv6 */
    struct ip_facts ip;  /* of the fragment at offset 0; valid where has_first */
    bool has_first;
    bool spoilt;         /* IPv6: nothing of it will be used */
};

struct defrag {
    GHashTable *pending; /* struct pending, by key */
    GQueue order;        /* the same, oldest first */
    size_t bytes;        /* memory charged to all */
    uint64_t *lost;
    GByteArray *whole;   /* the payload handed out last */
    bool v4_open;
};

/* The table is small by LIMIT_FRAGMENTED_DATAGRAMS, so a hash that an enemy can make collide costs little: no seed. */
static guint key_hash(gconstpointer k)
{
    uint32_t words[sizeof(struct key) / 4], hash = 0;
    memcpy(words, k, sizeof words);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        hash = (hash ^ words[i]) * 0x9e3779b1u;
    return hash ^ hash >> 15;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct key)) == 0;
}

struct defrag *defrag_new(uint64_t *lost)
{
    struct defrag *d = g_new0(struct defrag, 1);
    d->pending = g_hash_table_new(key_hash, key_equal);
    d->whole = g_byte_array_new();
    d->lost = lost;
    return d;
}

/* Takes p out and frees it. Its frames are counted as lost unless the datagram is whole. */
static void forget(struct defrag *d, struct pending *p, bool is_whole)
{
    if (!is_whole)
        *d->lost += p->frames;
    if (p->key.version == 4 && !is_whole)
        frag4_drop(p->number);
    frag6_free(p->v6);
    d->bytes -= p->bytes;
    g_queue_unlink(&d->order, &p->link);
    g_hash_table_remove(d->pending, p);
    g_free(p);
}

static struct pending *oldest(struct defrag *d)
{
    return d->order.head ? d->order.head->data : NULL;
}

uint64_t defrag_flush(struct defrag *d)
{
    uint64_t before = *d->lost;
    while (oldest(d))
        forget(d, oldest(d), false);
    return *d->lost - before;
}

void defrag_free(struct defrag *d)
{
    if (!d)
        return;
    uint64_t nobody = 0;
    d->lost = &nobody;
    defrag_flush(d);
    g_hash_table_destroy(d->pending);
    g_byte_array_free(d->whole, TRUE);
    if (d->v4_open)
        frag4_close();
    g_free(d);
}

/* Gives up what is too old at now_ns, and the oldest while too much is kept. */
static void give_up(struct defrag *d, int64_t now_ns)
{
    struct pending *p;
    while ((p = oldest(d)) && (now_ns - p->first_ns > LIMIT_FRAGMENT_AGE_NS || d->bytes > LIMIT_FRAGMENT_BYTES))
        forget(d, p, false);
}

static struct key key_of(const struct fragment *f)
{
    return (struct key){
        .src = f->ip->src, .dst = f->ip->dst, .id = f->id, .version = f->ip->version,
        .protocol = f->ip->version == 4 ? f->protocol : 0,
    };
}

static struct pending *begin(struct defrag *d, const struct fragment *f, const struct key *key)
{
    if (d->order.length >= LIMIT_FRAGMENTED_DATAGRAMS)
        forget(d, oldest(d), false);
    struct pending *p = g_new0(struct pending, 1);
    p->key = *key;
    p->link.data = p;
    p->first_ns = f->ts_ns;
    if (key->version == 4)
        p->number = frag4_number();
    else
        p->v6 = frag6_new();
    g_hash_table_add(d->pending, p);
    g_queue_push_tail_link(&d->order, &p->link);
    return p;
}

static void charge(struct defrag *d, struct pending *p, size_t bytes)
{
    d->bytes += bytes - p->bytes;
    p->bytes = bytes;
}

static enum defrag_result add_v4(struct defrag *d, struct pending *p, const struct fragment *f)
{
    if (!f->more)
        p->end = f->offset + (unsigned)f->payload.n;
    charge(d, p, p->bytes + f->payload.n + FRAG4_OVERHEAD);
    switch (frag4_add(p->number, f->offset, f->more, f->payload, d->whole)) {
    case FRAG4_WAITS: return DEFRAG_WAITS;
    case FRAG4_BAD: return DEFRAG_BAD;
    case FRAG4_WHOLE: break;
    }
    if (d->whole->len < p->end)
        return DEFRAG_BAD;
    g_byte_array_set_size(d->whole, p->end); /* a short last piece was filled up */
    return DEFRAG_WHOLE;
}

static enum defrag_result add_v6(struct defrag *d, struct pending *p, const struct fragment *f)
{
    enum frag6_result result = frag6_add(p->v6, f->offset, f->more, f->payload);
    charge(d, p, frag6_size(p->v6));
    if (result != FRAG6_WHOLE)
        return result == FRAG6_BAD ? DEFRAG_BAD : DEFRAG_WAITS;
    struct slice payload = frag6_payload(p->v6);
    g_byte_array_set_size(d->whole, 0);
    g_byte_array_append(d->whole, payload.p, (guint)payload.n);
    return DEFRAG_WHOLE;
}

/* A bad fragment came to p. IPv6 refuses the rest of the datagram, too (RFC 5722 section 4). IPv4 begins anew: its
 * identifications come again soon. */
static void spoil(struct defrag *d, struct pending *p)
{
    if (p->key.version == 4) {
        forget(d, p, false);
        return;
    }
    p->spoilt = true;
    *d->lost += p->frames;
    p->frames = 0;
    frag6_free(p->v6);
    p->v6 = NULL;
    charge(d, p, 0);
}

/* The rules that hold for every fragment, whatever came before it. */
static bool sound(const struct fragment *f)
{
    size_t max = f->ip->version == 4 ? FRAG4_PAYLOAD_MAX : FRAG6_PAYLOAD_MAX;
    if (f->payload.n == 0 || f->offset + f->payload.n > max || (f->more && f->payload.n % 8))
        return false;
    /* frag4 fills the last piece up to 8 bytes, and that must fit, too. */
    return f->ip->version == 6 || f->offset + 8 <= max;
}

static void describe(const struct pending *p, const struct fragment *f, struct slice payload, struct datagram *whole)
{
    whole->ip = p->has_first ? p->ip : *f->ip;
    whole->ip.reassembled = true;
    whole->ip.total_len = (uint32_t)((p->key.version == 4 ? 20 : 40) + payload.n);
    whole->payload = payload;
}

/* Lets libnids start with the first fragment: most captures have none. */
static bool can_add(struct defrag *d, const struct fragment *f)
{
    if (!sound(f))
        return false;
    if (f->ip->version == 4 && !d->v4_open)
        d->v4_open = frag4_open();
    return f->ip->version == 6 || d->v4_open;
}

enum defrag_result defrag_add(struct defrag *d, const struct fragment *f, struct datagram *whole)
{
    if (!can_add(d, f))
        return DEFRAG_BAD;
    give_up(d, f->ts_ns);
    struct key key = key_of(f);
    struct pending *p = g_hash_table_lookup(d->pending, &key);
    if (!p)
        p = begin(d, f, &key);
    if (p->spoilt)
        return DEFRAG_BAD;
    if (f->offset == 0) {
        p->ip = *f->ip;
        p->ip.protocol = f->protocol;
        p->has_first = true;
    }
    enum defrag_result result = p->key.version == 4 ? add_v4(d, p, f) : add_v6(d, p, f);
    if (result == DEFRAG_BAD) {
        spoil(d, p);
    } else if (result == DEFRAG_WAITS) {
        p->frames++;
    } else {
        describe(p, f, slice_of(d->whole->data, d->whole->len), whole);
        forget(d, p, true);
    }
    return result;
}
