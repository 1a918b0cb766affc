#include "dissect/app_first.h"

#include "base/limits.h"
#include "dissect/dns.h"

#include <string.h>

/* Recognisers return 1 yes, 0 more bytes are needed, -1 no. */

/* Whether s begins with prefix, or could once there is more of it. */
static int begins(struct slice s, const char *prefix)
{
    size_t n = strlen(prefix);
    if (memcmp(s.p, prefix, MIN(n, s.n)) != 0)
        return -1;
    return s.n >= n ? 1 : 0;
}

/* The best of several: yes before perhaps before no. */
static int begins_with_one_of(struct slice s, const char *const prefixes[])
{
    int best = -1;
    for (; *prefixes && best < 1; prefixes++)
        best = MAX(best, begins(s, *prefixes));
    return best;
}

static int both_ssh(struct slice s)
{
    return begins_with_one_of(s, (const char *const[]){ "SSH-1.", "SSH-2.", NULL }); /* RFC 4253 section 4.2 */
}

static int client_http2(struct slice s)
{
    return begins(s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); /* RFC 9113 section 3.4 */
}

/* A SETTINGS frame on stream 0 comes first (RFC 9113 section 3.4): whole settings of 6 bytes, few of them. */
static int server_http2(struct slice s)
{
    struct cursor c = cursor_of(s);
    uint32_t length = cursor_u24(&c);
    uint8_t type = cursor_u8(&c), flags = cursor_u8(&c);
    uint32_t stream = cursor_u32(&c);
    if (!c.failed)
        return length % 6 == 0 && length <= 150 && type == 4 && flags == 0 && stream == 0 ? 1 : -1;
    return s.p[0] == 0 && (s.n < 2 || s.p[1] == 0) && (s.n < 4 || s.p[3] == 4) ? 0 : -1;
}

static int client_smtp(struct slice s)
{
    return begins_with_one_of(s, (const char *const[]){ "EHLO ", "HELO ", "LHLO ", NULL });
}

static int client_ftp(struct slice s)
{
    return begins_with_one_of(s, (const char *const[]){ "AUTH TLS\r\n", "AUTH SSL\r\n", NULL });
}

/* The greetings of SMTP (RFC 5321 section 4.3.2) and FTP (RFC 959 section 5.4), refusals with them. */
static int server_220(struct slice s)
{
    static const char *const codes[] = { "220 ", "220-", "421 ", "421-", "554 ", "554-", "530 ", "530-", NULL };
    return begins_with_one_of(s, codes);
}

/* tag SP command (RFC 9051 section 2.2.1): a command that a client can begin with. */
static int client_imap(struct slice s)
{
    static const char *const commands[] = { "CAPABILITY\r",   "LOGIN ", "STARTTLS\r",
                                            "AUTHENTICATE ", "ID ",    "NOOP\r",  NULL };
    size_t tag = 0;
    while (tag < s.n && tag < 16 && g_ascii_isalnum(s.p[tag]))
        tag++;
    if (tag == s.n)
        return s.n < 16 ? 0 : -1;
    if (tag == 0 || s.p[tag] != ' ')
        return -1;
    return begins_with_one_of(slice_of(s.p + tag + 1, s.n - tag - 1), commands);
}

static int server_imap(struct slice s)
{
    return begins_with_one_of(s, (const char *const[]){ "* OK ", "* PREAUTH ", "* BYE ", NULL });
}

static int client_pop3(struct slice s)
{
    return begins_with_one_of(s, (const char *const[]){ "CAPA\r\n", "STLS\r\n", NULL });
}

static int server_pop3(struct slice s)
{
    return begins(s, "+OK "); /* Redis says +OK without text */
}

static bool is_startup_code(uint32_t code)
{
    enum { CANCEL = 80877102, SSL = 80877103, GSSENC = 80877104 };
    return (code >= 0x30000 && code <= 0x30002) || (code >= CANCEL && code <= GSSENC) || code == SSL;
}

/* PostgreSQL: length, then a protocol version or the code of a request for encryption or cancellation. */
static int client_postgresql(struct slice s)
{
    struct cursor c = cursor_of(s);
    uint32_t length = cursor_u32(&c), code = cursor_u32(&c);
    if (!c.failed)
        return length >= 8 && length <= 10000 && is_startup_code(code) ? 1 : -1;
    return s.p[0] == 0 && (s.n < 2 || s.p[1] == 0) ? 0 : -1;
}

/* PostgreSQL: an authentication request. */
static int server_postgresql(struct slice s)
{
    struct cursor c = cursor_of(s);
    uint8_t type = cursor_u8(&c);
    uint32_t length = cursor_u32(&c), method = cursor_u32(&c);
    if (!c.failed)
        return type == 'R' && length >= 8 && length <= 1024 && method <= 12 ? 1 : -1;
    return type == 'R' && (s.n < 2 || s.p[1] == 0) && (s.n < 3 || s.p[2] == 0) ? 0 : -1;
}

