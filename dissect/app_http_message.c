/* app_http_message: one HTTP message through http-parser.
 *
 * The first word is read outside (app_http.c): http-parser knows a fixed list of methods and, as Debian builds it,
 * does not check "HTTP/". So it is given "GET" for any method but CONNECT (whose target has a form of its own) and
 * goes on from there. It gets a fresh state for each message, and its count of header bytes is set back before each
 * call: what is kept is bounded here, and a header of megabytes is no reason to lose the message behind it.
 */
#include "dissect/app_http_parts.h"

#include <string.h>

_Static_assert((int)HTTP_REQUEST == CLIENT && (int)HTTP_RESPONSE == SERVER, "parser types are sides");

/* Bytes given to the parser at once: below its limit for a header (80 KB), which it counts within a call. */
#define PARSE_AT_ONCE 65536

/* --- text --- */

void http_text_hold(struct http_text *t)
{
    if (t->fresh.n == 0)
        return;
    if (!t->kept)
        t->kept = g_string_sized_new(t->fresh.n + 64);
    size_t room = LIMIT_HTTP_VALUE - t->kept->len;
    g_string_append_len(t->kept, (const char *)t->fresh.p, (gssize)MIN(t->fresh.n, room));
    t->fresh = slice_of(NULL, 0);
}

void http_text_add(struct http_text *t, struct slice s)
{
    http_text_hold(t);
    t->fresh = s;
    if (t->kept && t->kept->len > 0)
        http_text_hold(t);
}

struct slice http_text_value(struct http_text *t)
{
    return t->kept && t->kept->len > 0 ? slice_of(t->kept->str, t->kept->len) : t->fresh;
}

void http_text_clear(struct http_text *t)
{
    t->fresh = slice_of(NULL, 0);
    if (t->kept)
        g_string_truncate(t->kept, 0);
}

void http_text_free(struct http_text *t)
{
    if (t->kept)
        g_string_free(t->kept, TRUE);
}

/* --- start line and header fields --- */

static struct app_http *http_of(const http_parser *parser)
{
    return parser->data;
}

static struct http_half *half_of(const http_parser *parser)
{
    return &http_of(parser)->half[parser->type];
}

static bool text_is(struct slice s, const char *lower)
{
    return s.n == strlen(lower) && g_ascii_strncasecmp((const char *)s.p, lower, s.n) == 0;
}

/* The authority of an absolute-form target (RFC 9112 section 3.2.2), without userinfo; empty where the target has
 * another form. */
static struct slice authority_of(struct slice target)
{
    size_t scheme = 0;
    while (scheme < target.n && g_ascii_isalpha(target.p[scheme]))
        scheme++;
    if (scheme == 0 || target.n - scheme < 3 || memcmp(target.p + scheme, "://", 3) != 0)
        return slice_of(NULL, 0);
    const uint8_t *begin = target.p + scheme + 3, *end = target.p + target.n, *p = begin;
    for (; p < end && *p != '/' && *p != '?' && *p != '#'; p++)
        if (*p == '@')
            begin = p + 1;
    return slice_of(begin, (size_t)(p - begin));
}

/* The protocol that an Upgrade field asks for or grants (RFC 9110 section 7.8, RFC 6455, RFC 7540 section 3.2, RFC
 * 2817). */
static enum app_protocol upgrade_of(struct slice s)
{
    if (text_is(s, "websocket"))
        return APP_WEBSOCKET;
    if (text_is(s, "h2c"))
        return APP_HTTP2;
    return s.n > 4 && g_ascii_strncasecmp((const char *)s.p, "tls/", 4) == 0 ? APP_TLS : APP_UNKNOWN;
}

static void keep_target(struct app_http *h, struct http_transaction *t, struct slice target)
{
    http_keep_text(h, t, &t->target, target);
    struct slice authority = authority_of(target);
    if (authority.n > 0)
        http_keep_text(h, t, &t->host, authority);
}

