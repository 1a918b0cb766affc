/* live: frames from network interfaces while they pass. One opaque value for one or several interfaces, each with its own link type.
 *
 * Opening needs CAP_NET_RAW; nothing after it does, so the caller gives up its rights between live_open and the first live_read. The
 * filter runs in the kernel. live_read never waits: live_fd is for the caller's main loop.
 *
 * Frames of one interface come in the kernel's order, each handed out in place, without a copy. Those of several wait for MERGE_NS (or
 * until LIMIT_LIVE_HELD bytes wait) and are handed out by time, so that a late batch of one interface does not turn a question and its
 * answer round.
 */
#ifndef TCPSLEUTH_CAPTURE_LIVE_H
#define TCPSLEUTH_CAPTURE_LIVE_H

#include "capture/capture.h"

struct live;

struct live_options {
    const char *filter;   /* NULL or "": all */
    int snaplen;          /* bytes kept of a frame; 0: all */
    int buffer_kib;       /* the kernel's buffer for each interface; 0: LIVE_BUFFER_KIB */
    bool promiscuous;
    bool immediate;       /* each frame as soon as it is there; else in batches, at most LIVE_BATCH_MS late, which costs less */
};

#define LIVE_BUFFER_KIB (16 << 10)
#define LIVE_BATCH_MS 50

/* Opens every interface (n >= 1; "any" is one). Errors name the interface, say what is wrong and what to do about it: no such interface
 * and which ones there are, no permission and how to get it, a filter that makes no sense. Free with live_free. */
struct live *live_open(const char *const *names, size_t n, const struct live_options *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void live_free(struct live *l); /* NULL-safe */

/* What poll() may wait for; i < live_count. */
size_t live_count(const struct live *l);
int live_fd(const struct live *l, size_t i);

/* From now on only what passes this filter; what waits in the kernel is let go. Needs no rights. */
bool live_set_filter(struct live *l, const char *filter, GError **error);

/* A sentence on what is odd, yet no obstacle (an interface that is down); NULL: nothing. Owned by l. */
const char *live_warning(const struct live *l);

/* Takes a frame, which is valid during the call only; false: no more, at once. */
typedef bool live_frame_fn(void *user, const struct frame *frame);

enum live_status {
    LIVE_WAITING, /* nothing more is there now */
    LIVE_BUSY,    /* there is more: call again, after having looked at other things */
    LIVE_STOPPED, /* the callee wanted no more */
    LIVE_ENDED,   /* *error says why an interface cannot be watched any more: it disappeared, ... */
};

/* Hands out what is there, some thousand frames at most. now_ns: the clock, for the frames of several interfaces; INT64_MAX: all that wait. */
enum live_status live_read(struct live *l, int64_t now_ns, live_frame_fn *fn, void *user, GError **error);

/* Link types, digits of times, and the drops as they were counted last. Owned by l. */
const struct capture_info *live_info(const struct live *l);

/* Asks the kernel what was dropped up to now: that takes some system calls for each interface, so do not ask for each frame. Returns live_info. */
const struct capture_info *live_count_drops(struct live *l);

/* The interfaces there are, as a text of a line each: name, state, addresses, description. Free with g_free; NULL and *error where the
 * system does not tell. */
char *live_list(GError **error);

#endif
