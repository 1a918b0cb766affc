#include "probe/connect.h"

#include "diagnose/finding.h"
#include "probe/handshake.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 3500 /* a SYN, and those after 1 s and 3 s (RFC 6298) */
#define TLS_MS 5000

struct connecting {
    struct probe_request request;
    char *name;
    const struct tls_shape *tls; /* NULL: no handshake */
    bool done;
    int fd;
    guint watch, timer;
    int64_t started_us;
    struct probe_result *connect, *handshake; /* NULL: not begun */
    struct handshake *session;
    void (*on_done)(void *user);
    void *user;
};

static struct probe_result *new_result(const struct connecting *c, enum probe_kind kind)
{
    struct probe_result *r = probe_result_new(kind);

    r->version = c->request.version;
    r->target = r->way_to = c->request.addr;
    r->port = c->request.port;
    return r;
}

static void quiet(struct connecting *c)
{
    if (c->watch)
        g_source_remove(c->watch);
    if (c->timer)
        g_source_remove(c->timer);
    c->watch = c->timer = 0;
}

static void finish(struct connecting *c)
{
    quiet(c);
    c->done = true;
    if (c->on_done)
        c->on_done(c->user);
}

static int64_t since_start_ns(const struct connecting *c)
{
    return (g_get_monotonic_time() - c->started_us) * NS_PER_US;
}

/* --- TLS --- */

static gboolean on_tls(gint fd, GIOCondition condition, gpointer user);

static gboolean on_tls_late(gpointer user)
{
    struct connecting *c = user;

    c->timer = 0;
    handshake_late(c->session, c->handshake);
    finish(c);
    return G_SOURCE_REMOVE;
}

static void go_on(struct connecting *c)
{
    enum handshake_state state = handshake_step(c->session, c->handshake);

    if (state == HANDSHAKE_OVER) {
        c->handshake->rtt_ns = c->handshake->outcome == OUTCOME_COMPLETE ? since_start_ns(c) : TIME_NONE;
        finish(c);
        return;
    }
    c->watch = g_unix_fd_add(c->fd, state == HANDSHAKE_WRITES ? G_IO_OUT : G_IO_IN, on_tls, c);
}

static gboolean on_tls(gint fd, GIOCondition condition, gpointer user)
{
    struct connecting *c = user;

    (void)fd;
    (void)condition;
    c->watch = 0;
    go_on(c);
    return G_SOURCE_REMOVE;
}

static void begin_tls(struct connecting *c)
{
    quiet(c);
    c->handshake = new_result(c, PROBE_TLS);
    c->session = handshake_new(c->fd, c->name, c->tls);
    c->started_us = g_get_monotonic_time();
    c->timer = g_timeout_add(TLS_MS, on_tls_late, c);
    go_on(c);
}

/* --- the connection --- */

static void say_failure(struct probe_result *r, int error)
{
    switch (error) {
    case ECONNREFUSED: r->outcome = OUTCOME_REFUSED; break; /* a RST, or ICMP port unreachable */
    case ETIMEDOUT: r->outcome = OUTCOME_NO_ANSWER; break;
    case EPERM: r->outcome = OUTCOME_BLOCKED_HERE; break;
    default: r->outcome = OUTCOME_UNREACHABLE; break;
    }
    r->reply = error == EHOSTUNREACH  ? REPLY_HOST_UNREACHABLE
               : error == ENETUNREACH ? REPLY_NETWORK_UNREACHABLE
               : error == EACCES      ? REPLY_ADMIN_PROHIBITED
                                      : REPLY_NONE;
    r->note = g_strdup_printf("connect: %s", g_strerror(error));
}

/* What the kernel knows of the path by now. */
static uint32_t kernel_mtu(const struct connecting *c)
{
    int mtu = 0;
    socklen_t n = sizeof mtu;
    bool v6 = c->request.version == 6;

    if (getsockopt(c->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &n) != 0)
        return 0;
    return (uint32_t)MAX(mtu, 0);
}

static gboolean on_connected(gint fd, GIOCondition condition, gpointer user)
{
    struct connecting *c = user;
    int error = 0;
    socklen_t n = sizeof error;

    (void)condition;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
    c->watch = 0;
    if (error) {
        say_failure(c->connect, error);
    } else {
        c->connect->outcome = OUTCOME_OPEN;
        c->connect->rtt_ns = since_start_ns(c);
        c->connect->path_mtu = kernel_mtu(c);
    }
    if (!error && c->tls)
        begin_tls(c);
    else
        finish(c);
    return G_SOURCE_REMOVE;
}

static gboolean on_late(gpointer user)
{
    struct connecting *c = user;

    c->timer = 0;
    c->connect->outcome = OUTCOME_NO_ANSWER;
    finish(c);
    return G_SOURCE_REMOVE;
}

static gboolean on_failed(gpointer user)
{
    struct connecting *c = user;

    c->timer = 0;
    finish(c);
    return G_SOURCE_REMOVE;
}

static int dial(struct connecting *c)
{
    const struct probe_request *q = &c->request;
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(q->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(q->port), .sin6_scope_id = q->scope };
    bool six = q->version == 6;

    memcpy(&v4.sin_addr, q->addr.bytes + 12, 4);
    memcpy(&v6.sin6_addr, q->addr.bytes, 16);
    c->fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return errno;
    const struct sockaddr *to = six ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
    return connect(c->fd, to, six ? sizeof v6 : sizeof v4) == 0 || errno == EINPROGRESS ? 0 : errno;
}

uint16_t connecting_port(const struct connecting *c)
{
    struct sockaddr_in6 here = { 0 }; /* the port stands at the same place in both families */
    socklen_t n = sizeof here;

    if (c->fd < 0 || getsockname(c->fd, (struct sockaddr *)&here, &n) != 0)
        return 0;
    return ntohs(here.sin6_port);
}

struct connecting *connecting_start(const struct probe_request *request, const struct tls_shape *tls,
                                    void (*done)(void *user), void *user)
{
    struct connecting *c = g_new0(struct connecting, 1);

    c->request = *request;
    c->name = g_strdup(request->name);
    c->request.name = c->name;
    c->tls = tls;
    c->on_done = done;
    c->user = user;
    c->connect = new_result(c, PROBE_CONNECT);
    c->connect->outcome = OUTCOME_STOPPED_EARLY;
    c->started_us = g_get_monotonic_time();
    int error = dial(c);
    if (error) {
        say_failure(c->connect, error);
        c->timer = g_idle_add(on_failed, c);
        return c;
    }
    c->watch = g_unix_fd_add(c->fd, G_IO_OUT, on_connected, c);
    c->timer = g_timeout_add(CONNECT_MS, on_late, c);
    return c;
}

void connecting_stop(struct connecting *c)
{
    quiet(c);
    c->done = true;
}

bool connecting_is_done(const struct connecting *c)
{
    return c->done;
}

static void hand_out(struct probe_result **r, unsigned way, GPtrArray *into)
{
    if (!*r)
        return;
    (*r)->way = way;
    g_ptr_array_add(into, g_steal_pointer(r));
}

void connecting_results(struct connecting *c, unsigned way, GPtrArray *into)
{
    hand_out(&c->connect, way, into);
    hand_out(&c->handshake, way, into);
}

void connecting_free(struct connecting *c)
{
    if (!c)
        return;
    quiet(c);
    handshake_free(c->session);
    if (c->fd >= 0)
        close(c->fd);
    probe_result_free(c->connect);
    probe_result_free(c->handshake);
    g_free(c->name);
    g_free(c);
}