/* The text collected so far is whole: it goes where it belongs. Of a field that comes twice the first one counts. */
static void finish_text(struct app_http *h, struct http_half *half)
{
    struct http_transaction *t = half->now;
    struct slice value = http_text_value(&half->text);
    if (half->field == FIELD_UPGRADE)
        half->upgrade = upgrade_of(value);
    else if (half->field == FIELD_TARGET && t)
        keep_target(h, t, value);
    else if (half->field == FIELD_REASON && t && value.n > 0)
        http_keep_text(h, t, &t->reason, value);
    else if (half->field == FIELD_HOST && t && !t->host)
        http_keep_text(h, t, &t->host, value);
    else if (half->field == FIELD_LOCATION && t && !t->location) {
        http_keep_text(h, t, &t->location, value);
        h->facts->redirects = true;
    }
    http_text_clear(&half->text);
    half->field = FIELD_NONE;
}

/* The start line is whole. False: not HTTP/1 (an HTTP/0.9 request has no version). */
static bool finish_start_line(http_parser *parser)
{
    struct http_half *half = half_of(parser);
    if (half->start_line_known)
        return true;
    half->start_line_known = true;
    finish_text(http_of(parser), half);
    if (parser->http_major != 1 || parser->http_minor > 9)
        return false;
    if (half->now && !half->now->version) {
        const char version[] = { '1', '.', (char)('0' + parser->http_minor) };
        http_keep_text(http_of(parser), half->now, &half->now->version, slice_of(version, sizeof version));
    }
    if (half->now && parser->type == HTTP_RESPONSE)
        half->now->status = parser->status_code;
    return true;
}

static int on_url(http_parser *parser, const char *at, size_t n)
{
    struct http_half *half = half_of(parser);
    half->field = FIELD_TARGET;
    http_text_add(&half->text, slice_of(at, n));
    return 0;
}

static int on_status(http_parser *parser, const char *at, size_t n)
{
    struct http_half *half = half_of(parser);
    half->field = FIELD_REASON;
    http_text_add(&half->text, slice_of(at, n));
    if (half->now)
        half->now->status = parser->status_code; /* already: bytes may be missing behind it */
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t n)
{
    struct http_half *half = half_of(parser);
    if (half->phase == PHASE_BODY)
        return 0; /* a trailer */
    if (!finish_start_line(parser))
        return -1;
    if (half->in_value) {
        finish_text(http_of(parser), half);
        half->in_value = false;
        half->n_word = 0;
    }
    if (n > LIMIT_HTTP_METHOD - (size_t)half->n_word) {
        half->n_word = LIMIT_HTTP_METHOD; /* no name that is looked for is so long */
        return 0;
    }
    memcpy(half->word + half->n_word, at, n);
    half->n_word += (uint8_t)n;
    return 0;
}

/* Which field of interest has the name in half->word. */
static enum http_field field_named(const struct http_half *half, unsigned type)
{
    struct slice name = slice_of(half->word, half->n_word);
    if (text_is(name, "upgrade"))
        return FIELD_UPGRADE;
    if (type == HTTP_REQUEST)
        return half->now && text_is(name, "host") ? FIELD_HOST : FIELD_NONE;
    return half->now && text_is(name, "location") ? FIELD_LOCATION : FIELD_NONE;
}

static int on_header_value(http_parser *parser, const char *at, size_t n)
{
    struct http_half *half = half_of(parser);
    if (half->phase == PHASE_BODY)
        return 0;
    if (!half->in_value) {
        half->in_value = true;
        half->field = field_named(half, parser->type);
    }
    if (half->field != FIELD_NONE)
        http_text_add(&half->text, slice_of(at, n));
    return 0;
}

/* --- the end of the head, the body --- */

static bool is_connect(const struct http_transaction *t)
{
    return t && t->method && strcmp(t->method, "CONNECT") == 0;
}

static int request_head(struct http_half *half, struct app_http *h)
{
    struct http_transaction *t = half->now;
    if (is_connect(t) && !t->host && t->target)
        http_keep_text(h, t, &t->host, slice_of(t->target, strlen(t->target)));
    half->phase = PHASE_BODY;
    return 0;
}

/* Whether the answer gives the connection to another protocol (RFC 9110 sections 9.3.6 and 15.2.2). */
static bool answer_hands_over(struct app_http *h, const struct http_half *half)
{
    if (half->parser.status_code == 101)
        h->handed_to = half->upgrade != APP_UNKNOWN ? half->upgrade : h->half[CLIENT].upgrade;
    else if (half->parser.status_code / 100 != 2 || !is_connect(half->now))
        return false;
    h->handed_over = true;
    if (half->now)
        half->now->tunnel = true;
    return true;
}

