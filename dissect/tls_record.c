/* The record layer from the outside (RFC 8446 section 5.1): headers are read, bodies are stepped over, and the
 * handshake messages that are wanted are put together across records and segments. */
#include "dissect/tls_internal.h"

#include <string.h>

/* Whether the first n bytes (up to 5) of a record header can be one. */
static bool header_fits(const uint8_t *head, size_t n)
{
    if (n >= 1 && (head[0] < TLS_CHANGE_CIPHER_SPEC || head[0] > TLS_HEARTBEAT))
        return false;
    if (n >= 2 && head[1] != 3)
        return false;
    if (n >= 3 && head[2] > 4)
        return false;
    return n < 5 || (head[3] << 8 | head[4]) <= TLS_RECORD_MAX;
}

/* The same for what stands behind the first record, as far as it is there, and with the first record's version. */
static bool next_header_fits(struct slice data)
{
    size_t length = TLS_RECORD_HEADER + (size_t)(data.p[3] << 8 | data.p[4]);
    if (data.n <= length)
        return true;
    size_t n = MIN(data.n - length, TLS_RECORD_HEADER);
    return header_fits(data.p + length, n) && (n < 3 || data.p[length + 2] == data.p[2]);
}

/* --- recognition --- */

/* An SSL 2.0 ClientHello (RFC 6101 appendix E): 2 bytes length, 1, version, and the three lengths that must add up
 * to it. */
static int recognise_ssl2(struct slice first)
{
    struct cursor c = cursor_of(first);
    size_t length = cursor_u16(&c) & 0x7fffu;
    if (cursor_u8(&c) != 1 && !c.failed)
        return -1;
    unsigned version = cursor_u16(&c);
    if (!c.failed && version != 0x0002 && (version >> 8 != 3 || (version & 0xff) > 4))
        return -1;
    size_t ciphers = cursor_u16(&c), session = cursor_u16(&c), challenge = cursor_u16(&c);
    if (c.failed)
        return 0;
    bool fits = ciphers > 0 && ciphers % 3 == 0 && session <= 32 && challenge >= 16 && challenge <= 32;
    return fits && length == 9 + ciphers + session + challenge ? 1 : -1;
}

/* The first bytes of a handshake record in clear: a ClientHello or a ServerHello, its length, its version. */
static int recognise_hello(const uint8_t *body, size_t n)
{
    if (n >= 1 && body[0] != TLS_CLIENT_HELLO && body[0] != TLS_SERVER_HELLO)
        return -1;
    if (n >= 2 && (body[1] << 16) >= (int)LIMIT_TLS_HANDSHAKE)
        return -1;
    if (n < 5)
        return 0;
    return body[4] == 3 || body[4] == 0x7f ? 1 : -1;
}

/* A record whose content says nothing: it must end where the data ends, or be followed by another, or be long. */
static int recognise_protected(struct slice first, size_t length)
{
    if (length < TLS_ENCRYPTED_ALERT_MIN && !(first.p[0] == TLS_APPLICATION && length >= 3 + 8))
        return -1;
    return next_header_fits(first) ? 1 : -1;
}

int app_tls_recognise(struct slice first, enum side from)
{
    if (first.n == 0)
        return 0;
    if (first.p[0] & 0x80)
        return from == CLIENT ? recognise_ssl2(first) : -1;
    if (first.p[0] == TLS_HEARTBEAT || !header_fits(first.p, MIN(first.n, TLS_RECORD_HEADER)))
        return -1;
    if (first.n < TLS_RECORD_HEADER)
        return 0;
    size_t length = (size_t)(first.p[3] << 8 | first.p[4]), have = first.n - TLS_RECORD_HEADER;
    const uint8_t *body = first.p + TLS_RECORD_HEADER;
    if (length == 0)
        return -1;
    switch (first.p[0]) {
    case TLS_HANDSHAKE: {
        int hello = recognise_hello(body, MIN(have, length));
        if (hello == 0 && have >= length)
            hello = length < 5 && next_header_fits(first) ? 1 : -1; /* a hello cut into tiny records */
        return hello >= 0 ? hello : recognise_protected(first, length);
    }
    case TLS_CHANGE_CIPHER_SPEC:
        if (have == 0)
            return 0;
        return length == 1 && body[0] == 1 && next_header_fits(first) ? 1 : -1;
    case TLS_ALERT_RECORD:
        if (length == 2 && have < 2)
            return 0;
        if (length == 2)
            return (body[0] == 1 || body[0] == 2) && next_header_fits(first) ? 1 : -1;
        break;
    }
    return recognise_protected(first, length);
}

