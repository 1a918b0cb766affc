/* climb_app: who answers on the connection, the TLS handshake, and the page. */
#include "src/climbing.h"

#include "base/limits.h"
#include "base/text.h"
#include "diagnose/probe_verdict.h"
#include "probe/request.h"
#include "src/climb_results.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING_MS 1500        /* who speaks first does so at once */
#define CLOCK_OFF_S (24 * 3600) /* dates of certificates are days */
#define CLOCK_ODD_S 300

/* The first address whose port is open; -1: none. */
static int open_address(const struct climbing *c)
{
    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct probe_result *r = result_of(c->results, PROBE_CONNECT, i);
        if (r && r->outcome == OUTCOME_OPEN)
            return (int)i;
    }
    return -1;
}

static const struct probe_result *request_result(const struct climbing *c)
{
    int way = open_address(c);

    return way < 0 ? NULL : result_of(c->results, PROBE_REQUEST, (unsigned)way);
}

static const struct probe_leg *first_leg(const struct climbing *c)
{
    const struct probe_result *r = request_result(c);

    return r && r->legs && r->legs->len ? &g_array_index(r->legs, struct probe_leg, 0) : NULL;
}

/* --- who answers --- */

static void ask_page(struct climbing *c, unsigned way)
{
    struct probe_request request = climb_request(c, way);
    struct probe_result *r = request_ask(&request, c->target->url, &c->stopped);

    r->way = way;
    g_ptr_array_add(c->results, r);
    probe_results_sort(c->results);
}

static int dial(const struct probe_request *q)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(q->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(q->port), .sin6_scope_id = q->scope };
    bool six = q->version == 6;
    struct timeval patience = { .tv_sec = 2 };

    memcpy(&v4.sin_addr, q->addr.bytes + 12, 4);
    memcpy(&v6.sin6_addr, q->addr.bytes, 16);
    int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* of connect(2), too */
    if (connect(fd, six ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4, six ? sizeof v6 : sizeof v4) ==
        0)
        return fd;
    close(fd);
    return -1;
}

/* What a server says before it is asked anything: "220 mail.example.net ESMTP"; NULL: nothing. Free with g_free. */
static char *greeting_of(const struct probe_request *request)
{
    char bytes[LIMIT_GREETING];
    int fd = dial(request);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    ssize_t n = 0;

    if (fd < 0)
        return NULL;
    if (poll(&p, 1, GREETING_MS) == 1)
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    close(fd);
    if (n <= 0)
        return NULL;
    return g_strchomp(text_dup_utf8(slice_of(bytes, strcspn(strndupa(bytes, (size_t)n), "\r\n")), sizeof bytes));
}

static void append_word(GString *out, const char *format, const char *value)
{
    if (value && *value) {
        g_string_append(out, out->len ? ", " : "");
        g_string_append_printf(out, format, value);
    }
}

struct rung_step *climb_service(struct climbing *c)
{
    int way = open_address(c);
    g_autoptr(GString) out = g_string_new(NULL);

    if (way < 0)
        return step_skip(RUNG_SERVICE, "no address accepts a connection");
    const struct probe_result *tls = result_of(c->results, PROBE_TLS, (unsigned)way);
    if (c->target->url && !(tls && tls->outcome != OUTCOME_COMPLETE))
        ask_page(c, (unsigned)way);
    const struct probe_leg *leg = first_leg(c);
    struct probe_request request = climb_request(c, (unsigned)way);
    g_autofree char *greeting = c->target->tls || c->target->url ? NULL : greeting_of(&request);
    append_word(out, "%s", tls ? tls->note : NULL);
    append_word(out, "HTTP, the server calls itself %s", leg ? leg->server : NULL);
    if (leg && leg->status && !leg->server)
        append_word(out, "%s", "HTTP, the server does not say its name");
    append_word(out, "it greets with \"%s\"", greeting);
    struct rung_step *s =
        step_new(RUNG_SERVICE, "%s", out->len ? out->str : "it waits to be spoken to, and does not say what it is");
    if (!out->len && (c->target->url || c->target->tls)) {
        g_free(s->text);
        s->text = g_strdup("it accepts the connection, and does not say what it is");
        s->status = STEP_UNKNOWN;
    }
    step_evidence(s, "a greeting, the TLS handshake, the answer to an HTTP request");
    return s;
}

/* --- TLS --- */

/* Where this host's clock is far from the server's, its own judgement of dates means nothing. */
static struct finding *wrong_clock(const struct climbing *c)
{
    const struct probe_leg *leg = first_leg(c);
    int64_t now_s = g_get_real_time() / G_USEC_PER_SEC;