/* RFC 9112 section 6.3: an answer to HEAD, 1xx, 204 and 304 have no body, whatever the fields say. */
static bool answer_has_no_body(const struct http_half *half)
{
    unsigned status = half->parser.status_code;
    bool head = half->now && half->now->method && strcmp(half->now->method, "HEAD") == 0;
    return head || status / 100 == 1 || status == 204 || status == 304;
}

/* Returns what the parser wants to know: 2 another protocol follows, 1 there is no body, 0 go on. */
static int answer_head(struct http_half *half, struct app_http *h)
{
    const http_parser *parser = &half->parser;
    struct http_half *client = &h->half[CLIENT];
    half->phase = PHASE_BODY;
    if (answer_hands_over(h, half))
        return 2;
    if (client->phase == PHASE_HOLDING && client->now == half->now && parser->status_code / 100 != 1)
        h->release = true;
    bool chunked = parser->flags & F_CHUNKED;
    bool announced = (parser->flags & F_CONTENTLENGTH) && !chunked;
    if (half->now)
        half->now->announced_bytes = announced ? parser->content_length : UINT64_MAX;
    if (answer_has_no_body(half))
        return 1;
    if (!chunked && (parser->uses_transfer_encoding || !(parser->flags & F_CONTENTLENGTH)))
        half->phase = PHASE_UNTIL_CLOSE;
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct http_half *half = half_of(parser);
    struct app_http *h = http_of(parser);
    if (!finish_start_line(parser))
        return -1;
    finish_text(h, half);
    return parser->type == HTTP_REQUEST ? request_head(half, h) : answer_head(half, h);
}

void http_message_count(struct http_half *half, enum side from, uint64_t n)
{
    if (!half->now)
        return;
    if (from == CLIENT)
        half->now->request_bytes += n;
    else
        half->now->response_bytes += n;
}

static int on_body(http_parser *parser, const char *at, size_t n)
{
    (void)at;
    http_message_count(half_of(parser), (enum side)parser->type, n);
    return 0;
}

static int on_chunk_header(http_parser *parser)
{
    half_of(parser)->in_chunk = parser->content_length > 0;
    return 0;
}

static int on_chunk_complete(http_parser *parser)
{
    half_of(parser)->in_chunk = false;
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    half_of(parser)->ended = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_status = on_status,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = on_chunk_header,
    .on_chunk_complete = on_chunk_complete,
};

static void message_prepare(struct app_http *h, struct http_half *half, enum side from)
{
    http_parser_init(&half->parser, (enum http_parser_type)from);
    half->parser.data = h;
    half->parser.lenient_http_headers = 1; /* an observer takes what the two ends take */
    half->parser.allow_chunked_length = 1; /* chunked wins over Content-Length: RFC 9112 section 6.3 */
    half->phase = PHASE_HEAD;
    half->field = FIELD_NONE;
    half->upgrade = APP_UNKNOWN;
    half->in_value = half->start_line_known = half->ended = half->in_chunk = false;
}

void http_message_begin(struct app_http *h, enum side from)
{
    struct http_half *half = &h->half[from];
    const char *word = "HTTP/1.";
    message_prepare(h, half, from);
    if (from == SERVER) {
        http_answer_begin(h);
    } else {
        http_request_begin(h);
        word = text_is(slice_of(half->word, half->n_word), "connect") ? "CONNECT" : "GET";
    }
    http_parser_execute(&half->parser, &settings, word, strlen(word));
    half->n_word = 0; /* from now on it holds names of header fields */
}

size_t http_message_read(struct app_http *h, enum side from, struct slice s)
{
    struct http_half *half = &h->half[from];
    half->parser.nread = 0;
    size_t n = http_parser_execute(&half->parser, &settings, (const char *)s.p, MIN(s.n, PARSE_AT_ONCE));
    if (half->ended)
        return n;
    if (HTTP_PARSER_ERRNO(&half->parser) == HPE_OK)
        return n;
    http_text_clear(&half->text);
    half->phase = PHASE_LOST;
    return s.n;
}

uint64_t http_message_left(const struct http_half *half)
{
    if (half->phase != PHASE_BODY || ((half->parser.flags & F_CHUNKED) && !half->in_chunk))
        return 0;
    return half->parser.content_length == UINT64_MAX ? 0 : half->parser.content_length;
}
