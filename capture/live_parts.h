/* live_parts: what live*.c share. Private to capture/. */
#ifndef TCPSLEUTH_CAPTURE_LIVE_PARTS_H
#define TCPSLEUTH_CAPTURE_LIVE_PARTS_H

#include "capture/live.h"

#include <pcap/pcap.h>

/* Frames that wait for those of other interfaces, in the order in which they came. All zero: none. */
struct held {
    GArray *frames; /* struct held_frame; those before `first` are gone */
    guint first;
    GByteArray *bytes;
};

struct held_frame {
    int64_t ts_ns;
    uint32_t caplen, wirelen;
    gsize at; /* in bytes */
};

void held_add(struct held *h, const struct frame *frame); /* copies */
/* The first; NULL: none. Valid until the next held_add or held_drop. */
const struct held_frame *held_first(const struct held *h);
void held_drop(struct held *h); /* the first */
void held_clear(struct held *h);

struct device {
    struct live *live;
    char *name; /* as the user wrote it */
    pcap_t *pcap;
    int fd, dlt;
    int64_t units;       /* nanoseconds of one unit of its time stamps */
    struct held held;
};

struct live {
    struct device *devices;
    size_t n;
    GString *warning;
    struct capture_info info;
    uint64_t frames;   /* handed out */
    gsize held_bytes;
    live_frame_fn *fn; /* of the call of live_read that runs */
    void *user;
    bool stopped;      /* fn wanted no more */
};

/* Fills d->pcap and the rest from the name; false and *error where it cannot be watched. */
bool device_open(struct device *d, const struct live_options *options, GError **error);

/* False and *error where it makes no sense for the device's link type. NULL or "": all. */
bool device_set_filter(struct device *d, const char *filter, GError **error);

#endif
