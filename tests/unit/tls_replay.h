/* tls_replay: hands a transcript to the TLS dissector in pieces of every kind and puts the facts into one line, to
 * be compared. */
#ifndef TCPSLEUTH_TESTS_TLS_REPLAY_H
#define TCPSLEUTH_TESTS_TLS_REPLAY_H

#include "base/timens.h"
#include "dissect/app_tls.h"
#include "guard.h"
#include "tls_peers.h"

/* A dissector with its facts. */
struct reader {
    struct tls_facts facts;
    struct app_tls *tls;
};

static inline struct reader *reader_new(void)
{
    struct reader *r = g_new0(struct reader, 1);
    r->tls = app_tls_new(&r->facts);
    return r;
}

static inline void reader_free(struct reader *r)
{
    app_tls_free(r->tls);
    tls_facts_clear(&r->facts);
    g_free(r);
}

/* The bytes end at a page that cannot be read; the time is the packet's number in milliseconds. */
static inline void reader_feed(struct reader *r, enum side from, const void *p, size_t n, uint64_t packet)
{
    uint8_t *copy = guard_copy(p, n);
    struct app_bytes b = {
        .from = from, .data = slice_of(copy, n), .ts_ns = (int64_t)packet * NS_PER_MS, .packet = packet
    };
    app_tls_data(r->tls, &b);
    guard_free(copy);
}

static inline void reader_chunk(struct reader *r, const struct transcript *tr, unsigned i)
{
    const struct chunk *c = transcript_chunk(tr, i);
    reader_feed(r, c->from, c->bytes->data, c->bytes->len, i + 1);
}

/* All chunks but the last `less`, then the end of both directions, the client's first. */
static inline struct reader *reader_replay(const struct transcript *tr, unsigned less, enum app_ending how)
{
    struct reader *r = reader_new();
    for (unsigned i = 0; i + less < tr->chunks->len; i++)
        reader_chunk(r, tr, i);
    app_tls_end(r->tls, CLIENT, how, 0);
    app_tls_end(r->tls, SERVER, how, 0);
    return r;
}

/* The facts in one line. */
static inline char *facts_text(const struct tls_facts *f)
{
    GString *s = g_string_new(NULL);
    char name[16];
    g_string_append_printf(s, "%s %s", tls_outcome_name(f->outcome), tls_version_name(f->version, name));
    g_string_append_printf(s, " %s sni=%s alpn=%s ja3=%s ja4=%s", tls_cipher_name(f->cipher, name), f->sni, f->alpn,
                           f->ja3, f->ja4);
    g_string_append_printf(s, " resumed=%d retry=%d hellos=%d%d asked=%d data=%d", f->resumed, f->hello_retry,
                           f->client_hello, f->server_hello, f->certificate_requested, f->application_data);
    g_string_append_printf(s, " packets=%d,%d,%d,%d,%d", (int)f->client_hello_packet, (int)f->server_hello_packet,
                           (int)f->certificate_packet, (int)f->finished_packet, (int)f->not_tls_packet);
    for (unsigned i = 0; i < f->n_alerts; i++)
        g_string_append_printf(s, " alert=%s,%d,%d,%d", side_name(f->alerts[i].from), f->alerts[i].fatal,
                               f->alerts[i].encrypted, f->alerts[i].description);
    if (f->certificate)
        g_string_append_printf(s, " certificate=%s", f->certificate->subject);
    return g_string_free(s, FALSE);
}

#endif
