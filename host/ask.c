#include "host/ask.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/timens.h"

#include <errno.h>
#include <glib-unix.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 2
#define WAIT_MS 2000
#define TCP_S 2
#define ROOM 65536
/* How long after the end an answer may still be on its way through the capture; later the ports may be given to others. */
#define STRAGGLERS_US (5 * G_USEC_PER_SEC)
#define PORT 53

union peer {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* One question on its way. */
struct question {
    struct ask *ask;
    struct asked *asked;
    int fd; /* connected, so that only the server's own answers come in, and ICMP errors as errno; -1: over */
    uint16_t port; /* of this host */
    GSource *source;
    union peer to;
    socklen_t size;
    uint8_t *wire;
    size_t n;
    ldns_rdf *name;
    ldns_rr_type type;
    int64_t sent_us;
};

struct ask {
    struct question all[2 * LIMIT_RESOLVERS];
    unsigned n, tries;
    GPtrArray *answers; /* struct asked* */
    GSource *timer;     /* of the next try, or of the end; NULL: over */
    int64_t ended_us;
    uint8_t *room;
    void (*done)(void *user);
    void *user;
};

void asked_free(struct asked *a)
{
    if (!a)
        return;
    if (a->addresses)
        g_array_free(a->addresses, TRUE);
    g_free(a->alias);
    g_free(a);
}

/* --- sending --- */

static void fill_peer(struct question *q, const struct resolver *r)
{
    memset(&q->to, 0, sizeof q->to);
    q->size = r->version == 6 ? sizeof q->to.v6 : sizeof q->to.v4;
    if (r->version == 6) {
        q->to.v6.sin6_family = AF_INET6;
        q->to.v6.sin6_port = htons(PORT);
        q->to.v6.sin6_scope_id = r->scope;
        memcpy(&q->to.v6.sin6_addr, r->addr.bytes, 16);
    } else {
        q->to.v4.sin_family = AF_INET;
        q->to.v4.sin_port = htons(PORT);
        memcpy(&q->to.v4.sin_addr, r->addr.bytes + 12, 4);
    }
}

static bool make_query(struct question *q, const char *name)
{
    q->name = ldns_dname_new_frm_str(name);
    ldns_pkt *p = q->name ? ldns_pkt_query_new(ldns_rdf_clone(q->name), q->type, LDNS_RR_CLASS_IN, LDNS_RD) : NULL;

    if (!p)
        return false;
    ldns_pkt_set_id(p, (uint16_t)g_random_int());
    bool good = ldns_pkt2wire(&q->wire, p, &q->n) == LDNS_STATUS_OK;
    ldns_pkt_free(p);
    return good;
}

static void drop_source(GSource **s)
{
    if (!*s)
        return;
    g_source_destroy(*s);
    g_clear_pointer(s, g_source_unref);
}

static void close_question(struct question *q)
{
    drop_source(&q->source);
    if (q->fd >= 0)
        close(q->fd);
    q->fd = -1;
}

static void fail(struct question *q, int error)
{
    q->asked->outcome = ASK_UNSENT;
    q->asked->error = error;
    close_question(q);
}

static void send_again(struct question *q)
{
    if (q->fd >= 0 && send(q->fd, q->wire, q->n, MSG_NOSIGNAL) < 0)
        fail(q, errno);
}

/* The port that the kernel gives: what comes from it and goes to it is this question's. */
static uint16_t local_port(int fd)
{
    union peer here = { 0 };
    socklen_t size = sizeof here;

    if (getsockname(fd, &here.any, &size) != 0)
        return 0;
    return ntohs(here.any.sa_family == AF_INET6 ? here.v6.sin6_port : here.v4.sin_port);
}

static gboolean on_answer(gint fd, GIOCondition condition, gpointer user);

static void open_question(struct question *q, const struct resolver *r, const char *name)
{
    fill_peer(q, r);
    q->fd = -1;
    if (!make_query(q, name)) {
        fail(q, EINVAL);
        return;
    }
    q->fd = socket(q->to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    q->sent_us = g_get_monotonic_time();
    if (q->fd < 0 || connect(q->fd, &q->to.any, q->size) != 0) {
        fail(q, errno);
        return;
    }
    q->port = local_port(q->fd);
    q->source = g_unix_fd_source_new(q->fd, G_IO_IN | G_IO_ERR);
    g_source_set_callback(q->source, G_SOURCE_FUNC(on_answer), q, NULL);
    g_source_attach(q->source, g_main_context_get_thread_default());
}

/* --- answers --- */

static void take_address(struct asked *a, const ldns_rr *rr)
{
    const ldns_rdf *data = ldns_rr_rdf(rr, 0);
    struct found_address found = { .version = ldns_rr_get_type(rr) == LDNS_RR_TYPE_AAAA ? 6 : 4 };
    size_t want = found.version == 6 ? 16 : 4;

    if (!data || ldns_rdf_size(data) != want || a->addresses->len >= LIMIT_DNS_ANSWERS)
        return;
    found.addr = found.version == 6 ? addr_v6(ldns_rdf_data(data)) : addr_v4(ldns_rdf_data(data));
    g_array_append_val(a->addresses, found);
}

static void take_alias(struct asked *a, const ldns_rr *rr)
{
    const ldns_rdf *to = ldns_rr_rdf(rr, 0);
    char *text = to ? ldns_rdf2str(to) : NULL;

    g_free(a->alias);
    a->alias = text ? text_dup_utf8(slice_of(text, strlen(text)), LIMIT_DNS_TEXT) : NULL;
    free(text);
}

static void take_records(struct asked *a, const ldns_pkt *p, ldns_rr_type type)
{
    const ldns_rr_list *list = ldns_pkt_answer(p);

    g_clear_pointer(&a->addresses, g_array_unref);
    a->addresses = g_array_new(FALSE, TRUE, sizeof(struct found_address));
    for (size_t i = 0; list && i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if (ldns_rr_get_type(rr) == type)
            take_address(a, rr);
        else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME)
            take_alias(a, rr);
    }
}

static enum ask_outcome outcome_of(int rcode, const struct asked *a)
{
    switch (rcode) {
    case LDNS_RCODE_NOERROR: return a->addresses->len ? ASK_ADDRESSES : a->cut ? ASK_CUT : ASK_NO_DATA;
    case LDNS_RCODE_NXDOMAIN: return ASK_NXDOMAIN;
    case LDNS_RCODE_SERVFAIL: return ASK_SERVFAIL;
    case LDNS_RCODE_REFUSED: return ASK_REFUSED;
    default: return ASK_OTHER;
    }
}

/* RFC 5452 section 9: the identifier, and the question as it was asked. */
static bool answers(const struct question *q, const ldns_pkt *p)
{
    const ldns_rr_list *asked = ldns_pkt_question(p);
    const ldns_rr *rr = asked && ldns_rr_list_rr_count(asked) == 1 ? ldns_rr_list_rr(asked, 0) : NULL;

    return ldns_pkt_qr(p) && ldns_pkt_id(p) == (q->wire[0] << 8 | q->wire[1]) && rr &&
           ldns_rr_get_type(rr) == q->type && ldns_dname_compare(ldns_rr_owner(rr), q->name) == 0;
}

static void conclude(struct question *q, const ldns_pkt *p)
{
    q->asked->cut = ldns_pkt_tc(p);
    q->asked->time_ns = (g_get_monotonic_time() - q->sent_us) * NS_PER_US;
    q->asked->rcode = (int)ldns_pkt_get_rcode(p);
    take_records(q->asked, p, q->type);
    q->asked->outcome = outcome_of(q->asked->rcode, q->asked);
    close_question(q);
}

/* The answer was cut short: the same question over TCP (RFC 7766). */
static void ask_by_tcp(struct question *q)
{
    ldns_buffer *query = ldns_buffer_new(q->n);
    struct sockaddr_storage to = { 0 };
    struct timeval patience = { .tv_sec = TCP_S };
    uint8_t *bytes = NULL;
    size_t n = 0;
    ldns_pkt *p = NULL;

    memcpy(&to, &q->to, q->size);
    ldns_buffer_write(query, q->wire, q->n);
    if (ldns_tcp_send(&bytes, query, &to, q->size, patience, &n) == LDNS_STATUS_OK &&
        ldns_wire2pkt(&p, bytes, n) == LDNS_STATUS_OK && answers(q, p))
        conclude(q, p);
    ldns_pkt_free(p);
    free(bytes);
    ldns_buffer_free(query);
}

/* Bytes that are no answer to this question are passed over: somebody else may have sent them. */
static void read_answer(struct question *q, uint8_t *room)
{
    ssize_t n = recv(q->fd, room, ROOM, 0);
    ldns_pkt *p = NULL;

    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            fail(q, errno);
        return;
    }
    if (ldns_wire2pkt(&p, room, (size_t)n) != LDNS_STATUS_OK) {
        q->asked->outcome = ASK_MALFORMED;
        return;
    }
    if (answers(q, p))
        conclude(q, p);
    ldns_pkt_free(p);
}

