/* tls_peers: TLS connections made on the spot, between two GnuTLS sessions in memory, and kept as the bytes that
 * each side sent. Certificates are made on the spot too. Keys and randoms differ from run to run; nothing in the
 * tests may depend on them. */
#ifndef TCPSLEUTH_TESTS_TLS_PEERS_H
#define TCPSLEUTH_TESTS_TLS_PEERS_H

#include "base/side.h"

#include <errno.h>
#include <glib.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one side wrote at once; its packet number is its place in the list plus one. */
struct chunk {
    enum side from;
    GByteArray *bytes;
};

/* The bytes of a connection in the order sent. */
struct transcript {
    GArray *chunks; /* struct chunk */
};

static inline struct transcript transcript_new(void)
{
    return (struct transcript){ g_array_new(FALSE, FALSE, sizeof(struct chunk)) };
}

/* Appends to the last chunk where it is of the same side: one flight is one chunk. */
static inline void transcript_add(struct transcript *tr, enum side from, const void *p, size_t n)
{
    struct chunk *last = tr->chunks->len ? &g_array_index(tr->chunks, struct chunk, tr->chunks->len - 1) : NULL;
    if (!last || last->from != from) {
        struct chunk c = { from, g_byte_array_new() };
        g_array_append_val(tr->chunks, c);
        last = &g_array_index(tr->chunks, struct chunk, tr->chunks->len - 1);
    }
    g_byte_array_append(last->bytes, p, (guint)n);
}

static inline const struct chunk *transcript_chunk(const struct transcript *tr, unsigned i)
{
    return &g_array_index(tr->chunks, struct chunk, i);
}

static inline void transcript_free(struct transcript *tr)
{
    for (unsigned i = 0; i < tr->chunks->len; i++)
        g_byte_array_unref(transcript_chunk(tr, i)->bytes);
    g_array_unref(tr->chunks);
}

/* --- certificates --- */

/* GnuTLS must not fail here. */
static inline int must(int result)
{
    if (result < 0) {
        fprintf(stderr, "gnutls: %s\n", gnutls_strerror(result));
        abort();
    }
    return result;
}