/* MySQL: the first packet of the server has number 0 and is a greeting of protocol 10 or an error. */
static int server_mysql(struct slice s)
{
    struct cursor c = cursor_of(s);
    uint32_t length = cursor_u8(&c);
    length |= (uint32_t)cursor_le16(&c) << 8;
    uint8_t number = cursor_u8(&c), type = cursor_u8(&c), first = cursor_u8(&c), second = cursor_u8(&c);
    bool plausible = length >= 8 && length <= 512 && number == 0;
    if (s.n < 4)
        return s.n < 3 || plausible ? 0 : -1;
    if (!plausible)
        return -1;
    if (c.failed)
        return 0;
    unsigned error = (unsigned)(second << 8 | first);
    bool greeting = type == 10 && g_ascii_isdigit(first) && (g_ascii_isdigit(second) || second == '.');
    return greeting || (type == 0xff && error >= 1000 && error < 5000) ? 1 : -1;
}

/* What stands behind a decimal number and CRLF; *verdict is what can be said if that is nothing. */
static struct slice skip_number(struct slice s, int *verdict)
{
    size_t n = 0;
    while (n < s.n && n < 10 && g_ascii_isdigit(s.p[n]))
        n++;
    struct slice rest = slice_of(s.p + n, s.n - n);
    *verdict = rest.n == 0 ? 0 : n > 0 ? begins(rest, "\r\n") : -1;
    return *verdict > 0 ? slice_of(rest.p + 2, rest.n - 2) : slice_of(NULL, 0);
}

/* Redis: an array of strings, "*1\r\n$4\r\n...". */
static int client_redis(struct slice s)
{
    int verdict;
    if (s.p[0] != '*')
        return -1;
    struct slice rest = skip_number(slice_of(s.p + 1, s.n - 1), &verdict);
    if (verdict <= 0 || rest.n == 0)
        return MIN(verdict, 0);
    if (rest.p[0] != '$')
        return -1;
    skip_number(slice_of(rest.p + 1, rest.n - 1), &verdict);
    return verdict;
}

static int server_redis(struct slice s)
{
    return begins_with_one_of(s, (const char *const[]){ "-NOAUTH ", "-DENIED Redis", NULL });
}

/* DNS over TCP (RFC 7766 section 8): a length, then a message, a query from the client and a response from the
 * server. Its header has to look right before the rest is waited for. */
static int looks_like_dns(struct slice s, bool response)
{
    enum { SHORTEST = 12 + 1 + 4, RESPONSE = 0x8000, OPCODE_AND_Z = 0x7840 };
    struct cursor c = cursor_of(s);
    uint16_t length = cursor_u16(&c);
    cursor_skip(&c, 2);
    uint16_t flags = cursor_u16(&c), questions = cursor_u16(&c);
    bool likely = (flags & (RESPONSE | OPCODE_AND_Z)) == (response ? RESPONSE : 0) && questions == 1;
    if (!c.failed && !response) {
        uint16_t answers = cursor_u16(&c), authorities = cursor_u16(&c), additionals = cursor_u16(&c);
        likely = likely && answers == 0 && authorities <= 1 && additionals <= 2; /* IXFR has an SOA; EDNS, TSIG */
    }
    if ((s.n >= 2 && length < SHORTEST) || (s.n >= 8 && !likely))
        return -1;
    if (s.n < 2 || s.n - 2 < length)
        return 0;
    struct dns_message *m = dns_parse(slice_of(s.p + 2, length));
    dns_message_free(m);
    return m ? 1 : -1;
}

static int client_dns(struct slice s)
{
    return looks_like_dns(s, false);
}

static int server_dns(struct slice s)
{
    return looks_like_dns(s, true);
}

static const struct {
    enum app_protocol protocol;
    int (*client)(struct slice);
    int (*server)(struct slice);
} recognisers[] = {
    { APP_SSH, both_ssh, both_ssh },
    { APP_HTTP2, client_http2, server_http2 },
    { APP_SMTP, client_smtp, NULL },
    { APP_FTP, client_ftp, NULL },
    { APP_UNKNOWN, NULL, server_220 },
    { APP_IMAP, client_imap, server_imap },
    { APP_POP3, client_pop3, server_pop3 },
    { APP_POSTGRESQL, client_postgresql, server_postgresql },
    { APP_MYSQL, NULL, server_mysql },
    { APP_REDIS, client_redis, server_redis },
    { APP_DNS, client_dns, server_dns },
};

int app_first_recognise(struct slice first, enum side from, bool final, enum app_protocol *protocol)
{
    int best = -1;
    *protocol = APP_UNKNOWN;
    if (first.n == 0)
        return final ? -1 : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(recognisers); i++) {
        int (*looks)(struct slice) = from == CLIENT ? recognisers[i].client : recognisers[i].server;
        int verdict = looks ? looks(first) : -1;
        if (verdict > 0) {
            *protocol = recognisers[i].protocol;
            return 1;
        }
        best = MAX(best, verdict);
    }
    return final ? -1 : best;
}
