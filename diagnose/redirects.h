/* redirects: those that may still be followed, by client. */
#ifndef TCPSLEUTH_DIAGNOSE_REDIRECTS_H
#define TCPSLEUTH_DIAGNOSE_REDIRECTS_H

#include "diagnose/leg.h"

/* A redirect is followed within so long, or not at all. */
#define FOLLOW_NS (10 * NS_PER_S)

/* Redirects of one client that are looked through; the oldest are forgotten. */
#define REDIRECTS_OPEN 64

struct redirects;

struct redirects *redirects_new(void);
void redirects_free(struct redirects *r); /* NULL-safe */

/* Takes up all redirects of a leg, and forgets them. */
void redirects_open(struct redirects *r, struct leg *l);
void redirects_close(struct redirects *r, const struct leg *l);

/* The redirects of a client, oldest first (struct hop*); NULL: none. Valid until the next call of open or close. */
const GPtrArray *redirects_of(const struct redirects *r, const struct addr *client);

/* The newest one to this URL that was answered in the FOLLOW_NS before ts_ns and is not followed yet, or NULL. */
struct hop *redirects_to(const struct redirects *r, const struct addr *client, uint64_t url_hash, int64_t ts_ns);

/* Whether a redirect answered at h->ts_ns can be what led to something that began at ts_ns. */
bool redirect_in_time(const struct hop *h, int64_t ts_ns);

#endif
