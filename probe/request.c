#include "probe/request.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "diagnose/finding.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#define REDIRECTS 10
#define LEG_MS 10000L
#define BODY_BYTES (256 * 1024) /* more of an answer is not taken: what matters was said */

struct asking {
    const bool *stop;
    size_t taken;
    char *server; /* of the header Server */
    int64_t date_s;
};

static size_t take_body(char *bytes, size_t size, size_t n, void *user)
{
    struct asking *a = user;

    (void)bytes;
    a->taken += size * n;
    return a->taken > BODY_BYTES ? 0 : size * n;
}

/* The value of a header line, without the spaces around it; NULL: it is another one. Free with g_free. */
static char *value_of(const char *line, size_t n, const char *name)
{
    size_t head = strlen(name);

    if (n <= head || g_ascii_strncasecmp(line, name, head) != 0)
        return NULL;
    return g_strstrip(text_dup_utf8(slice_of(line + head, n - head), LIMIT_HTTP_VALUE));
}

static size_t take_header(char *line, size_t size, size_t n, void *user)
{
    struct asking *a = user;
    char *server = value_of(line, size * n, "Server:");
    g_autofree char *date = value_of(line, size * n, "Date:");

    if (server) {
        g_free(a->server);
        a->server = server;
    }
    if (date)
        a->date_s = MAX(curl_getdate(date, NULL), 0);
    return size * n;
}

/* Between the bytes signals have their turn. */
static int on_progress(void *user, curl_off_t all, curl_off_t now, curl_off_t up, curl_off_t up_now)
{
    const struct asking *a = user;

    (void)all;
    (void)now;
    (void)up;
    (void)up_now;
    while (g_main_context_iteration(NULL, FALSE))
        ;
    return *a->stop;
}

static int64_t time_of(CURL *curl, CURLINFO what)
{
    curl_off_t us = 0;

    curl_easy_getinfo(curl, what, &us);
    return us > 0 ? (int64_t)us * NS_PER_US : TIME_NONE;
}

static char *clean(const char *text)
{
    return text ? text_dup_utf8(slice_of(text, strlen(text)), LIMIT_HTTP_VALUE) : NULL;
}

static struct probe_leg read_leg(CURL *curl, const char *url, CURLcode status, const char *why, struct asking *a)
{
    struct probe_leg leg = { .url = clean(url), .server = g_steal_pointer(&a->server), .date_s = a->date_s };
    long code = 0, number = 0;
    bool enough = status == CURLE_WRITE_ERROR && a->taken > BODY_BYTES;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    leg.status = (int)code;
    if (status != CURLE_OK && !enough)
        leg.error = clean(*why ? why : curl_easy_strerror(status));
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
    leg.cut = status == CURLE_PARTIAL_FILE || status == CURLE_RECV_ERROR || status == CURLE_GOT_NOTHING;
    leg.reset = status == CURLE_RECV_ERROR && number == ECONNRESET;
    leg.name_ns = time_of(curl, CURLINFO_NAMELOOKUP_TIME_T);
    leg.connect_ns = time_of(curl, CURLINFO_CONNECT_TIME_T);
    leg.tls_ns = time_of(curl, CURLINFO_APPCONNECT_TIME_T);
    leg.first_byte_ns = time_of(curl, CURLINFO_STARTTRANSFER_TIME_T);
    leg.total_ns = time_of(curl, CURLINFO_TOTAL_TIME_T);
    return leg;
}

/* The certificate has a probe of its own, which says what is wrong with it; here the answer counts. Nothing secret is
 * sent. */
static void set_options(CURL *curl, struct asking *a, char *why)
{
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "tcpsleuth/" TCPSLEUTH_VERSION);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, LEG_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, a);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, a);
}

/* Later requests to the same host and port go to the same address, too. */
static struct curl_slist *pin(const struct probe_request *request)
{
    char text[ADDR_TEXT_SIZE];
    bool v6 = request->version == 6;

    if (!request->name)
        return NULL;
    addr_text(text, &request->addr, request->version);
    g_autofree char *line =
        g_strdup_printf("%s:%u:%s%s%s", request->name, request->port, v6 ? "[" : "", text, v6 ? "]" : "");
    return curl_slist_append(NULL, line);
}

