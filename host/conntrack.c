#include "host/conntrack.h"

#include "base/addr_key.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Its place among sysctl's is there when the module is. */
#define COUNT_FILE "/proc/sys/net/netfilter/nf_conntrack_count"
#define GROUPS (NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_UPDATE | NF_NETLINK_CONNTRACK_DESTROY)
/* Some thousands of events between two reads. */
#define ROOM (4u << 20)
/* Of one read: more are a host that has better to do. */
#define EVENTS_MOST 20000

/* One direction of a connection, without padding. */
struct ends {
    struct addr from, to;
    uint16_t from_port, to_port;
    uint32_t version;
};
_Static_assert(sizeof(struct ends) == 40, "hashed as bytes");

struct entry {
    struct ends ends;
    enum kernel_track track;
};

struct conntrack {
    struct nfct_handle *handle; /* NULL: given up */
    GHashTable *entries;        /* struct entry */
    bool tracks[2];             /* any connection, of IPv4, IPv6 */
    unsigned read;              /* events of this read */
};

bool conntrack_used(void)
{
    return g_file_test(COUNT_FILE, G_FILE_TEST_EXISTS);
}

/* --- entries --- */

static guint ends_hash(gconstpointer p)
{
    const struct ends *e = p;

    return (addr_key_hash(&e->from) * 31 + addr_key_hash(&e->to)) * 31 + (e->from_port * 65599u ^ e->to_port);
}

static gboolean ends_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct ends)) == 0;
}

static gboolean is_gone(gpointer key, gpointer value, gpointer user)
{
    (void)key;
    (void)user;
    return ((struct entry *)value)->track == TRACK_GONE;
}

static void give_up(struct conntrack *c)
{
    if (c->handle)
        nfct_close(c->handle);
    c->handle = NULL;
    g_hash_table_remove_all(c->entries);
}

static bool has_room(struct conntrack *c)
{
    if (g_hash_table_size(c->entries) < LIMIT_CONNTRACK)
        return true;
    g_hash_table_foreach_remove(c->entries, is_gone, NULL);
    return g_hash_table_size(c->entries) < LIMIT_CONNTRACK;
}

static void put(struct conntrack *c, const struct ends *ends, enum kernel_track track)
{
    struct entry *e = g_new(struct entry, 1);

    *e = (struct entry){ .ends = *ends, .track = track };
    g_hash_table_replace(c->entries, &e->ends, e);
}

/* --- events --- */

static struct addr read_addr(const struct nf_conntrack *ct, bool six, enum nf_conntrack_attr four_is,
                             enum nf_conntrack_attr six_is)
{
    const void *bytes = nfct_get_attr(ct, six ? six_is : four_is);
    static const uint8_t none[16];

    if (!bytes)
        bytes = none;
    return six ? addr_v6(bytes) : addr_v4(bytes);
}

/* As the packets of the one who opened it have them: before a translation of addresses. */
static struct ends opener_ends(const struct nf_conntrack *ct, bool six)
{
    return (struct ends){ .from = read_addr(ct, six, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC),
                          .to = read_addr(ct, six, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST),
                          .from_port = ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_SRC)),
                          .to_port = ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_DST)),
                          .version = six ? 6 : 4 };
}

/* And behind it. */
static struct ends translated_ends(const struct nf_conntrack *ct, bool six)
{
    return (struct ends){ .from = read_addr(ct, six, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST),
                          .to = read_addr(ct, six, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC),
                          .from_port = ntohs(nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST)),
                          .to_port = ntohs(nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC)),
                          .version = six ? 6 : 4 };
}

static enum kernel_track track_of(enum nf_conntrack_msg_type type, const struct nf_conntrack *ct)
{
    uint32_t status = nfct_get_attr_u32(ct, ATTR_STATUS);

    if (type & NFCT_T_DESTROY)
        return TRACK_GONE;
    if (status & IPS_ASSURED)
        return TRACK_ASSURED;
    return status & IPS_SEEN_REPLY ? TRACK_REPLIED : TRACK_UNREPLIED;
}

static int on_event(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *user)
{
    struct conntrack *c = user;
    uint8_t family = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO);
    bool six = family == AF_INET6;

    if ((family == AF_INET || six) && nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO) == IPPROTO_TCP) {
        struct ends ends = opener_ends(ct, six), behind = translated_ends(ct, six);
        c->tracks[six] = true;
        put(c, &ends, track_of(type, ct));
        put(c, &behind, track_of(type, ct));
    }
    return ++c->read < EVENTS_MOST ? NFCT_CB_CONTINUE : NFCT_CB_STOP;
}

void conntrack_read(struct conntrack *c)
{
    if (!c || !c->handle)
        return;
    c->read = 0;
    errno = 0;
    int good = nfct_catch(c->handle);
    if ((good < 0 && errno != EAGAIN && errno != EINTR) || !has_room(c)) /* ENOBUFS: some are lost */
        give_up(c);
}

/* --- life --- */

/* The kernel keeps other protocols out. */
static bool take_tcp_alone(int fd)
{
    struct nfct_filter *filter = nfct_filter_create();

    if (!filter)
        return false;
    nfct_filter_add_attr_u32(filter, NFCT_FILTER_L4PROTO, IPPROTO_TCP);
    bool good = nfct_filter_attach(fd, filter) == 0;
    nfct_filter_destroy(filter);
    return good;
}

struct conntrack *conntrack_open(void)
{
    struct nfct_handle *handle = conntrack_used() ? nfct_open(CONNTRACK, GROUPS) : NULL;

    if (!handle)
        return NULL;
    int fd = nfct_fd(handle), flags = fcntl(fd, F_GETFL);
    if (!take_tcp_alone(fd) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        nfct_close(handle);
        return NULL;
    }
    struct conntrack *c = g_new0(struct conntrack, 1);
    c->handle = handle;
    c->entries = g_hash_table_new_full(ends_hash, ends_equal, NULL, g_free);
    nfnl_rcvbufsiz(nfct_nfnlh(handle), ROOM);
    nfct_callback_register(handle, NFCT_T_ALL, on_event, c);
    return c;
}

void conntrack_free(struct conntrack *c)
{
    if (!c)
        return;
    give_up(c);
    g_hash_table_destroy(c->entries);
    g_free(c);
}

enum kernel_track conntrack_find(const struct conntrack *c, unsigned version, const struct addr *client,
                                 uint16_t client_port, const struct addr *server, uint16_t server_port)
{
    const struct ends ends = {
        .from = *client, .to = *server, .from_port = client_port, .to_port = server_port, .version = version
    };

    if (!c || !c->handle)
        return TRACK_UNREAD;
    const struct entry *e = g_hash_table_lookup(c->entries, &ends);
    if (e)
        return e->track;
    return c->tracks[version == 6] ? TRACK_NONE : TRACK_UNUSED;
}
