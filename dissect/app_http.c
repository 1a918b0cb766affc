#include "dissect/app_http.h"

#include "dissect/app_http_parts.h"

#include <string.h>

/* --- recognition --- */

/* RFC 9110 section 5.6.2. */
static bool is_token_char(uint8_t c)
{
    return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* The methods that http-parser lists; others (old WebDAV, RPC over HTTP) are recognised by the line that they stand
 * in. */
static bool is_well_known_method(struct slice word)
{
#define METHOD(number, name, string) #string,
    static const char *const methods[] = { HTTP_METHOD_MAP(METHOD) };
#undef METHOD
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (word.n == strlen(methods[i]) && memcmp(word.p, methods[i], word.n) == 0)
            return true;
    return false;
}

/* Whether a whole line ends like a request line: " HTTP/1.x". */
static bool ends_with_version(struct slice line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line.n > 9 && memcmp(line.p + line.n - 9, " HTTP/1.", 8) == 0 && g_ascii_isdigit(line.p[line.n - 1]);
}

static int recognise_request(struct slice first, bool final)
{
    size_t n = 0;
    while (n < first.n && n <= LIMIT_HTTP_METHOD && is_token_char(first.p[n]))
        n++;
    if (n == first.n && n <= LIMIT_HTTP_METHOD)
        return final ? -1 : 0;
    if (n == 0 || n > LIMIT_HTTP_METHOD || first.p[n] != ' ' || !g_ascii_isalpha(first.p[0]))
        return -1;
    const uint8_t *lf = memchr(first.p, '\n', first.n);
    if (lf)
        return ends_with_version(slice_of(first.p, (size_t)(lf - first.p))) ? 1 : -1;
    if (!final)
        return 0;
    bool absolute = first.n - n > 5 && memcmp(first.p + n + 1, "http", 4) == 0;
    bool path = first.n - n > 1 && first.p[n + 1] == '/';
    return (absolute || path) && is_well_known_method(slice_of(first.p, n)) ? 1 : -1;
}

/* "HTTP/1.1 200": RFC 9112 section 4. */
static int recognise_answer(struct slice first, bool final)
{
    static const char like[] = "HTTP/1.0 000";
    size_t n = MIN(first.n, sizeof like - 1);
    for (size_t i = 0; i < n; i++)
        if (like[i] == '0' ? !g_ascii_isdigit(first.p[i]) : first.p[i] != (uint8_t)like[i])
            return -1;
    return n == sizeof like - 1 ? 1 : final ? -1 : 0;
}

int app_http_recognise(struct slice first, enum side from, bool final)
{
    while (first.n > 0 && (first.p[0] == '\r' || first.p[0] == '\n'))
        first = slice_of(first.p + 1, first.n - 1);
    return from == CLIENT ? recognise_request(first, final) : recognise_answer(first, final);
}

/* --- life --- */

struct app_http *app_http_new(struct app_facts *facts)
{
    struct app_http *h = g_new(struct app_http, 1);
    memset(h, 0, sizeof *h);
    h->facts = facts;
    h->next = facts->http ? facts->http->len : 0;
    return h;
}

void app_http_free(struct app_http *h)
{
    if (!h)
        return;
    for (int s = CLIENT; s <= SERVER; s++)
        if (h->half[s].line)
            g_string_free(h->half[s].line, TRUE);
    g_free(h->held.p);
    g_free(h);
}

bool app_http_handed_over(const struct app_http *h, enum app_protocol *to)
{
    *to = h->handed_to;
    return h->handed_over;
}

struct app_bytes app_http_held(const struct app_http *h)
{
    return (struct app_bytes){ .from = CLIENT, .data = slice_of(h->held.p, h->held.n), .ts_ns = h->held.ts_ns,
                               .packet = h->held.packet };
}

/* --- the stream, cut into messages --- */

static void lose_framing(struct http_half *half)
{
    http_line_clear(half);
    half->phase = PHASE_LOST;
}

/* Reads the first word of a message up to where the parser takes over. */
static struct slice read_first_word(struct app_http *h, enum side from, struct slice s)
{
    static const char version[] = "HTTP/1.";
    struct http_half *half = &h->half[from];
    for (; s.n > 0 && half->phase == PHASE_START; s = slice_of(s.p + 1, s.n - 1)) {
        uint8_t c = s.p[0];
        if (half->n_word == 0) {
            if (c == '\r' || c == '\n')
                continue; /* RFC 9112 section 2.2 */
            half->first_ts_ns = h->at->ts_ns;
            half->first_packet = h->at->packet;
        }
        bool whole = from == SERVER ? half->n_word == sizeof version - 1 : c == ' ' && half->n_word > 0;
        if (whole) {
            http_message_begin(h, from);
            break;
        }
        bool fits = from == SERVER ? c == (uint8_t)version[half->n_word] : is_token_char(c);
        if (!fits || half->n_word == LIMIT_HTTP_METHOD)
            lose_framing(half);
        else
            half->word[half->n_word++] = (char)c;
    }
    return s;
}

/* The message that was read has ended at h->at. */
static void end_message(struct app_http *h, enum side from)
{
    struct http_half *half = &h->half[from];
    half->ended = false;
    half->phase = PHASE_START;
    half->n_word = 0;
    if (from == SERVER) {
        unsigned status = half->parser.status_code;
        http_answer_end(h, true, status / 100 == 1 && status != 101, h->at->ts_ns);
        return;
    }
    http_request_end(h);
    if (half->parser.upgrade)
        half->phase = PHASE_HOLDING;
    else
        half->now = NULL;
}

/* Keeps what the client sends while it is not known whether it still speaks HTTP. */
static void hold(struct app_http *h, struct slice s)
{
    struct http_held *held = &h->held;
    if (s.n > LIMIT_APP_PROBE - held->n) {
        lose_framing(&h->half[CLIENT]); /* nobody sends so much on trust */
        return;
    }
    if (held->n == 0) {
        held->ts_ns = h->at->ts_ns;
        held->packet = h->at->packet;
    }
    held->p = g_realloc(held->p, held->n + s.n);
    memcpy(held->p + held->n, s.p, s.n);
    held->n += s.n;
}

static struct slice read_message(struct app_http *h, enum side from, struct slice s)
{
    size_t n = http_message_read(h, from, s);
    if (h->half[from].ended)
        end_message(h, from);
    return slice_of(s.p + n, s.n - n);
}

/* One step through the bytes at h->at; returns what is left of them. */
static struct slice step(struct app_http *h, enum side from, struct slice s)
{
    struct http_half *half = &h->half[from];
    switch (half->phase) {
    case PHASE_START:
        return read_first_word(h, from, s);
    case PHASE_HEAD:
    case PHASE_BODY:
        return read_message(h, from, s);
    case PHASE_UNTIL_CLOSE:
        http_message_count(half, from, s.n);
        break;
    case PHASE_HOLDING:
        hold(h, s);
        break;
    case PHASE_LOST:
        break;
    }
    return slice_of(NULL, 0);
}

static size_t read_bytes(struct app_http *h, const struct app_bytes *b)
{
    struct http_half *half = &h->half[b->from];
    struct slice left = b->data;
    h->at = b;
    half->last_ts_ns = b->ts_ns;
    if (half->phase == PHASE_LOST && app_http_recognise(left, b->from, false) > 0) {
        half->phase = PHASE_START;
        half->n_word = 0;
    }
    while (left.n > 0 && !h->handed_over)
        left = step(h, b->from, left);
    h->at = NULL;
    return b->data.n - left.n;
}

/* The client's request for another protocol was not granted: what it has sent since is HTTP. */
static void release_held(struct app_http *h)
{
    struct app_bytes b = app_http_held(h);
    h->release = false;
    h->held = (struct http_held){ .p = NULL };
    h->half[CLIENT].now = NULL;
    if (h->half[CLIENT].phase == PHASE_HOLDING) {
        h->half[CLIENT].phase = PHASE_START;
        read_bytes(h, &b);
    }
    g_free((void *)b.data.p);
}

size_t app_http_data(struct app_http *h, const struct app_bytes *b)
{
    size_t n = read_bytes(h, b);
    if (h->release)
        release_held(h);
    return n;
}

/* --- gaps and ends --- */

/* Steps over n missing bytes of a body whose length is known. The last byte of it is given to the parser in their
 * place, so that it comes to the end of the message, or of the chunk, by itself. False: not in such a body. */
static bool step_over(struct app_http *h, enum side from, uint64_t n)
{
    struct http_half *half = &h->half[from];
    uint64_t left = http_message_left(half);
    if (left == 0 || ((half->parser.flags & F_CHUNKED) && n > left))
        return false;
    uint64_t skip = n < left ? n : left - 1;
    half->parser.content_length -= skip;
    http_message_count(half, from, skip);
    if (n < left)
        return true;
    read_message(h, from, slice_of("", 1));
    if (n > left)
        lose_framing(half);
    return true;
}

void app_http_gap(struct app_http *h, enum side from, uint64_t n, int64_t ts_ns, uint64_t packet)
{
    struct http_half *half = &h->half[from];
    const struct app_bytes at = { .from = from, .ts_ns = ts_ns, .packet = packet };
    if (n == 0)
        return;
    h->at = &at;
    half->last_ts_ns = ts_ns;
    http_pairs_gap(h, from);
    if (half->phase == PHASE_UNTIL_CLOSE)
        http_message_count(half, from, n);
    else if (!step_over(h, from, n))
        lose_framing(half);
    half->lossy |= half->phase == PHASE_LOST;
    h->at = NULL;
}

/* The answer that is being read ends with its connection. Where bytes come all the same it goes on. */
static void cut_answer(struct app_http *h, enum app_ending how, int64_t ts_ns)
{
    struct http_half *server = &h->half[SERVER];
    struct http_transaction *t = server->now;
    if (!h->answering)
        return;
    if (server->phase == PHASE_UNTIL_CLOSE && how == APP_END_FIN) {
        http_answer_end(h, true, false, ts_ns);
        server->phase = PHASE_START;
        server->n_word = 0;
    } else if (t && t->response_end_ts_ns == TIME_NONE) {
        t->truncated = server->phase != PHASE_LOST;
        t->response_end_ts_ns = ts_ns;
    }
}

void app_http_end(struct app_http *h, enum side from, enum app_ending how, int64_t ts_ns)
{
    if (how == APP_END_RST || (how == APP_END_FIN && from == SERVER))
        cut_answer(h, how, ts_ns);
}

const struct http_transaction *app_http_cut(const struct app_http *h, const enum app_ending how[2])
{
    const struct http_half *server = &h->half[SERVER];
    bool cut = how[CLIENT] == APP_END_RST || how[SERVER] == APP_END_RST || how[SERVER] == APP_END_FIN;
    bool proper_end = server->phase == PHASE_UNTIL_CLOSE && how[SERVER] == APP_END_FIN;

    if (!cut || proper_end || !h->answering || server->phase == PHASE_LOST || !server->now ||
        server->now->response_end_ts_ns != TIME_NONE)
        return NULL;
    return server->now;
}
