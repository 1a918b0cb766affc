/* join_names: a name whose look-up failed in a capture, asked of each resolver of this host (--confirm). */
#ifndef TCPSLEUTH_SRC_JOIN_NAMES_H
#define TCPSLEUTH_SRC_JOIN_NAMES_H

#include "diagnose/finding.h"

/* Whether there is a name to ask for: a verdict dns_*, with a name that may be said again. */
bool join_names_can(const struct finding *verdict);

/* Asks, and puts the answers into the verdict. say: announces it first. Waits, some seconds at most. */
void join_names_ask(struct finding *verdict, void (*say)(void *user, const char *line), void *user);

#endif
