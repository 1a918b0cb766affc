/* certs: certificates that were read before. A server sends the same certificate on every connection, and reading one costs as much as
 * a hundred packets; so the connections of one run share what was read, by the certificate's bytes.
 */
#ifndef TCPSLEUTH_DISSECT_CERTS_H
#define TCPSLEUTH_DISSECT_CERTS_H

#include "dissect/app.h"

struct certs;

struct certs *certs_new(void);
void certs_free(struct certs *c); /* NULL-safe; certificates that are still in use stay */

/* The certificate in DER, read now or before. Never NULL. The caller owns one reference (tls_certificate_free). c NULL:
 * reads it. */
struct tls_certificate *certs_read(struct certs *c, struct slice der);

#endif
