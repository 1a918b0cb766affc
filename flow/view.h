/* view: a flow that is still followed as it would be if the capture ended now: what a judge may look at in the meantime. It is a copy of
 * what the end changes and borrows the rest, so it holds until the flow's next packet, and the flow never notices.
 */
#ifndef TCPSLEUTH_FLOW_VIEW_H
#define TCPSLEUTH_FLOW_VIEW_H

#include "flow/track.h"

struct view {
    struct flow flow; /* the one to look at */
    struct track track;
    struct trouble trouble;
    struct app_preview app;
};

/* now_ns: a window that is shut goes on being shut until then, and is not called shut for good. */
void view_open(struct view *v, const struct flow *f, int64_t now_ns);
void view_close(struct view *v);

/* Whether the flow has come to a point where a judge may find, before its end, that it is broken: a third SYN, an ICMP error for a SYN,
 * data that is repeated in vain, a window shut for seconds, a request without an answer. Cheap: a look at a few fields. */
bool view_worthwhile(const struct flow *f, int64_t now_ns);

#endif