/* --- all together --- */

static void end(struct ask *a)
{
    drop_source(&a->timer);
    for (unsigned i = 0; i < a->n; i++)
        close_question(&a->all[i]);
    a->ended_us = g_get_monotonic_time();
}

static bool is_open(const struct ask *a)
{
    for (unsigned i = 0; i < a->n; i++)
        if (a->all[i].fd >= 0)
            return true;
    return false;
}

static void finish(struct ask *a)
{
    end(a);
    a->done(a->user);
}

static gboolean on_answer(gint fd, GIOCondition condition, gpointer user)
{
    struct question *q = user;
    struct ask *a = q->ask;

    (void)fd;
    (void)condition;
    read_answer(q, a->room);
    bool goes_on = q->fd >= 0;
    if (!is_open(a))
        finish(a);
    return goes_on;
}

static void set_timer(struct ask *a, guint ms);

/* Sends what is open, first or again. */
static gboolean on_timer(gpointer user)
{
    struct ask *a = user;

    drop_source(&a->timer);
    for (unsigned i = 0; a->tries < TRIES && i < a->n; i++)
        send_again(&a->all[i]);
    if (a->tries++ < TRIES && is_open(a))
        set_timer(a, WAIT_MS);
    else
        finish(a);
    return G_SOURCE_REMOVE;
}

