/* ClientHello and ServerHello (RFC 8446 section 4.1, RFC 5246 section 7.4.1), in the form of SSL 2.0 too (RFC 6101
 * appendix E). */
#include "base/text.h"
#include "dissect/tls_internal.h"

#include <string.h>

enum extension {
    EXT_SERVER_NAME = 0, EXT_GROUPS = 10, EXT_POINT_FORMATS = 11, EXT_SIGNATURES = 13, EXT_ALPN = 16,
    EXT_PRE_SHARED_KEY = 41, EXT_EARLY_DATA = 42, EXT_SUPPORTED_VERSIONS = 43
};

/* RFC 8446 section 4.1.3: a ServerHello with this random is a HelloRetryRequest. */
static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

bool tls_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

bool tls_next_extension(struct cursor *c, uint16_t *type, struct slice *body)
{
    if (cursor_left(c) == 0)
        return false;
    *type = cursor_u16(c);
    *body = cursor_take(c, cursor_u16(c));
    return !c->failed;
}

/* --- ClientHello --- */

/* A vector behind a length of one or two bytes, alone in body; what is there where it is cut short. */
static struct slice list_of(struct slice body, unsigned length_bytes)
{
    struct cursor c = cursor_of(body);
    size_t n = length_bytes == 1 ? cursor_u8(&c) : cursor_u16(&c);
    return cursor_take(&c, MIN(n, cursor_left(&c)));
}

/* The first host_name of a server_name extension (RFC 6066 section 3). */
static struct slice host_name(struct slice body)
{
    struct cursor list = cursor_of(list_of(body, 2));
    while (cursor_left(&list) > 0) {
        uint8_t kind = cursor_u8(&list);
        struct slice name = cursor_take(&list, cursor_u16(&list));
        if (kind == 0)
            return name;
    }
    return slice_of(NULL, 0);
}

/* Keeps the first of each kind. */
static void client_extension(struct tls_client_hello *hello, uint16_t type, struct slice body)
{
    switch (type) {
    case EXT_SERVER_NAME:
        if (!hello->has_name)
            hello->name = host_name(body);
        hello->has_name = true;
        break;
    case EXT_GROUPS:
        if (!hello->groups.n)
            hello->groups = list_of(body, 2);
        break;
    case EXT_POINT_FORMATS:
        if (!hello->formats.n)
            hello->formats = list_of(body, 1);
        break;
    case EXT_SIGNATURES:
        if (!hello->signatures.n)
            hello->signatures = list_of(body, 2);
        break;
    case EXT_ALPN:
        if (!hello->alpn.n)
            hello->alpn = list_of(body, 2);
        break;
    case EXT_SUPPORTED_VERSIONS:
        if (!hello->versions.n)
            hello->versions = list_of(body, 1);
        break;
    case EXT_EARLY_DATA: hello->has_early_data = true; break;
    }
}

void tls_client_hello_parse(struct tls_client_hello *hello, struct slice body)
{
    struct cursor c = cursor_of(body);
    *hello = (struct tls_client_hello){ .version = cursor_u16(&c) };
    cursor_skip(&c, 32);
    hello->session_id = cursor_take(&c, cursor_u8(&c));
    hello->ciphers = cursor_take(&c, cursor_u16(&c));
    cursor_skip(&c, cursor_u8(&c));
    if (cursor_left(&c) == 0) {
        hello->whole = !c.failed; /* SSL 3.0 had no extensions */
        return;
    }
    size_t n = cursor_u16(&c);
    hello->whole = !c.failed && cursor_left(&c) >= n;
    hello->extensions = cursor_take(&c, MIN(n, cursor_left(&c)));
    struct cursor extensions = cursor_of(hello->extensions);
    uint16_t type;
    struct slice extension;
    while (tls_next_extension(&extensions, &type, &extension))
        client_extension(hello, type, extension);
    hello->whole = hello->whole && !extensions.failed;
}

/* Puts a version into the list, highest first; the lowest falls out of a full one. */
static void offer_version(struct tls_facts *f, uint16_t version)
{
    unsigned at = 0;
    while (at < f->n_client_versions && f->client_versions[at] > version)
        at++;
    if (at == TLS_VERSIONS_KEPT || (at < f->n_client_versions && f->client_versions[at] == version))
        return;
    unsigned last = MIN(f->n_client_versions, TLS_VERSIONS_KEPT - 1);
    memmove(f->client_versions + at + 1, f->client_versions + at, (last - at) * sizeof f->client_versions[0]);
    f->client_versions[at] = version;
    f->n_client_versions = last + 1;
}

/* Without the extension the version in front is the highest; it says nothing where the extension may be missing. */
static void offered_versions(struct tls_facts *f, const struct tls_client_hello *hello, bool whole)
{
    struct cursor c = cursor_of(hello->versions);
    while (cursor_left(&c) >= 2) {
        uint16_t version = cursor_u16(&c);
        if (!tls_is_grease(version))
            offer_version(f, version);
    }
    if (f->n_client_versions == 0 && whole)
        offer_version(f, hello->version);
}

/* What every form of ClientHello does. */
static void client_hello_seen(struct app_tls *t, const struct app_bytes *b, size_t bytes)
{
    struct tls_facts *f = t->facts;
    f->client_hello = true;
    f->client_hello_packet = b->packet;
    f->client_hello_ts_ns = b->ts_ns;
    f->client_hello_bytes = bytes;
    t->client = b->from;
}