struct identity {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

/* A key and all of a certificate but the signature; names: DNS names, NULL-terminated, or NULL for none. */
static inline struct identity identity_draft(const char *dn, const char *const *names, time_t from, time_t to)
{
    struct identity id;
    const char *error;
    must(gnutls_x509_privkey_init(&id.key));
    must(gnutls_x509_privkey_generate(id.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    must(gnutls_x509_crt_init(&id.crt));
    must(gnutls_x509_crt_set_version(id.crt, 3));
    must(gnutls_x509_crt_set_serial(id.crt, "\x01\x02", 2));
    must(gnutls_x509_crt_set_dn(id.crt, dn, &error));
    must(gnutls_x509_crt_set_key(id.crt, id.key));
    must(gnutls_x509_crt_set_activation_time(id.crt, from));
    must(gnutls_x509_crt_set_expiration_time(id.crt, to));
    for (; names && *names; names++)
        must(gnutls_x509_crt_set_subject_alt_name(id.crt, GNUTLS_SAN_DNSNAME, *names, (unsigned)strlen(*names),
                                                  GNUTLS_FSAN_APPEND));
    return id;
}

/* Signs it by the issuer, or by itself where issuer is NULL. Once only. */
static inline void identity_sign(struct identity *id, const struct identity *issuer)
{
    must(gnutls_x509_crt_sign2(id->crt, issuer ? issuer->crt : id->crt, issuer ? issuer->key : id->key,
                               GNUTLS_DIG_SHA256, 0));
}

static inline struct identity identity_new(const char *dn, const char *const *names, time_t from, time_t to,
                                           const struct identity *issuer)
{
    struct identity id = identity_draft(dn, names, from, to);
    identity_sign(&id, issuer);
    return id;
}

/* A new one signed by itself for www.example.org, valid from 2001-09-09 to 2033-05-18. */
static inline struct identity identity_simple(void)
{
    static const char *const names[] = { "www.example.org", "example.org", NULL };
    return identity_new("CN=www.example.org,O=Example", names, 1000000000, 2000000000, NULL);
}

static inline void identity_free(struct identity *id)
{
    gnutls_x509_crt_deinit(id->crt);
    gnutls_x509_privkey_deinit(id->key);
}

static inline GByteArray *identity_der(const struct identity *id)
{
    gnutls_datum_t der;
    must(gnutls_x509_crt_export2(id->crt, GNUTLS_X509_FMT_DER, &der));
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, der.data, der.size);
    gnutls_free(der.data);
    return bytes;
}

/* --- sessions --- */

/* What a connection is to be like. Zero is a plain one: all goes well, one request, one answer. */
struct plan {
    const char *client_priority, *server_priority; /* NULL: "NORMAL" */
    const char *sni, *alpn;                        /* NULL: none */
    bool single_key_share;                         /* the client sends a share for its first group only */
    bool reject;                                   /* the client does not like the certificate and sends an alert */
    bool want_client_certificate;                  /* the server insists on one; the client has none */
    bool quiet;                                    /* nothing but the handshake */
    bool resume; /* a first connection is made and its session used; the transcript is of the second */
};

struct peer {
    gnutls_session_t session;
    enum side side;
    struct transcript *log;
    GByteArray *inbox; /* what the other one sent and this one has not read */
    struct peer *other;
    int status; /* of the handshake */
};

static inline ssize_t peer_push(gnutls_transport_ptr_t p, const void *data, size_t n)
{
    struct peer *peer = p;
    transcript_add(peer->log, peer->side, data, n);
    g_byte_array_append(peer->other->inbox, data, (guint)n);
    return (ssize_t)n;
}

static inline ssize_t peer_pull(gnutls_transport_ptr_t p, void *data, size_t n)
{
    struct peer *peer = p;
    n = MIN(n, peer->inbox->len);
    if (n == 0) {
        gnutls_transport_set_errno(peer->session, EAGAIN);
        return -1;
    }
    memcpy(data, peer->inbox->data, n);
    g_byte_array_remove_range(peer->inbox, 0, (guint)n);
    return (ssize_t)n;
}

static inline int peer_pull_timeout(gnutls_transport_ptr_t p, unsigned ms)
{
    (void)ms;
    return ((struct peer *)p)->inbox->len > 0;
}

static inline int reject_certificate(gnutls_session_t session)
{
    (void)session;
    return GNUTLS_E_CERTIFICATE_ERROR;
}

/* One half of a connection: credentials that outlive it, and a priority string. */
static inline void peer_open(struct peer *peer, enum side side, const char *priority, unsigned flags,
                             gnutls_certificate_credentials_t credentials, struct transcript *log)
{
    *peer = (struct peer){ .side = side, .log = log, .inbox = g_byte_array_new(), .status = GNUTLS_E_AGAIN };
    must(gnutls_init(&peer->session, (side == CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER) | GNUTLS_NONBLOCK | flags));
    must(gnutls_priority_set_direct(peer->session, priority ? priority : "NORMAL", NULL));
    must(gnutls_credentials_set(peer->session, GNUTLS_CRD_CERTIFICATE, credentials));
    gnutls_transport_set_ptr(peer->session, peer);
    gnutls_transport_set_push_function(peer->session, peer_push);
    gnutls_transport_set_pull_function(peer->session, peer_pull);
    gnutls_transport_set_pull_timeout_function(peer->session, peer_pull_timeout);
}

static inline void peer_close(struct peer *peer)
{
    gnutls_deinit(peer->session);
    g_byte_array_unref(peer->inbox);
}

/* One attempt to go on with the handshake; a failure is told to the other side as the RFC wants. */
static inline void peer_step(struct peer *peer)
{
    if (peer->status != GNUTLS_E_AGAIN)
        return;
    do {
        peer->status = gnutls_handshake(peer->session);
    } while (peer->status < 0 && peer->status != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(peer->status));
    if (peer->status < 0 && peer->status != GNUTLS_E_AGAIN)
        gnutls_alert_send_appropriate(peer->session, peer->status);
}

static inline void peers_handshake(struct peer pair[2])
{
    for (int i = 0; i < 20; i++) {
        peer_step(&pair[CLIENT]);
        peer_step(&pair[SERVER]);
    }
}

static inline void peer_read(struct peer *peer)
{
    char buffer[4096];
    ssize_t n;
    do {
        n = gnutls_record_recv(peer->session, buffer, sizeof buffer);
    } while (n > 0 || n == GNUTLS_E_INTERRUPTED);
    if (n < 0 && gnutls_error_is_fatal((int)n))
        gnutls_alert_send_appropriate(peer->session, (int)n);
}

/* A request, an answer, and the goodbye of both. */
static inline void peers_talk(struct peer pair[2])
{
    static const char request[] = "GET / HTTP/1.0\r\nHost: www.example.org\r\n\r\n",
                      answer[] = "HTTP/1.0 204 No Content\r\n\r\n";
    gnutls_record_send(pair[CLIENT].session, request, sizeof request - 1);
    peer_read(&pair[SERVER]);
    gnutls_record_send(pair[SERVER].session, answer, sizeof answer - 1);
    peer_read(&pair[CLIENT]);
    gnutls_bye(pair[CLIENT].session, GNUTLS_SHUT_WR);
    peer_read(&pair[SERVER]);
    gnutls_bye(pair[SERVER].session, GNUTLS_SHUT_WR);
}

/* What two connections of one plan share. */
struct shared {
    gnutls_certificate_credentials_t client, server;
    gnutls_datum_t ticket_key, session;
};

static inline struct transcript shared_connect(struct shared *shared, const struct plan *plan)
{
    struct transcript log = transcript_new();
    struct peer pair[2];
    peer_open(&pair[CLIENT], CLIENT, plan->client_priority, plan->single_key_share ? GNUTLS_KEY_SHARE_TOP : 0,
              shared->client, &log);
    peer_open(&pair[SERVER], SERVER, plan->server_priority, 0, shared->server, &log);
    pair[CLIENT].other = &pair[SERVER];
    pair[SERVER].other = &pair[CLIENT];
    if (plan->sni)
        must(gnutls_server_name_set(pair[CLIENT].session, GNUTLS_NAME_DNS, plan->sni, strlen(plan->sni)));
    if (plan->alpn) {
        gnutls_datum_t alpn = { (unsigned char *)plan->alpn, (unsigned)strlen(plan->alpn) };
        must(gnutls_alpn_set_protocols(pair[CLIENT].session, &alpn, 1, 0));
        must(gnutls_alpn_set_protocols(pair[SERVER].session, &alpn, 1, 0));
    }
    if (plan->want_client_certificate)
        gnutls_certificate_server_set_request(pair[SERVER].session, GNUTLS_CERT_REQUIRE);
    if (plan->resume)
        must(gnutls_session_ticket_enable_server(pair[SERVER].session, &shared->ticket_key));
    if (shared->session.data)
        must(gnutls_session_set_data(pair[CLIENT].session, shared->session.data, shared->session.size));
    peers_handshake(pair);
    if (!plan->quiet)
        peers_talk(pair);
    if (plan->resume && !shared->session.data)
        must(gnutls_session_get_data2(pair[CLIENT].session, &shared->session));
    peer_close(&pair[CLIENT]);
    peer_close(&pair[SERVER]);
    return log;
}

/* Makes the connection with the server's certificate and key. */
static inline struct transcript peers_connect(const struct plan *plan, const struct identity *id)
{
    struct shared shared = { 0 };
    must(gnutls_certificate_allocate_credentials(&shared.client));
    must(gnutls_certificate_allocate_credentials(&shared.server));
    gnutls_x509_crt_t chain[1] = { id->crt };
    must(gnutls_certificate_set_x509_key(shared.server, chain, 1, id->key));
    if (plan->reject)
        gnutls_certificate_set_verify_function(shared.client, reject_certificate);
    if (plan->resume)
        must(gnutls_session_ticket_key_generate(&shared.ticket_key));
    struct transcript log = shared_connect(&shared, plan);
    if (plan->resume) {
        transcript_free(&log);
        log = shared_connect(&shared, plan);
    }
    gnutls_free(shared.session.data);
    gnutls_free(shared.ticket_key.data);
    gnutls_certificate_free_credentials(shared.client);
    gnutls_certificate_free_credentials(shared.server);
    return log;
}

#endif
