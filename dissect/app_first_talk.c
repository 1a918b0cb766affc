/* app_first_talk: what is read of the protocols of app_first.h once they are known: the greeting, and the way to
 * TLS. */
#include "dissect/app_first.h"

#include "base/limits.h"
#include "base/text.h"
#include "dissect/app_tls.h"

#include <string.h>

/* The bytes being collected of a direction: a line, or the first message of a binary protocol. */
struct collected {
    uint8_t p[LIMIT_GREETING];
    size_t n;
    bool skip; /* bytes are missing: up to the end of the line they mean nothing */
};

struct app_first {
    struct app_facts *facts;
    enum app_protocol *name;
    uint16_t server_port;
    bool greeted;            /* the server's first line has been read */
    bool handed_over;
    bool done[2];            /* nothing more of that direction is of use */
    uint32_t seen[2];        /* bytes, up to LIMIT_APP_PROBE */
    uint8_t asked;           /* the client asked for TLS; PostgreSQL: 'S' or 'G', what would grant it */
    char tag[17];            /* IMAP: of the STARTTLS command */
    struct collected in[2];
};

struct app_first *app_first_new(struct app_facts *facts, enum app_protocol *name, enum app_protocol protocol,
                                uint16_t server_port)
{
    struct app_first *f = g_new0(struct app_first, 1);
    f->facts = facts;
    f->name = name;
    f->server_port = server_port;
    *name = protocol;
    if (protocol == APP_HTTP2 || protocol == APP_DNS)
        f->done[CLIENT] = f->done[SERVER] = true;
    if (protocol == APP_SSH || protocol == APP_REDIS)
        f->done[CLIENT] = true;
    return f;
}

void app_first_free(struct app_first *f)
{
    g_free(f);
}

bool app_first_handed_over(const struct app_first *f)
{
    return f->handed_over;
}

bool app_first_wants(const struct app_first *f, enum side from)
{
    return !f->done[from];
}

static void finish(struct app_first *f)
{
    f->done[CLIENT] = f->done[SERVER] = true;
}

static void greet(struct app_first *f, struct slice text)
{
    f->greeted = true;
    if (!f->facts->greeting)
        f->facts->greeting = text_dup_utf8(text, LIMIT_GREETING);
}

/* --- protocols of lines --- */

/* Whether the line is this word, or begins with it and a space; case does not matter. */
static bool says(struct slice line, const char *word)
{
    size_t n = strlen(word);
    return line.n >= n && g_ascii_strncasecmp((const char *)line.p, word, n) == 0 && (line.n == n || line.p[n] == ' ');
}

static bool mentions(struct slice line, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= line.n; i++)
        if (g_ascii_strncasecmp((const char *)line.p + i, word, n) == 0)
            return true;
    return false;
}

/* A greeting like "220 host ESMTP Postfix": SMTP or FTP by its words, else by the port as long as nothing better is
 * known. */
static enum app_protocol named_by_greeting(const struct app_first *f, struct slice line)
{
    if (mentions(line, "SMTP") || mentions(line, "mail"))
        return APP_SMTP;
    if (mentions(line, "FTP"))
        return APP_FTP;
    if (f->server_port == 25 || f->server_port == 587 || f->server_port == 2525)
        return APP_SMTP;
    return f->server_port == 21 ? APP_FTP : APP_UNKNOWN;
}

static void server_greets(struct app_first *f, struct slice line)
{
    if (*f->name == APP_REDIS && (line.n == 0 || line.p[0] != '-')) {
        finish(f); /* an answer, not a refusal */
        return;
    }
    greet(f, line);
    if (*f->name == APP_UNKNOWN)
        *f->name = named_by_greeting(f, line);
    if (*f->name == APP_SSH || *f->name == APP_REDIS)
        finish(f);
}

/* The server's answer to STARTTLS and its kin. */
static void server_answers(struct app_first *f, struct slice line)
{
    switch (*f->name) {
    case APP_SMTP:
        f->handed_over = says(line, "220"); /* RFC 3207 section 4; no other command is answered so */
        break;
    case APP_FTP:
        f->handed_over = says(line, "234"); /* RFC 4217 section 4 */
        break;
    case APP_POP3:
        f->handed_over = says(line, "+OK"); /* RFC 2595 section 4 */
        f->asked = says(line, "-ERR") ? 0 : f->asked;
        break;
    case APP_IMAP:
        if (says(line, f->tag)) {
            size_t n = strlen(f->tag) + 1;
            f->handed_over = line.n > n && says(slice_of(line.p + n, line.n - n), "OK"); /* RFC 9051 section 6.2.1 */
            f->asked = 0;
        }
        break;
    default:
        break;
    }
}

