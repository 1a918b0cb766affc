/* reset: the RST that ended a connection: whether the other end would believe it (RFC 9293 section 3.10.7), what it answers, what was owed
 * when it came, and whether its sender spoke on as if it had sent none.
 */
#ifndef TCPSLEUTH_FLOW_RESET_H
#define TCPSLEUTH_FLOW_RESET_H

#include "flow/track.h"

/* Fills f->reset by the first RST that counts; true: this is it. Called before the states move on. */
bool reset_segment(struct flow *f, const struct segment *s);

/* Who spoke last before a RST, and what came behind a FIN. Called for every segment, after the states moved on. */
void reset_last_data(struct flow *f, const struct segment *s);

#endif