/* --- handshake messages --- */

static void message_forget(struct tls_half *h)
{
    g_free(h->message);
    h->message = NULL;
    h->message_have = h->message_room = h->message_left = 0;
    h->n_start = 0;
    h->collecting = false;
}

void tls_message_abandon(struct app_tls *t, enum side from)
{
    struct tls_half *h = &t->half[from];
    struct app_bytes last = { .from = from, .ts_ns = h->last_ts_ns, .packet = h->last_packet };
    uint8_t type = h->type == TLS_SSL2 ? TLS_SSL2 : h->start[0];
    if (h->collecting)
        tls_message(t, &last, type, slice_of(h->message, h->message_have), false);
    message_forget(h);
}

/* Adds to the collected bytes; the buffer grows with what has come, not with what was announced. */
static void message_append(struct tls_half *h, struct slice s)
{
    if (h->message_room - h->message_have < s.n) {
        h->message_room = MAX((uint32_t)(h->message_have + s.n), h->message_room * 2);
        h->message = g_realloc(h->message, h->message_room);
    }
    memcpy(h->message + h->message_have, s.p, s.n);
    h->message_have += (uint32_t)s.n;
}

/* The message's last byte was taken: piece is what came of it last. */
static void message_complete(struct app_tls *t, const struct app_bytes *b, struct slice piece)
{
    struct tls_half *h = &t->half[b->from];
    uint8_t type = h->type == TLS_SSL2 ? TLS_SSL2 : h->start[0];
    if (h->collecting) {
        if (h->message_have > 0) {
            message_append(h, piece);
            piece = slice_of(h->message, h->message_have);
        }
        tls_message(t, b, type, piece, true);
    }
    message_forget(h);
}

/* Takes bytes of the current message's body from c. */
static void message_body(struct app_tls *t, const struct app_bytes *b, struct cursor *c)
{
    struct tls_half *h = &t->half[b->from];
    struct slice piece = cursor_take(c, MIN(cursor_left(c), h->message_left));
    h->message_left -= (uint32_t)piece.n;
    if (h->message_left == 0)
        message_complete(t, b, piece);
    else if (h->collecting && piece.n)
        message_append(h, piece);
}

/* Handshake bytes in clear. */
static void handshake_bytes(struct app_tls *t, const struct app_bytes *b, struct slice bytes)
{
    struct tls_half *h = &t->half[b->from];
    struct cursor c = cursor_of(bytes);
    while (cursor_left(&c) > 0 && !h->messages_lost) {
        if (h->n_start < TLS_MESSAGE_HEADER) {
            h->start[h->n_start++] = cursor_u8(&c);
            if (h->n_start < TLS_MESSAGE_HEADER)
                continue;
            h->message_left = (uint32_t)h->start[1] << 16 | (uint32_t)h->start[2] << 8 | h->start[3];
            h->collecting = tls_message_begin(t, b->from, h->start[0], h->message_left);
            if (h->message_left > 0)
                continue;
        }
        message_body(t, b, &c);
    }
}

/* n bytes of handshake messages are missing. */
static void handshake_gap(struct app_tls *t, enum side from, uint64_t n)
{
    struct tls_half *h = &t->half[from];
    bool inside = h->n_start == TLS_MESSAGE_HEADER && n <= h->message_left;
    uint32_t left = inside ? h->message_left - (uint32_t)n : 0;
    uint8_t type = h->start[0];
    tls_message_abandon(t, from);
    if (!inside) {
        h->messages_lost = true;
    } else if (left > 0) {
        h->n_start = TLS_MESSAGE_HEADER;
        h->start[0] = type;
        h->message_left = left;
    }
}

/* --- records --- */

static void alert_bytes(struct app_tls *t, const struct app_bytes *b, struct slice bytes)
{
    struct tls_half *h = &t->half[b->from];
    for (size_t i = 0; i < bytes.n; i++) {
        h->alert[h->n_alert++] = bytes.p[i];
        if (h->n_alert == 2) {
            h->n_alert = 0;
            tls_clear_alert(t, b, h->alert[0], h->alert[1]);
        }
    }
}