void tls_client_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice body, bool whole)
{
    struct tls_facts *f = t->facts;
    struct tls_client_hello hello;
    const uint8_t *start = t->half[b->from].start;
    size_t length = (size_t)start[1] << 16 | (size_t)start[2] << 8 | start[3];
    client_hello_seen(t, b, TLS_MESSAGE_HEADER + length);
    tls_client_hello_parse(&hello, body);
    whole = whole && hello.whole;
    offered_versions(f, &hello, whole);
    if (hello.name.n > 0)
        f->sni = text_dup_utf8(hello.name, LIMIT_TLS_NAME);
    t->early_data = hello.has_early_data;
    if (hello.session_id.n <= sizeof t->session_id) {
        t->n_session_id = (uint8_t)hello.session_id.n;
        if (hello.session_id.n > 0)
            memcpy(t->session_id, hello.session_id.p, hello.session_id.n);
    }
    if (whole) {
        f->ja3 = tls_ja3(&hello);
        f->ja4 = tls_ja4(&hello);
    }
}

void tls_ssl2_client_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice message)
{
    struct cursor c = cursor_of(message);
    cursor_skip(&c, 1);
    client_hello_seen(t, b, message.n);
    t->ssl2_hello = true;
    uint16_t version = cursor_u16(&c);
    if (!c.failed)
        offer_version(t->facts, version);
}

/* --- ServerHello --- */

struct server_hello {
    uint16_t version, cipher;
    struct slice random, session_id, alpn;
    bool has_key; /* pre_shared_key: the offered one is used */
};

static void server_extension(struct server_hello *hello, uint16_t type, struct slice body)
{
    struct cursor c = cursor_of(body);
    if (type == EXT_SUPPORTED_VERSIONS) {
        uint16_t version = cursor_u16(&c);
        if (!c.failed)
            hello->version = version;
    } else if (type == EXT_ALPN) {
        struct cursor list = cursor_of(list_of(body, 2));
        hello->alpn = cursor_take(&list, cursor_u8(&list));
    } else if (type == EXT_PRE_SHARED_KEY) {
        hello->has_key = true;
    }
}

/* Whether the fixed part is there. The drafts of TLS 1.3 before 22 showed their version here
 * and had neither session id nor compression method. */
static bool server_hello_parse(struct server_hello *hello, struct slice body)
{
    struct cursor c = cursor_of(body);
    *hello = (struct server_hello){ .version = cursor_u16(&c) };
    bool draft = hello->version >> 8 == 0x7f || hello->version == 0x0304;
    hello->random = cursor_take(&c, 32);
    if (!draft)
        hello->session_id = cursor_take(&c, cursor_u8(&c));
    hello->cipher = cursor_u16(&c);
    if (!draft)
        cursor_skip(&c, 1);
    if (c.failed)
        return false;
    struct cursor extensions = cursor_block(&c, cursor_u16(&c));
    uint16_t type;
    struct slice extension;
    while (tls_next_extension(&extensions, &type, &extension))
        server_extension(hello, type, extension);
    return true;
}

static void server_hello_seen(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_facts *f = t->facts;
    f->server_hello = true;
    f->server_hello_packet = b->packet;
    f->server_hello_ts_ns = b->ts_ns;
    if (!f->client_hello)
        t->client = other_side(b->from);
}

/* A retry says version and cipher for good (RFC 8446 section 4.1.4); the client starts again, without early data. */
static void server_hello_retry(struct app_tls *t, const struct server_hello *hello)
{
    t->facts->hello_retry = true;
    t->facts->version = hello->version;
    t->facts->cipher = hello->cipher;
    t->early_data = false;
}

void tls_server_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice body, bool whole)
{
    struct tls_facts *f = t->facts;
    struct server_hello hello;
    if (!whole || !server_hello_parse(&hello, body)) {
        server_hello_seen(t, b); /* the version may stand in the part that is missing */
        return;
    }
    if (memcmp(hello.random.p, retry_random, sizeof retry_random) == 0) {
        server_hello_retry(t, &hello);
        return;
    }
    server_hello_seen(t, b);
    f->version = hello.version;
    f->cipher = hello.cipher;
    if (hello.alpn.n > 0)
        f->alpn = text_dup_utf8(hello.alpn, LIMIT_TLS_NAME);
    if (tls_is_13(f->version))
        f->resumed = hello.has_key;
    else if (hello.session_id.n > 0 && hello.session_id.n == t->n_session_id)
        f->resumed = memcmp(hello.session_id.p, t->session_id, t->n_session_id) == 0;
}

/* SSL 2.0 lists ciphers here, the client chooses one. */
void tls_ssl2_server_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice message)
{
    struct cursor c = cursor_of(message);
    cursor_skip(&c, 1);
    uint8_t hit = cursor_u8(&c);
    cursor_skip(&c, 1);
    uint16_t version = cursor_u16(&c);
    if (c.failed || version != 0x0002)
        return;
    server_hello_seen(t, b);
    t->facts->version = version;
    t->facts->resumed = hit != 0;
    t->ssl2 = true;
}
