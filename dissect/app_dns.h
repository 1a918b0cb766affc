/* app_dns: DNS over TCP (RFC 7766): messages behind two length bytes, in both directions, into app_facts.dns. */
#ifndef TCPSLEUTH_DISSECT_APP_DNS_H
#define TCPSLEUTH_DISSECT_APP_DNS_H

#include "dissect/app.h"

struct app_dns;

struct app_dns *app_dns_new(struct app_facts *facts);
void app_dns_free(struct app_dns *d); /* NULL-safe */

void app_dns_data(struct app_dns *d, const struct app_bytes *b);

/* Bytes are missing: where the next message begins is not known any more. */
void app_dns_gap(struct app_dns *d, enum side from);
bool app_dns_wants(const struct app_dns *d, enum side from);

#endif
