/* app_http: HTTP/1.0 and 1.1 (RFC 9110, RFC 9112) of one connection, through http-parser: requests and answers,
 * paired.
 *
 * Internal to dissect/: app.c recognises the protocol and passes the bytes on. Bodies are counted, never kept. Where
 * bytes are missing a body of known length is stepped over; else the direction waits for a piece that begins like a
 * message.
 */
#ifndef TCPSLEUTH_DISSECT_APP_HTTP_H
#define TCPSLEUTH_DISSECT_APP_HTTP_H

#include "dissect/app.h"

struct app_http;
#define APP_HTTP_SIZE 448 /* bytes of it, about: what is worth fetching ahead */

/* Transactions are added to facts->http, behind those that are there; facts is the caller's and outlives the
 * dissector. */
struct app_http *app_http_new(struct app_facts *facts);
/* NULL-safe; the facts stay. */
void app_http_free(struct app_http *h);

/* The next bytes of a direction. Returns how many of them were HTTP: fewer than given only where the connection was
 * handed over to another protocol (app_http_handed_over); the rest, and all that follows in both directions, is that
 * protocol's. */
size_t app_http_data(struct app_http *h, const struct app_bytes *b);
/* A gap in a direction; its end. As app_gap, app_end of dissect/app.h. */
void app_http_gap(struct app_http *h, enum side from, uint64_t n, int64_t ts_ns, uint64_t packet);
void app_http_end(struct app_http *h, enum side from, enum app_ending how, int64_t ts_ns);

/* The answer that would be cut short if both directions ended now in these ways; NULL: none. */
const struct http_transaction *app_http_cut(const struct app_http *h, const enum app_ending how[2]);

/* Whether CONNECT or Upgrade was accepted; *to is the protocol that was asked for, APP_UNKNOWN where it has to be
 * recognised. */
bool app_http_handed_over(const struct app_http *h, enum app_protocol *to);
/* Bytes that the client sent behind such a request before the answer came: they belong to the next protocol. They
 * are h's. */
struct app_bytes app_http_held(const struct app_http *h);

/* Whether a direction (or a piece of it) that starts with these bytes is HTTP: 1 yes, 0 more bytes are needed, -1
 * no. With `final` no more will come, so that 0 is no answer: the beginning of a request line with a well-known
 * method is enough then. */
int app_http_recognise(struct slice first, enum side from, bool final);

#endif