    if (!leg || !leg->date_s || ABS(now_s - leg->date_s) < CLOCK_OFF_S)
        return NULL;
    g_autoptr(GDateTime) here = g_date_time_new_from_unix_utc(now_s),
                         there = g_date_time_new_from_unix_utc(leg->date_s);
    g_autofree char *one = here ? g_date_time_format(here, "%Y-%m-%d %H:%M") : g_strdup("?");
    g_autofree char *two = there ? g_date_time_format(there, "%Y-%m-%d %H:%M") : g_strdup("?");
    struct finding *f =
        finding_new(CODE_CLOCK_WRONG, WHERE_CLIENT,
                    "This host's clock says %s, the server's %s (UTC): one of them is wrong.", one, two);
    f->confidence = CONFIDENCE_LIKELY;
    finding_detail_seconds(f, "offset", (now_s - leg->date_s) * NS_PER_S);
    return f;
}

static bool is_about_dates(const struct finding *f)
{
    return f && (f->code == CODE_TLS_CERTIFICATE_EXPIRED || f->code == CODE_TLS_CERTIFICATE_NOT_YET_VALID);
}

static void judge_tls(const struct climbing *c, struct rung_step *s)
{
    g_autoptr(GPtrArray) tls = results_of(c->results, PROBE_BIT(PROBE_TLS));
    struct finding *f = probe_verdict(tls), *clock = is_about_dates(f) ? wrong_clock(c) : NULL;

    if (clock) {
        step_note(s, "%s", f->summary);
        finding_free(f);
        step_blame(s, clock);
        step_remedy(s, "timedatectl set-ntp true, or: date -s ...; then look why it was off");
    } else if (f) {
        step_blame(s, f);
    }
}

struct rung_step *climb_tls(struct climbing *c)
{
    int way = open_address(c);
    const struct probe_result *tls = way < 0 ? NULL : result_of(c->results, PROBE_TLS, (unsigned)way);

    if (way < 0)
        return step_skip(RUNG_TLS, "no address accepts a connection");
    if (!c->target->tls)
        return step_skip(RUNG_TLS, "neither the scheme nor the port speaks TLS");
    struct rung_step *s = step_new(RUNG_TLS, "%s",
                                   tls && tls->note                          ? tls->note
                                   : tls && tls->outcome == OUTCOME_COMPLETE ? "complete"
                                                                             : "the handshake fails");
    step_subject(s, c->target->host);
    judge_tls(c, s);
    step_evidence(s, "a handshake by GnuTLS with each address, SNI %s", c->climb.is_name ? c->target->host : "none");
    return s;
}

/* --- the page --- */

static void note_legs(struct rung_step *s, const struct probe_result *r)
{
    for (guint i = 0; r->legs && i < r->legs->len; i++) {
        const struct probe_leg *l = &g_array_index(r->legs, struct probe_leg, i);
        g_autoptr(GString) line = g_string_new(l->url);
        if (l->status)
            g_string_append_printf(line, " -> %d", l->status);
        if (l->error)
            g_string_append_printf(line, ": %s", l->error);
        if (l->first_byte_ns != TIME_NONE)
            g_string_append_printf(line, " (first byte after %.1f ms)", (double)l->first_byte_ns / 1e6);
        step_note(s, "%s", line->str);
    }
}

/* Whether a list like ".upc.edu,localhost" has the host; "*" has all. */
static bool is_excepted(const char *list, const char *host)
{
    g_auto(GStrv) all = g_strsplit_set(list ? list : "", ", ", 0);

    for (char **one = all; *one; one++) {
        const char *name = **one == '.' ? *one + 1 : *one,
                   *tail = g_str_has_suffix(host, name) ? host + strlen(host) - strlen(name) : NULL;
        if (*name && (g_str_equal(name, "*") || (tail && (tail == host || tail[-1] == '.'))))
            return true;
    }
    return false;
}

static const char *first_set(const char *const *names, const char **value)
{
    for (; *names; names++)
        if ((*value = getenv(*names)) && **value)
            return *names;
    return NULL;
}

/* Programs that heed the environment's proxy (curl(1)) do not take the way that was climbed. A password in it is
 * nobody's business. */
static void tell_proxy(const struct climbing *c, struct rung_step *s)
{
    static const char *const plain[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL },
                             *const tls[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL },
                             *const none[] = { "no_proxy", "NO_PROXY", NULL };
    const char *value = NULL, *except = NULL, *name = first_set(c->target->tls ? tls : plain, &value);

    first_set(none, &except);
    if (!name || is_excepted(except, c->target->host))
        return;
    const char *at = strrchr(value, '@');
    g_autofree char *text = g_steal_pointer(&s->text);
    s->text = g_strdup_printf("%s; not by the proxy of the environment, %s=%s%s", text, name, at ? "(user)" : "",
                              at ? at : value);
}