static bool came_before(const GArray *legs, const char *url)
{
    for (guint i = 0; i < legs->len; i++)
        if (strcmp(g_array_index(legs, struct probe_leg, i).url, url) == 0)
            return true;
    return false;
}

/* --- what it says --- */

static struct finding *judge_answer(const struct probe_leg *last)
{
    struct finding *f = NULL;

    if (last->status >= 500)
        f = finding_new(CODE_HTTP_SERVER_ERROR, WHERE_SERVER, "%s is answered with the status %d.", last->url,
                        last->status);
    else if (last->status >= 400)
        f = finding_new(CODE_HTTP_CLIENT_ERROR, WHERE_NONE, "%s is answered with the status %d.", last->url,
                        last->status);
    if (f)
        finding_detail_number(f, "status", last->status);
    return f;
}

/* Slow is not broken: what is on its way when the patience ends is no fault that is seen from here. */
static struct finding *judge_failure(const struct probe_leg *last)
{
    if (last->status && last->cut)
        return finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER, "The answer of %s (status %d) breaks off: %s.",
                           last->url, last->status, last->error);
    if (last->status)
        return NULL;
    if (!last->reset)
        return finding_new(CODE_SERVER_SILENT, WHERE_SERVER, "%s is not answered: %s.", last->url, last->error);
    struct finding *f = finding_new(CODE_RESET_BY_SERVER, WHERE_SERVER,
                                    "The connection is reset instead of an answer to %s.", last->url);
    f->confidence = CONFIDENCE_LIKELY; /* who sent the RST is not seen from here */
    return f;
}

static struct finding *judge(const GArray *legs, bool loop)
{
    const struct probe_leg *last = &g_array_index(legs, struct probe_leg, legs->len - 1);

    if (loop)
        return finding_new(CODE_REDIRECT_LOOP, WHERE_SERVER, "The redirects come back to where they were: %s.",
                           last->url);
    if (last->error && legs->len > 1)
        return finding_new(CODE_REDIRECT_BROKEN, WHERE_NONE, "The redirect leads to %s, which fails: %s.", last->url,
                           last->error);
    return last->error ? judge_failure(last) : judge_answer(last);
}

/* Follows the redirects; TRUE where they go in a circle, or on and on. */
static bool follow(CURL *curl, const char *url, struct asking *a, GArray *legs, char *why)
{
    g_autofree char *at = g_strdup(url);

    for (unsigned i = 0; i <= REDIRECTS; i++) {
        char *next = NULL;
        a->taken = 0;
        a->date_s = 0;
        *why = '\0';
        curl_easy_setopt(curl, CURLOPT_URL, at);
        struct probe_leg leg = read_leg(curl, at, curl_easy_perform(curl), why, a);
        g_array_append_val(legs, leg);
        curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
        if (!next || *a->stop)
            return false;
        g_free(at);
        at = g_strdup(next);
        if (came_before(legs, at))
            return true;
    }
    return true;
}

struct probe_result *request_ask(const struct probe_request *request, const char *url, const bool *stop)
{
    struct probe_result *r = probe_result_new(PROBE_REQUEST);
    struct asking a = { .stop = stop };
    char why[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    struct curl_slist *pinned = pin(request);

    r->version = request->version;
    r->target = r->way_to = request->addr;
    r->port = request->port;
    r->legs = g_array_new(FALSE, TRUE, sizeof(struct probe_leg));
    set_options(curl, &a, why);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, pinned);
    bool loop = follow(curl, url, &a, r->legs, why);
    curl_easy_cleanup(curl);
    curl_slist_free_all(pinned);
    const struct probe_leg *first = &g_array_index(r->legs, struct probe_leg, 0);
    r->rtt_ns = first->first_byte_ns;
    if (*stop) {
        r->outcome = OUTCOME_STOPPED_EARLY;
        return r;
    }
    r->finding = judge(r->legs, loop);
    r->outcome = first->status ? OUTCOME_ANSWERED : OUTCOME_FAILED;
    return r;
}
