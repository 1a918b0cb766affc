/* app_http_message: one HTTP message: its head cut into lines here, what follows it through http-parser.
 *
 * The start line and the fields that are kept are read here; http-parser gets a start line of ours, the fields that tell
 * how long the message is and what follows it, and everything behind the head. So its list of methods, its limit for a
 * header and its price for a byte concern the lines that mean something only. Each message begins with a copy of a parser
 * that has just read a start line, and its count of header bytes is set back before each call.
 */
#include "dissect/app_http_parts.h"

#include <string.h>

_Static_assert((int)HTTP_REQUEST == CLIENT && (int)HTTP_RESPONSE == SERVER, "parser types are sides");

/* Bytes given to the parser at once: below its limit for a header (80 KB), which it counts within a call. */
#define PARSE_AT_ONCE 65536

static struct app_http *http_of(const http_parser *parser)
{
    return parser->data;
}

static struct http_half *half_of(const http_parser *parser)
{
    return &http_of(parser)->half[parser->type];
}

/* lower: letters and what has no case. */
static bool text_is(struct slice s, const char *lower)
{
    size_t i = 0;
    while (i < s.n && lower[i] && (s.p[i] | 0x20) == lower[i])
        i++;
    return i == s.n && !lower[i];
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

static bool is_connect_word(const struct http_half *half)
{
    return text_is(slice_of(half->word, half->n_word), "connect");
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
    return parser->type == HTTP_REQUEST ? request_head(half, http_of(parser)) : answer_head(half, http_of(parser));
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
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = on_chunk_header,
    .on_chunk_complete = on_chunk_complete,
};

/* --- the parser --- */

/* Parsers that have just read a start line. */
enum parsing { PARSING_REQUEST, PARSING_CONNECT, PARSING_ANSWER, PARSINGS };

/* Made once and never changed: all messages begin with a copy of one of them. */
static const http_parser *started(enum parsing what)
{
    static const char *const lines[PARSINGS] = { "GET / HTTP/1.1\r\n", "CONNECT x:1 HTTP/1.1\r\n",
                                                 "HTTP/1.1 200 OK\r\n" };
    static http_parser parsers[PARSINGS];
    static gsize made;
    if (g_once_init_enter(&made)) {
        for (int i = 0; i < PARSINGS; i++) {
            http_parser_init(&parsers[i], i == PARSING_ANSWER ? HTTP_RESPONSE : HTTP_REQUEST);
            parsers[i].lenient_http_headers = 1; /* an observer takes what the two ends take */
            parsers[i].allow_chunked_length = 1; /* chunked wins over Content-Length: RFC 9112 section 6.3 */
            http_parser_execute(&parsers[i], &settings, lines[i], strlen(lines[i]));
        }
        g_once_init_leave(&made, 1);
    }
    return &parsers[what];
}

/* The start line is ours to read: the parser need not know its target and its reason. */
static void begin_parsing(struct app_http *h, struct http_half *half, enum parsing what)
{
    half->parser = *started(what);
    half->parser.data = h;
}

/* Gives bytes to the parser. False: they are not HTTP, or the message is whole with them. */
static bool parse(struct http_half *half, struct slice s, size_t *consumed)
{
    half->parser.nread = 0;
    *consumed = http_parser_execute(&half->parser, &settings, (const char *)s.p, s.n);
    if (half->ended || HTTP_PARSER_ERRNO(&half->parser) == HPE_OK)
        return !half->ended;
    half->phase = PHASE_LOST;
    return false;
}

static bool parse_text(struct http_half *half, const char *text, size_t n)
{
    size_t consumed;
    return parse(half, slice_of(text, n), &consumed);
}

/* --- lines of the head --- */

/* Keeps a piece of a line whose end is not there; of a line that is too long its beginning. */
static void hold(struct http_half *half, struct slice piece)
{
    if (!half->line)
        half->line = g_string_sized_new(piece.n + 64);
    size_t room = LIMIT_HTTP_VALUE - MIN(half->line->len, LIMIT_HTTP_VALUE);
    g_string_append_len(half->line, (const char *)piece.p, (gssize)MIN(piece.n, room));
}

/* The line that ends with this piece, its line feed included. */
static struct slice whole_line(struct http_half *half, struct slice piece)
{
    if (!half->line || half->line->len == 0)
        return piece;
    hold(half, slice_of(piece.p, piece.n - 1));
    g_string_append_c(half->line, '\n');
    return slice_of(half->line->str, half->line->len);
}

void http_line_clear(struct http_half *half)
{
    if (half->line)
        g_string_truncate(half->line, 0);
}

/* --- start line and header fields --- */

static struct slice trim(struct slice s)
{
    for (; s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'); s = slice_of(s.p + 1, s.n - 1))
        continue;
    for (; s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'); s.n--)
        continue;
    return s;
}

static void keep_version(struct app_http *h, struct http_transaction *t, char minor)
{
    const char version[] = { '1', '.', minor };
    if (t && !t->version)
        http_keep_text(h, t, &t->version, slice_of(version, sizeof version));
}

/* " /path HTTP/1.1" behind the method. The parser is told of another target: of this one it need not know anything. */
static void request_line(struct app_http *h, struct http_half *half, struct slice line)
{
    static const char version[] = " HTTP/1.";
    const size_t n_version = sizeof version; /* and the minor version */
    bool known = line.n > n_version && memcmp(line.p + line.n - n_version, version, n_version - 1) == 0 &&
                 g_ascii_isdigit(line.p[line.n - 1]);
    struct slice target = known ? trim(slice_of(line.p, line.n - n_version)) : slice_of(NULL, 0);
    if (target.n == 0) { /* an HTTP/0.9 request has no version */
        half->phase = PHASE_LOST;
        return;
    }
    char minor = (char)line.p[line.n - 1];
    if (half->now) {
        keep_target(h, half->now, target);
        keep_version(h, half->now, minor);
    }
    begin_parsing(h, half, is_connect_word(half) ? PARSING_CONNECT : PARSING_REQUEST);
}

/* "1 200 OK" behind "HTTP/1.": the status, 0 where it is none or, of a line that is not whole, not known to be whole.
 * *reason: what follows it. */
static int read_status(struct slice line, bool is_whole, struct slice *reason)
{
    size_t i = 1;
    int status = 0, digits = 0;
    if (line.n < 2 || line.p[1] != ' ')
        return 0;
    while (i < line.n && line.p[i] == ' ')
        i++;
    for (; i < line.n && g_ascii_isdigit(line.p[i]) && digits < 3; i++, digits++)
        status = 10 * status + (line.p[i] - '0');
    bool ends = i == line.n ? is_whole : line.p[i] == ' ' || line.p[i] == '\r';
    if (digits == 0 || !ends)
        return 0;
    *reason = trim(slice_of(line.p + i, line.n - i));
    return status;
}

static void answer_line(struct app_http *h, struct http_half *half, struct slice line)
{
    struct slice reason;
    int status = read_status(line, true, &reason);
    if (status == 0 || !g_ascii_isdigit(line.p[0])) {
        half->phase = PHASE_LOST;
        return;
    }
    if (half->now) {
        half->now->status = status;
        keep_version(h, half->now, (char)line.p[0]);
        if (reason.n > 0)
            http_keep_text(h, half->now, &half->now->reason, reason);
    }
    h->facts->remarks += status >= 400;
    begin_parsing(h, half, PARSING_ANSWER);
    half->parser.status_code = (unsigned)status;
}

/* What is known of a start line before it is whole: bytes may be missing behind it. */
static void early_status(struct http_half *half)
{
    struct slice reason;
    int status = read_status(slice_of(half->line->str, half->line->len), false, &reason);
    if (half->now && status)
        half->now->status = status;
}

/* What a field tells us. Of one that comes twice the first one counts. */
static void keep_field(struct app_http *h, struct http_half *half, struct slice name, struct slice value)
{
    struct http_transaction *t = half->now;
    bool request = half->parser.type == HTTP_REQUEST;
    if (name.n == 4 && request && t && !t->host && text_is(name, "host")) {
        http_keep_text(h, t, &t->host, trim(value));
    } else if (name.n == 7 && text_is(name, "upgrade")) {
        half->upgrade = upgrade_of(trim(value));
    } else if (name.n == 8 && !request && t && !t->location && text_is(name, "location")) {
        http_keep_text(h, t, &t->location, trim(value));
        h->facts->redirects = true;
    }
}

/* That of nearly every message: nothing follows from it for an observer. */
static bool says_how_to_close(struct slice value)
{
    return text_is(value, "keep-alive") || text_is(value, "close");
}

/* The fields that tell the parser how long the message is and what follows it. */
static bool is_for_parser(struct slice name, struct slice value)
{
    switch (name.n) {
    case 7: return text_is(name, "upgrade");
    case 10: return text_is(name, "connection") && !says_how_to_close(trim(value));
    case 14: return text_is(name, "content-length");
    case 16: return text_is(name, "proxy-connection");
    case 17: return text_is(name, "transfer-encoding");
    default: return false;
    }
}

/* The characters of nearly all names of fields (RFC 9110 section 5.6.2 has more). */
static const bool in_name[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['_'] = true, ['.'] = true,
};

/* A header field, or what a folded one goes on with (RFC 9112 section 5.2). The parser takes some 20 instructions for
 * a byte, and most bytes of a head mean nothing to anybody here: it gets the fields that it needs, and what is
 * malformed, which is its to judge. */
static void field_line(struct app_http *h, struct http_half *half, struct slice raw, struct slice line)
{
    size_t n = 0;
    while (n < line.n && in_name[line.p[n]])
        n++;
    bool folded = line.p[0] == ' ' || line.p[0] == '\t', named = n > 0 && n < line.n && line.p[n] == ':';
    if (named) {
        struct slice name = slice_of(line.p, n), value = slice_of(line.p + n + 1, line.n - n - 1);
        half->parsing_field = is_for_parser(name, value);
        keep_field(h, half, name, value);
    }
    if (named || folded ? half->parsing_field : true)
        parse_text(half, (const char *)raw.p, raw.n);
}

/* raw ends with a line feed. */
static void take_line(struct app_http *h, enum side from, struct slice raw)
{
    struct http_half *half = &h->half[from];
    struct slice line = slice_of(raw.p, raw.n - 1);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (half->start_line_known) {
        if (line.n > 0)
            field_line(h, half, raw, line);
        else
            parse_text(half, "\r\n", 2);
        return;
    }
    half->start_line_known = true;
    if (from == CLIENT)
        request_line(h, half, line);
    else
        answer_line(h, half, line);
}

static size_t read_head(struct app_http *h, enum side from, struct slice s)
{
    struct http_half *half = &h->half[from];
    size_t n = 0;
    while (n < s.n && half->phase == PHASE_HEAD && !half->ended) {
        const uint8_t *p = s.p + n, *lf = memchr(p, '\n', s.n - n);
        if (!lf) {
            hold(half, slice_of(p, s.n - n));
            if (!half->start_line_known && from == SERVER)
                early_status(half);
            return s.n;
        }
        size_t piece = (size_t)(lf + 1 - p);
        take_line(h, from, whole_line(half, slice_of(p, piece)));
        http_line_clear(half);
        n += piece;
    }
    return n;
}

/* --- one message --- */

void http_message_begin(struct app_http *h, enum side from)
{
    struct http_half *half = &h->half[from];
    half->phase = PHASE_HEAD;
    half->upgrade = APP_UNKNOWN;
    half->start_line_known = half->parsing_field = half->ended = half->in_chunk = false;
    if (from == SERVER)
        http_answer_begin(h);
    else
        http_request_begin(h);
}

size_t http_message_read(struct app_http *h, enum side from, struct slice s)
{
    struct http_half *half = &h->half[from];
    size_t n;
    if (half->phase == PHASE_HEAD)
        return read_head(h, from, s);
    s.n = MIN(s.n, PARSE_AT_ONCE);
    parse(half, s, &n);
    return half->phase == PHASE_LOST ? s.n : n;
}

uint64_t http_message_left(const struct http_half *half)
{
    if (half->phase != PHASE_BODY || ((half->parser.flags & F_CHUNKED) && !half->in_chunk))
        return 0;
    return half->parser.content_length == UINT64_MAX ? 0 : half->parser.content_length;
}
