/* url: http and https URLs as far as following a redirect needs them: written in one way so that equal ones are equal
 * byte for byte, and relative references resolved (RFC 3986 section 5, through GLib).
 *
 * Written so: scheme and host in lower case, no user information, no default port, no last dot of the host, "/" for an
 * empty path, no fragment, spaces and bytes above 0x7f as %XX.
 */
#ifndef TCPSLEUTH_DIAGNOSE_URL_H
#define TCPSLEUTH_DIAGNOSE_URL_H

#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any request's URL: a target of bytes above 0x7f only grows threefold. */
#define URL_ROOM (3 * (2 * LIMIT_HTTP_VALUE) + 64)

/* Bytes kept of a URL; two URLs are compared by the hash of the whole. */
#define URL_KEPT 2048

struct url {
    char *text;    /* at most URL_KEPT bytes of it */
    char *host;    /* without port and brackets, lower case; NULL: no http or https URL: nothing can be followed */
    uint64_t hash; /* url_hash of the whole; 0 where host is NULL */
    uint16_t port;
    bool secure; /* https */
};

/* Writes the URL of a request: of its authority (Host, "host:port", maybe empty) and its target in origin-form or
 * absolute-form. Returns its length without the NUL; 0: it has none ("*", CONNECT). */
size_t url_of_request(char out[URL_ROOM], bool secure, const char *authority, const char *target);

/* The URL that `reference` means where `base` (as url_of_request writes it) is the one it was found in. *out is
 * overwritten; where the result is no http or https URL, text is the reference as it is. Free with url_clear. */
void url_resolve(struct url *out, const char *base, const char *reference);
void url_clear(struct url *u);

/* A copy of at most URL_KEPT bytes of it, cut between characters. Free with g_free. */
char *url_cut(const char *text);

/* Never 0. */
uint64_t url_hash(const char *text, size_t n);

/* The host of an authority: lower case, without user information, port, brackets and last dot; newly allocated; NULL
 * where there is none. *port: the port where it names one, else 0. */
char *url_host(const char *authority, uint16_t *port);

#endif
