/* explain: what stands behind each code of the catalogue, for people who want to know why they should believe it and what to do: how it is
 * recognised and from where, what else looks like it and what tells the two apart, and the commands for the client's and for the server's
 * administrator. `tcpsleuth explain` prints it, docs/verdicts.md is made from it.
 */
#ifndef TCPSLEUTH_DIAGNOSE_EXPLAIN_H
#define TCPSLEUTH_DIAGNOSE_EXPLAIN_H

#include "diagnose/catalogue.h"

struct explanation {
    const char *recognised; /* what has to be in the capture, with the bounds */
    const char *resembles;  /* what else looks so, and what would tell */
    const char *client;     /* what to do on the client's side; NULL: nothing is to be done there */
    const char *server;     /* the same on the server's side, the network between included where nobody else owns it */
};

/* Never NULL; every code has one. */
const struct explanation *explanation(enum code code);

#endif