/* RFC 1918, RFC 6598, RFC 3927. */
static bool is_private(const char *host)
{
    uint8_t b[4];

    if (inet_pton(AF_INET, host, b) != 1)
        return false;
    return b[0] == 10 || (b[0] == 192 && b[1] == 168) || (b[0] == 172 && b[1] / 16 == 1) ||
           (b[0] == 100 && b[1] / 64 == 1) || (b[0] == 169 && b[1] == 254);
}

/* The host of "scheme://host:port/..."; free with g_free. */
static char *host_of(const char *url)
{
    const char *begin = strstr(url, "://");

    begin = begin ? begin + 3 : url;
    return g_strndup(begin, strcspn(begin, ":/?#"));
}

/* RFC 6585 section 6; or a public name that leads to a private address. */
static struct finding *portal(const struct climbing *c, const struct probe_result *r)
{
    const struct probe_leg *first = &g_array_index(r->legs, struct probe_leg, 0);
    const struct probe_leg *second = r->legs->len > 1 ? &g_array_index(r->legs, struct probe_leg, 1) : NULL;
    g_autofree char *to = second ? host_of(second->url) : NULL;
    char text[ADDR_TEXT_SIZE];

    if (first->status == 511)
        return finding_new(CODE_CAPTIVE_PORTAL, WHERE_PATH, "The network wants a login first (status 511 for %s).",
                           first->url);
    addr_text(text, &r->target, r->version);
    if (!to || !is_private(to) || is_private(text) || !c->climb.is_name || r->version != 4)
        return NULL;
    struct finding *f =
        finding_new(CODE_CAPTIVE_PORTAL, WHERE_PATH,
                    "%s leads to %s, an address of the local network: a page for logging in.", first->url, second->url);
    f->confidence = CONFIDENCE_LIKELY;
    return f;
}

static void judge_page(struct climbing *c, struct rung_step *s, const struct probe_result *r)
{
    struct finding *f = portal(c, r);

    if (!f && r->finding)
        f = finding_copy(r->finding);
    if (f && f->code == CODE_REDIRECT_BROKEN) {
        const struct probe_leg *last = &g_array_index(r->legs, struct probe_leg, r->legs->len - 1);
        g_autofree char *quoted = g_shell_quote(last->url); /* a stranger wrote it */
        step_remedy(s, "tcpsleuth check %s; or correct the target of the redirect", quoted);
    }
    if (f)
        step_blame(s, f);
    const struct probe_leg *leg = first_leg(c);
    int64_t off_s = leg && leg->date_s ? g_get_real_time() / G_USEC_PER_SEC - leg->date_s : 0;
    if (ABS(off_s) > CLOCK_ODD_S) {
        g_autofree char *text = g_steal_pointer(&s->text);
        s->text = g_strdup_printf("%s; this host's clock is %" G_GINT64_FORMAT " s %s the server's", text, ABS(off_s),
                                  off_s > 0 ? "ahead of" : "behind");
    }
}

struct rung_step *climb_application(struct climbing *c)
{
    const struct probe_result *r = request_result(c);

    if (open_address(c) < 0)
        return step_skip(RUNG_APPLICATION, "no address accepts a connection");
    if (!c->target->url)
        return step_skip(RUNG_APPLICATION, "only the web is spoken here: give a URL, or port 80, 443, 8080 or 8443");
    if (!r)
        return step_skip(RUNG_APPLICATION, "the TLS handshake fails");
    const struct probe_leg *last = &g_array_index(r->legs, struct probe_leg, r->legs->len - 1);
    struct rung_step *s =
        last->status ? step_new(RUNG_APPLICATION, "%s -> %d%s%s", last->url, last->status,
                                last->error ? ", then: " : "", last->error ? last->error : "")
                     : step_new(RUNG_APPLICATION, "%s: %s", last->url, last->error ? last->error : "no answer");
    if (r->legs->len > 1) {
        g_autofree char *text = g_steal_pointer(&s->text);
        s->text = g_strdup_printf("%s, %u redirect%s", text, r->legs->len - 1, r->legs->len > 2 ? "s" : "");
    }
    step_subject(s, c->target->url);
    judge_page(c, s, r);
    note_legs(s, r);
    tell_proxy(c, s);
    step_evidence(s, "an HTTP request by libcurl, its redirects followed one by one");
    return s;
}
