/* app_first: protocols that are only named, by their first bytes, and the few steps of them that lead to TLS.
 *
 * Internal to dissect/: app.c tries it after HTTP and TLS. Of SSH, SMTP, FTP, IMAP, POP3, PostgreSQL, MySQL and
 * Redis it keeps the server's greeting; of those that can switch to TLS (RFC 3207, 4217, 2595, 9051; PostgreSQL's
 * SSLRequest, MySQL's SSL flag) it watches for that. HTTP/2 with prior knowledge and DNS over TCP are just named.
 */
#ifndef TCPSLEUTH_DISSECT_APP_FIRST_H
#define TCPSLEUTH_DISSECT_APP_FIRST_H

#include "dissect/app.h"

/* Whether a direction that starts with these bytes is one of the protocols: 1 yes, and *protocol is which one
 * (APP_UNKNOWN: SMTP or FTP, which greet alike); 0 more bytes are needed; -1 no. With `final` no more will come:
 * never 0. */
int app_first_recognise(struct slice first, enum side from, bool final, enum app_protocol *protocol);

struct app_first;

/* facts is the caller's and outlives the dissector; the greeting goes there. *name is where the protocol's name
 * goes: it is `protocol`, or comes later. server_port only helps where SMTP and FTP cannot be told apart otherwise. */
struct app_first *app_first_new(struct app_facts *facts, enum app_protocol *name, enum app_protocol protocol,
                                uint16_t server_port);
/* NULL-safe; the facts stay. */
void app_first_free(struct app_first *f);

/* The next bytes of a direction. Returns how many of them were this protocol's: fewer than given only where TLS begins
 * (app_first_handed_over); the rest, and all that follows in both directions, is TLS. */
size_t app_first_data(struct app_first *f, const struct app_bytes *b);
bool app_first_handed_over(const struct app_first *f);
/* Bytes of a direction are missing. */
void app_first_gap(struct app_first *f, enum side from);
/* A direction has ended: a greeting that is not whole is kept as it is. */
void app_first_end(struct app_first *f, enum side from);
/* Whether the bytes of that direction are still of use. */
bool app_first_wants(const struct app_first *f, enum side from);

#endif
