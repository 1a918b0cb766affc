/* stream: the ordered bytes of one direction for the application dissectors.
 *
 * Bytes that arrive in order are handed on straight from the frame; only those above a hole are copied, within LIMIT_REASSEMBLY_FLOW
 * and LIMIT_REASSEMBLY_ALL. Where segments overlap, what was handed on before wins; of those that wait, the one that begins lower, and
 * of two that begin alike the longer. A hole ends as a gap when the receiver acknowledged beyond it (the capture missed the packet), when
 * there is no room, or at the end of the flow.
 */
#ifndef TCPSLEUTH_FLOW_STREAM_H
#define TCPSLEUTH_FLOW_STREAM_H

#include "dissect/app.h"

#include <glib.h>

/* What all streams share. */
struct stream_budget {
    size_t used;         /* bytes held in all, with what holding them costs */
    uint64_t dropped;    /* bytes not kept because a limit was reached */
};

struct stream {
    bool started;
    uint32_t next;       /* sequence number of the next byte to hand on */
    uint64_t position;   /* bytes handed on or skipped so far */
    GTree *pending;      /* position -> struct pending; NULL: none */
    size_t pending_bytes;
};

/* A segment: `bytes->data` is what was captured of the `len` bytes at seq. */
void stream_segment(struct stream *s, struct app *app, struct stream_budget *budget, uint32_t seq, uint32_t len,
                    const struct app_bytes *bytes);

/* The receiver acknowledged up to `ack`: holes below it will not be filled. */
void stream_acked(struct stream *s, struct app *app, struct stream_budget *budget, uint32_t ack, const struct app_bytes *now);

/* No more packets: hands on what waits, holes as gaps. app may be NULL: drops it. */
void stream_end(struct stream *s, struct app *app, struct stream_budget *budget, const struct app_bytes *now);

#endif
