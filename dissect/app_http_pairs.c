/* app_http_pairs: which answer belongs to which request (RFC 9112 section 9.3: answers come in the order of the
 * requests).
 *
 * facts->http holds the transactions in that order. Behind `next` all are answered; `next` itself is being answered
 * or waits. Once the array is full its last place is used again and again, so that the newest transaction is always
 * known; requests that come while that place still waits for its answer are only counted (`behind`, which becomes
 * `ahead` when it is answered).
 */
#include "dissect/app_http_parts.h"

#include "base/text.h"

#include <string.h>

static size_t transaction_text(const struct http_transaction *t)
{
    const char *texts[] = { t->method, t->host, t->target, t->version, t->reason, t->location };
    size_t bytes = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        bytes += texts[i] ? strlen(texts[i]) : 0;
    return bytes;
}

static bool is_plain_ascii(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == 0 || s.p[i] >= 0x80)
            return false;
    return true;
}

void http_keep_text(struct app_http *h, struct http_transaction *t, char **field, struct slice s)
{
    g_autofree char *clean = NULL;
    const char *text = s.n ? (const char *)s.p : "";
    size_t n = s.n;
    if (n > LIMIT_HTTP_VALUE || !is_plain_ascii(s)) { /* the other case is the common one; this costs a step a byte */
        text = clean = text_dup_utf8(s, LIMIT_HTTP_VALUE);
        n = strlen(clean);
    }
    h->text_bytes += n - (*field ? strlen(*field) : 0);
    http_transaction_text(t, field, text, n);
}

static guint transactions(const struct app_http *h)
{
    return h->facts->http ? h->facts->http->len : 0;
}

static struct http_transaction *transaction_at(const struct app_http *h, guint i)
{
    return http_at(h->facts->http, i);
}

/* The server's framing was lost to a gap, in which whole answers may have been: without pipelining only the newest
 * request can still be answered. */
static bool only_newest_waits(const struct app_http *h)
{
    return h->half[SERVER].lossy && !h->pipelined;
}

/* The last place of a full array, emptied for a newer transaction. */
static struct http_transaction *transaction_reuse(struct app_http *h)
{
    struct http_transaction *t = transaction_at(h, transactions(h) - 1);
    h->text_bytes -= transaction_text(t);
    http_transaction_reset(t);
    h->facts->http_dropped++;
    h->next = transactions(h) - 1;
    if (h->half[CLIENT].now == t)
        h->half[CLIENT].now = NULL;
    if (h->half[SERVER].now == t) {
        h->half[SERVER].now = NULL;
        h->answering = false;
    }
    return t;
}

/* A new transaction at the end; NULL where there is no place for one. */
static struct http_transaction *transaction_add(struct app_http *h)
{
    if (!h->facts->http)
        h->facts->http = http_list_new();
    guint n = transactions(h);
    if (n > 0 && (n >= LIMIT_HTTP_TRANSACTIONS || h->text_bytes >= LIMIT_HTTP_TEXT))
        return h->next == n || only_newest_waits(h) ? transaction_reuse(h) : NULL;
    return http_list_add(h->facts->http);
}

/* The capture may hold an answer before its request, which is older by its time stamp: the first of the last few
 * answers without a request that is younger than the request that begins now. */
static struct http_transaction *transaction_answered_before(const struct app_http *h)
{
    enum { FEW = 8 };
    struct http_transaction *found = NULL;
    for (guint i = transactions(h); i > 0 && transactions(h) - i < FEW; i--) {
        struct http_transaction *t = transaction_at(h, i - 1);
        if (t->method || t->response_ts_ns == TIME_NONE || t->response_ts_ns <= h->half[CLIENT].first_ts_ns)
            break;
        found = t;
    }
    return found;
}

void http_request_begin(struct app_http *h)
{
    struct http_half *client = &h->half[CLIENT];
    guint waiting = transactions(h) - h->next;
    if (waiting > (h->answering ? 1 : 0) && !h->half[SERVER].lossy)
        h->pipelined = true;
    client->now = transaction_answered_before(h);
    if (!client->now)
        client->now = transaction_add(h);
    if (!client->now) {
        h->behind++;
        h->facts->http_dropped++;
        return;
    }
    http_keep_text(h, client->now, &client->now->method, slice_of(client->word, client->n_word));
    client->now->request_packet = client->first_packet;
    client->now->request_ts_ns = client->first_ts_ns;
}

void http_request_end(struct app_http *h)
{
    struct http_transaction *t = h->half[CLIENT].now;
    if (!t)
        return;
    t->request_complete = true;
    t->request_end_ts_ns = h->at->ts_ns;
}

/* Whole answers went into the gap: the requests before the newest one stay without theirs. */
static void skip_to_newest(struct app_http *h)
{
    for (; h->next + 1 < transactions(h); h->next++)
        transaction_at(h, h->next)->lossy = true;
    h->ahead = h->behind = 0;
}

/* The transaction that the next answer belongs to: one that waits, or a new one whose request was not seen; NULL:
 * not kept. */
static struct http_transaction *transaction_answered(struct app_http *h)
{
    if (h->ahead > 0)
        return NULL;
    if (h->next < transactions(h))
        return transaction_at(h, h->next);
    return transaction_add(h);
}

void http_answer_begin(struct app_http *h)
{
    struct http_half *client = &h->half[CLIENT], *server = &h->half[SERVER];
    if (h->answering)
        http_answer_end(h, false, false, TIME_NONE);
    if (only_newest_waits(h))
        skip_to_newest(h);
    server->lossy = false;
    h->answering = true;
    struct http_transaction *t = server->now = transaction_answered(h);
    if (!t)
        return;
    t->response_packet = server->first_packet;
    t->response_ts_ns = server->first_ts_ns;
    /* Where the end of the request is not known (its bytes are missing), a server answers when it has it all. */
    if (t == client->now && client->phase == PHASE_LOST && t->request_end_ts_ns == TIME_NONE)
        t->request_end_ts_ns = client->last_ts_ns;
}

void http_answer_end(struct app_http *h, bool whole, bool interim, int64_t ts_ns)
{
    struct http_transaction *t = h->half[SERVER].now;
    h->answering = false;
    h->half[SERVER].now = NULL;
    if (interim)
        return;
    if (t && whole) {
        t->complete = true;
        t->truncated = false;
        t->response_end_ts_ns = ts_ns;
    }
    if (h->ahead > 0) {
        h->ahead--;
    } else if (++h->next >= transactions(h)) {
        h->ahead = h->behind;
        h->behind = 0;
    }
}

void http_pairs_gap(struct app_http *h, enum side from)
{
    struct http_transaction *t = h->half[from].now;
    if (!t && from == SERVER && h->ahead == 0 && h->next < transactions(h))
        t = transaction_at(h, h->next);
    if (t)
        t->lossy = true;
}