/* "tag STARTTLS". */
static bool imap_asks(struct app_first *f, struct slice line)
{
    const uint8_t *space = memchr(line.p, ' ', line.n);
    size_t tag = space ? (size_t)(space - line.p) : 0;
    if (tag == 0 || tag >= sizeof f->tag || !says(slice_of(space + 1, line.n - tag - 1), "STARTTLS"))
        return false;
    memcpy(f->tag, line.p, tag);
    f->tag[tag] = '\0';
    return true;
}

static bool client_asks(struct app_first *f, struct slice line)
{
    switch (*f->name) {
    case APP_SMTP:
        return says(line, "STARTTLS");
    case APP_FTP:
        return says(line, "AUTH TLS") || says(line, "AUTH SSL") || says(line, "AUTH TLS-C");
    case APP_POP3:
        return says(line, "STLS");
    case APP_IMAP:
        return line.n > 0 && imap_asks(f, line);
    default:
        return false;
    }
}

/* A command that only one of SMTP and FTP has says more than the greeting. */
static void named_by_command(struct app_first *f, struct slice line)
{
    static const char *const ftp[] = { "USER", "AUTH TLS", "AUTH SSL", "FEAT", "SYST", "PASS" };
    if (*f->name != APP_UNKNOWN && *f->name != APP_SMTP && *f->name != APP_FTP)
        return;
    if (says(line, "EHLO") || says(line, "HELO") || says(line, "LHLO"))
        *f->name = APP_SMTP;
    for (size_t i = 0; i < G_N_ELEMENTS(ftp); i++)
        if (says(line, ftp[i]))
            *f->name = APP_FTP;
}

static void take_line(struct app_first *f, enum side from, struct slice line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (from == CLIENT) {
        named_by_command(f, line);
        if (client_asks(f, line))
            f->asked = 1;
    } else if (!f->greeted) {
        server_greets(f, line);
    } else if (f->asked) {
        server_answers(f, line);
    }
}

static void collect(struct collected *in, struct slice s)
{
    size_t n = MIN(s.n, sizeof in->p - in->n);
    memcpy(in->p + in->n, s.p, n);
    in->n += n;
}

/* Returns the bytes up to where TLS begins, all where it does not. */
static size_t read_lines(struct app_first *f, enum side from, struct slice s)
{
    struct collected *in = &f->in[from];
    size_t used = 0;
    while (used < s.n && !f->handed_over && !f->done[from]) {
        const uint8_t *begin = s.p + used, *lf = memchr(begin, '\n', s.n - used);
        size_t n = lf ? (size_t)(lf - begin) : s.n - used;
        collect(in, slice_of(begin, n));
        used += n + (lf ? 1 : 0);
        if (!lf)
            break;
        if (!in->skip)
            take_line(f, from, slice_of(in->p, in->n));
        in->n = 0;
        in->skip = false;
    }
    return f->handed_over ? used : s.n;
}

/* --- PostgreSQL --- */

/* The message of an ErrorResponse: fields of a type byte and a string each; M is for people. */
static void postgresql_error(struct app_first *f, struct slice s)
{
    struct cursor c = cursor_of(s);
    cursor_skip(&c, 5);
    for (uint8_t type = cursor_u8(&c); type != 0; type = cursor_u8(&c)) {
        struct slice rest = slice_of(c.p, cursor_left(&c));
        const uint8_t *nul = rest.n ? memchr(rest.p, 0, rest.n) : NULL;
        struct slice value = cursor_take(&c, nul ? (size_t)(nul - rest.p) : rest.n);
        if (type == 'M' && value.n > 0)
            greet(f, value);
        cursor_skip(&c, 1);
    }
}

/* The server's first byte answers a request for encryption; the first message tells whether it refuses. */
static size_t postgresql_server(struct app_first *f, struct slice s)
{
    struct collected *in = &f->in[SERVER];
    if (f->asked && (s.p[0] == 'S' || s.p[0] == 'G' || s.p[0] == 'N')) {
        f->handed_over = s.p[0] == 'S' && f->asked == 'S';
        if (s.p[0] == 'G')
            finish(f);
        f->asked = 0;
        return f->handed_over ? 1 : s.n;
    }
    collect(in, s);
    struct cursor c = cursor_of(slice_of(in->p, in->n));
    uint8_t type = cursor_u8(&c);
    uint32_t length = cursor_u32(&c);
    if (type != 'E') {
        finish(f);
    } else if (!c.failed && (in->n > length || in->n == sizeof in->p)) {
        postgresql_error(f, slice_of(in->p, in->n));
        finish(f);
    }
    return s.n;
}