/* Whether the body of the record that begins can be read. */
static bool body_is_clear(const struct app_tls *t, const struct tls_half *h)
{
    switch (h->type) {
    case TLS_ALERT_RECORD: return h->body_len < TLS_ENCRYPTED_ALERT_MIN;
    case TLS_HANDSHAKE: return !h->change_cipher || tls_is_13(t->facts->version);
    case TLS_SSL2: return true;
    default: return false;
    }
}

static void record_end(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_half *h = &t->half[b->from];
    h->in_body = false;
    h->n_head = 0;
    tls_record_done(t, b);
}

/* The header is complete and plausible. */
static void record_begin(struct app_tls *t, const struct app_bytes *b, uint8_t type, uint16_t length)
{
    struct tls_half *h = &t->half[b->from];
    h->records++;
    h->type = type;
    h->body_len = h->body_left = length;
    h->in_body = true;
    h->alert_noted = false;
    h->body_clear = body_is_clear(t, h);
    if (type == TLS_SSL2) {
        h->collecting = true;
        h->n_start = TLS_MESSAGE_HEADER;
        h->message_left = length;
    }
    if (type == TLS_APPLICATION)
        tls_application_begin(t, b);
    if (length == 0)
        record_end(t, b);
}

/* SSL 2.0 records have two bytes in front; only the hellos may come so. */
static bool may_be_ssl2(const struct app_tls *t, const struct tls_half *h)
{
    return h->records == 0 && !h->gapped && (h == &t->half[t->client] ? !t->facts->client_hello : t->ssl2_hello);
}

/* Takes the next byte of a record header. */
static void record_header(struct app_tls *t, const struct app_bytes *b, struct cursor *c)
{
    struct tls_half *h = &t->half[b->from];
    h->head[h->n_head++] = cursor_u8(c);
    if (h->head[0] & 0x80 && may_be_ssl2(t, h)) {
        unsigned length = (unsigned)(h->head[0] & 0x7f) << 8 | h->head[1];
        if (h->n_head == 2 && length == 0)
            tls_not_a_record(t, b);
        else if (h->n_head == 2)
            record_begin(t, b, TLS_SSL2, (uint16_t)length);
        return;
    }
    if (!header_fits(h->head, h->n_head))
        tls_not_a_record(t, b);
    else if (h->n_head == TLS_RECORD_HEADER)
        record_begin(t, b, h->head[0], (uint16_t)(h->head[3] << 8 | h->head[4]));
}

/* Takes what is there of the record's body. */
static void record_body(struct app_tls *t, const struct app_bytes *b, struct cursor *c)
{
    struct tls_half *h = &t->half[b->from];
    struct slice piece = cursor_take(c, MIN(cursor_left(c), h->body_left));
    h->body_left -= (uint16_t)piece.n;
    if (h->body_clear && h->type == TLS_HANDSHAKE) {
        handshake_bytes(t, b, piece);
    } else if (h->body_clear && h->type == TLS_ALERT_RECORD) {
        alert_bytes(t, b, piece);
    } else if (h->type == TLS_SSL2) {
        struct cursor body = cursor_of(piece);
        message_body(t, b, &body);
    }
    if (h->body_left == 0)
        record_end(t, b);
}

/* Behind a gap: whether a record begins here, which a record header shows, and the next one where it is there. */
static void resynchronise(struct tls_half *h, struct slice data)
{
    h->resync = false;
    h->messages_lost = true;
    h->lost = data.n < TLS_RECORD_HEADER || !header_fits(data.p, TLS_RECORD_HEADER) ||
              (data.p[3] == 0 && data.p[4] == 0) || !next_header_fits(data);
}

void tls_records(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_half *h = &t->half[b->from];
    struct cursor c = cursor_of(b->data);
    if (h->resync && b->data.n > 0)
        resynchronise(h, b->data);
    while (cursor_left(&c) > 0 && !h->lost) {
        if (h->in_body)
            record_body(t, b, &c);
        else
            record_header(t, b, &c);
    }
}

void tls_records_gap(struct app_tls *t, const struct app_bytes *where, uint64_t n)
{
    struct tls_half *h = &t->half[where->from];
    h->gapped = true;
    if (h->in_body && h->type != TLS_SSL2 && n <= h->body_left) {
        if (h->body_clear && h->type == TLS_HANDSHAKE)
            handshake_gap(t, where->from, n);
        h->n_alert = 0;
        h->body_left -= (uint16_t)n;
        if (h->body_left == 0)
            record_end(t, where);
        return;
    }
    tls_message_abandon(t, where->from);
    h->in_body = false;
    h->n_head = h->n_alert = 0;
    h->resync = true;
}