static void set_timer(struct ask *a, guint ms)
{
    a->timer = g_timeout_source_new(ms);
    g_source_set_callback(a->timer, on_timer, a, NULL);
    g_source_attach(a->timer, g_main_context_get_thread_default());
}

struct ask *ask_start(const struct resolvers *r, const char *name, void (*done)(void *user), void *user)
{
    struct ask *a = g_new0(struct ask, 1);

    *a = (struct ask){ .n = MIN(r->servers->len, LIMIT_RESOLVERS) * 2, .done = done, .user = user };
    a->answers = g_ptr_array_new_with_free_func((GDestroyNotify)asked_free);
    a->room = g_malloc(ROOM);
    for (unsigned i = 0; i < a->n; i++) {
        struct asked *one = g_new0(struct asked, 1);
        *one = (struct asked){ .server = i / 2, .version = i % 2 ? 6 : 4, .outcome = ASK_SILENT, .time_ns = TIME_NONE };
        g_ptr_array_add(a->answers, one);
        a->all[i] = (struct question){ .ask = a, .asked = one, .type = i % 2 ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A };
        open_question(&a->all[i], &g_array_index(r->servers, struct resolver, i / 2), name);
    }
    set_timer(a, 0);
    return a;
}

const GPtrArray *ask_answers(const struct ask *a)
{
    return a->answers;
}

void ask_free(struct ask *a)
{
    if (!a)
        return;
    end(a);
    for (unsigned i = 0; i < a->n; i++) {
        free(a->all[i].wire);
        ldns_rdf_deep_free(a->all[i].name);
    }
    g_ptr_array_unref(a->answers);
    g_free(a->room);
    g_free(a);
}

static bool is_peer(const struct question *q, const struct ip_facts *ip, const struct addr *a)
{
    if (ip->version == 6)
        return q->to.any.sa_family == AF_INET6 && memcmp(a->bytes, &q->to.v6.sin6_addr, 16) == 0;
    return q->to.any.sa_family == AF_INET && memcmp(a->bytes + 12, &q->to.v4.sin_addr, 4) == 0;
}

bool ask_owns(const struct ask *a, const struct packet *p)
{
    if (p->kind != PACKET_UDP || (a->ended_us && g_get_monotonic_time() - a->ended_us > STRAGGLERS_US))
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        const struct question *q = &a->all[i];
        if (q->port && ((p->udp.sport == q->port && p->udp.dport == PORT && is_peer(q, &p->ip, &p->ip.dst)) ||
                        (p->udp.dport == q->port && p->udp.sport == PORT && is_peer(q, &p->ip, &p->ip.src))))
            return true;
    }
    return false;
}

/* --- and waited for --- */

static void quit(void *loop)
{
    g_main_loop_quit(loop);
}

GPtrArray *ask_all(const struct resolvers *r, const char *name)
{
    GMainContext *own = g_main_context_new();
    GMainLoop *loop = g_main_loop_new(own, FALSE);

    g_main_context_push_thread_default(own);
    struct ask *a = ask_start(r, name, quit, loop);
    g_main_loop_run(loop);
    for (unsigned i = 0; i < a->n; i++)
        if (a->all[i].asked->cut)
            ask_by_tcp(&a->all[i]);
    GPtrArray *answers = g_ptr_array_ref(a->answers);
    ask_free(a);
    g_main_context_pop_thread_default(own);
    g_main_loop_unref(loop);
    g_main_context_unref(own);
    return answers;
}
