/* feed: hands the ordered bytes of both directions of a flow (stream.h) to what understands them (dissect/app.h). */
#ifndef TCPSLEUTH_FLOW_FEED_H
#define TCPSLEUTH_FLOW_FEED_H

#include "dissect/certs.h"
#include "flow/track.h"

/* What all flows share. */
struct feed {
    struct certs *certs;         /* its owner's; each certificate is read once */
    struct stream_budget budget;
    bool redirects;              /* an answer of HTTP redirected */
};

/* Hands on what a segment brings, or what its ACK settles of the other direction. */
void feed_segment(struct feed *feed, struct flow *f, const struct segment *s);

/* No byte can follow: tells the holes that are left and the ends. True: f->app holds now what was said, once. */
bool feed_end(struct feed *feed, struct flow *f);

#endif
