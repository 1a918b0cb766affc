/* app_tls: TLS 1.0 to 1.3, SSL 3.0 and SSL 2.0 hellos, read from the outside (RFC 8446, RFC 5246, RFC 6101).
 *
 * Internal to dissect/: app.c recognises the protocol and passes the bytes on. Records are walked by their
 * headers; of the bodies only alerts and the handshake messages that carry facts are looked at. Application data
 * is stepped over, never kept. Which side plays the TLS client is learnt from the ClientHello: it is not always
 * the side that opened the connection. */
#ifndef TCPSLEUTH_DISSECT_APP_TLS_H
#define TCPSLEUTH_DISSECT_APP_TLS_H

#include "dissect/app.h"

struct app_tls;

/* facts is the caller's, zeroed before, and outlives the dissector; its times are set to TIME_NONE here. */
struct app_tls *app_tls_new(struct tls_facts *facts);
/* NULL-safe; the facts stay. */
void app_tls_share(struct app_tls *t, struct certs *c); /* certificates are read through c; NULL: each by itself */
void app_tls_free(struct app_tls *t);

/* The next bytes of a direction; a gap in it; its end. As app_data, app_gap, app_end of dissect/app.h. */
void app_tls_data(struct app_tls *t, const struct app_bytes *b);
void app_tls_gap(struct app_tls *t, enum side from, uint64_t n, int64_t ts_ns, uint64_t packet);
void app_tls_end(struct app_tls *t, enum side from, enum app_ending how, int64_t ts_ns);

/* The facts as they would be if both directions ended now in these ways; out borrows from t's facts. */
void app_tls_preview(const struct app_tls *t, const enum app_ending how[2], struct tls_facts *out);

/* Whether the bytes of that direction are still of use: not once the records are lost, or there were none. */
bool app_tls_wants(const struct app_tls *t, enum side from);

/* Whether the last record of that side was complete and an alert that says goodbye: close_notify in clear, an
 * alert that is encrypted, or (TLS 1.3) an encrypted record of an alert's size behind others. */
bool app_tls_closing_only(const struct app_tls *t, enum side from);

/* Whether a direction that starts with these bytes is TLS: 1 yes, 0 more bytes are needed, -1 no. */
int app_tls_recognise(struct slice first, enum side from);

/* Frees the strings and the certificate in f and clears those fields. */
void tls_facts_clear(struct tls_facts *f);

#endif
