/* link: what leads to what: from a look-up or a redirect to the connection that it caused. */
#ifndef TCPSLEUTH_DIAGNOSE_LINK_H
#define TCPSLEUTH_DIAGNOSE_LINK_H

#include "diagnose/chain.h"
#include "diagnose/redirects.h"

/* Finds what led to a leg and joins their chains; everything that began before it should have been handed in. */
void link_leg(const struct redirects *r, const struct names *n, struct leg *l);

/* Look-ups that led to no connection, and failed: joins them to the redirect that asked for them. False: there is none.
 */
bool link_failed_names(const struct redirects *r, struct name_group *g);

#endif
