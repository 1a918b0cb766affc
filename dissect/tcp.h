/* tcp: the options of a TCP header, read on their own. */
#ifndef TCPSLEUTH_DISSECT_TCP_H
#define TCPSLEUTH_DISSECT_TCP_H

#include "base/bytes.h"
#include "dissect/packet.h"

struct tcp_option {
    uint8_t kind;
    struct slice value; /* behind kind and length */
};

/* The next option that is not padding. False at the end: the list is at its end or says so (kind 0), or, with
 * c->failed set, an option does not fit in c or has a length below 2. */
bool tcp_option_next(struct cursor *c, struct tcp_option *o);

/* Fills *out from the captured bytes of an option list that is `length` bytes long in the header. Fields whose bit
 * is not in out->present are 0; sack[] is written up to n_sack. */
void tcp_options_read(struct slice captured, size_t length, struct tcp_options *out);

#endif
