#include "host/ask.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/timens.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 2
#define WAIT_MS 2000
#define TCP_S 2
#define ROOM 65536
#define PORT 53

union peer {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* One question on its way. */
struct question {
    struct asked *asked;
    int fd; /* connected, so that only the server's own answers come in, and ICMP errors as errno; -1: over */
    union peer to;
    socklen_t size;
    uint8_t *wire;
    size_t n;
    ldns_rdf *name;
    ldns_rr_type type;
    int64_t sent_us;
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

static void close_question(struct question *q)
{
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
    if (q->fd < 0 || connect(q->fd, &q->to.any, q->size) != 0)
        fail(q, errno);
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
    case LDNS_RCODE_NOERROR: return a->addresses->len ? ASK_ADDRESSES : ASK_NO_DATA;
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
    bool mine = answers(q, p), cut = mine && ldns_pkt_tc(p);
    if (cut)
        ask_by_tcp(q);
    if (mine && q->fd >= 0)
        conclude(q, p);
    ldns_pkt_free(p);
}

/* --- all together --- */

static void wait_for(struct question *all, unsigned n, uint8_t *room)
{
    int64_t end_us = g_get_monotonic_time() + WAIT_MS * 1000;
    struct pollfd fds[2 * LIMIT_RESOLVERS];

    for (int64_t now = 0; (now = g_get_monotonic_time()) < end_us;) {
        unsigned open = 0;
        for (unsigned i = 0; i < n; i++) {
            fds[i] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
            open += all[i].fd >= 0;
        }
        if (open == 0)
            return;
        poll(fds, n, (int)((end_us - now) / 1000) + 1);
        for (unsigned i = 0; i < n; i++)
            if (fds[i].fd >= 0 && fds[i].revents)
                read_answer(&all[i], room);
    }
}

static void end_question(struct question *q)
{
    close_question(q);
    free(q->wire);
    ldns_rdf_deep_free(q->name);
}

GPtrArray *ask_all(const struct resolvers *r, const char *name)
{
    GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)asked_free);
    struct question all[2 * LIMIT_RESOLVERS] = { { 0 } };
    g_autofree uint8_t *room = g_malloc(ROOM);
    unsigned n = r->servers->len * 2;

    for (unsigned i = 0; i < n; i++) {
        struct asked *a = g_new0(struct asked, 1);
        *a = (struct asked){ .server = i / 2, .version = i % 2 ? 6 : 4, .outcome = ASK_SILENT, .time_ns = TIME_NONE };
        all[i] = (struct question){ .asked = a, .type = i % 2 ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A };
        g_ptr_array_add(out, a);
        open_question(&all[i], &g_array_index(r->servers, struct resolver, i / 2), name);
    }
    for (int t = 0; t < TRIES; t++) {
        for (unsigned i = 0; i < n; i++)
            send_again(&all[i]);
        wait_for(all, n, room);
    }
    for (unsigned i = 0; i < n; i++)
        end_question(&all[i]);
    return out;
}