static size_t postgresql_client(struct app_first *f, struct slice s)
{
    enum { SSL = 80877103, GSSENC = 80877104 };
    struct collected *in = &f->in[CLIENT];
    collect(in, s);
    struct cursor c = cursor_of(slice_of(in->p, in->n));
    cursor_skip(&c, 4);
    uint32_t code = cursor_u32(&c);
    if (c.failed)
        return s.n;
    in->n = 0;
    if (code == SSL || code == GSSENC)
        f->asked = code == SSL ? 'S' : 'G';
    else
        f->done[CLIENT] = true;
    return s.n;
}

/* --- MySQL --- */

/* Behind the number of an error, and perhaps '#' and a state of 5 bytes. */
static struct slice mysql_error_text(struct slice s)
{
    size_t before = s.n > 8 && s.p[2] == '#' ? 8 : MIN(s.n, 2);
    return slice_of(s.p + before, s.n - before);
}

/* Protocol::HandshakeV10 begins with the server's version; an ERR packet has a number and a text. */
static size_t mysql_server(struct app_first *f, struct slice s)
{
    enum { HEADER = 4 };
    struct collected *in = &f->in[SERVER];
    collect(in, s);
    if (in->n <= HEADER)
        return s.n;
    size_t length = in->p[0] | (size_t)in->p[1] << 8; /* at least 8: app_first_recognise */
    struct slice text = slice_of(in->p + HEADER + 1, in->n - HEADER - 1);
    const uint8_t *nul = text.n ? memchr(text.p, 0, text.n) : NULL;
    bool error = in->p[HEADER] == 0xff;
    if (!(error ? in->n >= HEADER + length : nul != NULL) && in->n < sizeof in->p)
        return s.n;
    if (error)
        text = mysql_error_text(slice_of(text.p, MIN(text.n, length - 1)));
    else if (nul)
        text.n = (size_t)(nul - text.p);
    greet(f, text);
    f->done[SERVER] = true;
    return s.n;
}

/* A client that wants TLS sends the first 32 bytes of its answer only, with the flag set, and then a ClientHello. */
static size_t mysql_client(struct app_first *f, struct slice s)
{
    enum { SSL_REQUEST = 4 + 32, CLIENT_SSL = 0x800 };
    struct collected *in = &f->in[CLIENT];
    size_t n = MIN(s.n, SSL_REQUEST - in->n);
    collect(in, slice_of(s.p, n));
    if (in->n < SSL_REQUEST)
        return s.n;
    bool wants_tls = in->p[0] == 32 && in->p[1] == 0 && in->p[2] == 0 && ((in->p[5] << 8) & CLIENT_SSL);
    f->handed_over = wants_tls;
    f->done[CLIENT] = true;
    return wants_tls ? n : s.n;
}

/* --- all of them --- */

/* A client that speaks TLS where the server speaks plainly, or that goes on without waiting for the answer to
 * STARTTLS. */
static bool client_begins_tls(const struct app_first *f, const struct app_bytes *b)
{
    bool expected = f->seen[CLIENT] == 0 || f->asked;
    return b->from == CLIENT && expected && app_tls_recognise(b->data, CLIENT) > 0;
}

size_t app_first_data(struct app_first *f, const struct app_bytes *b)
{
    if (f->handed_over || f->done[b->from] || b->data.n == 0)
        return b->data.n;
    if (client_begins_tls(f, b)) {
        f->handed_over = true;
        return 0;
    }
    f->seen[b->from] += (uint32_t)MIN(b->data.n, LIMIT_APP_PROBE);
    size_t used;
    if (*f->name == APP_POSTGRESQL)
        used = b->from == CLIENT ? postgresql_client(f, b->data) : postgresql_server(f, b->data);
    else if (*f->name == APP_MYSQL)
        used = b->from == CLIENT ? mysql_client(f, b->data) : mysql_server(f, b->data);
    else
        used = read_lines(f, b->from, b->data);
    if (f->seen[b->from] >= LIMIT_APP_PROBE)
        f->done[b->from] = true; /* long past the place for STARTTLS */
    return used;
}

void app_first_end(struct app_first *f, enum side from)
{
    struct collected *in = &f->in[from];
    bool of_lines = *f->name != APP_MYSQL && *f->name != APP_POSTGRESQL;
    if (of_lines && from == SERVER && !f->greeted && !f->done[SERVER] && in->n > 0)
        take_line(f, SERVER, slice_of(in->p, in->n));
}

void app_first_gap(struct app_first *f, enum side from)
{
    app_first_end(f, from);
    if (*f->name == APP_POSTGRESQL || *f->name == APP_MYSQL)
        f->done[from] = true;
    f->in[from].n = 0;
    f->in[from].skip = true;
}
