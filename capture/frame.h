/* frame: one captured frame as it came from a file or an interface, before anything of it is understood. */
#ifndef TCPSLEUTH_CAPTURE_FRAME_H
#define TCPSLEUTH_CAPTURE_FRAME_H

#include <stdint.h>

/* bytes is borrowed: valid until the next frame is asked for. */
struct frame {
    const uint8_t *bytes;
    uint32_t caplen;  /* bytes there are at `bytes` */
    uint32_t wirelen; /* bytes the frame had on the wire; may exceed caplen (snaplen), is never less */
    int64_t ts_ns;    /* capture time: 0 to 2^62 (the year 2116), so that differences and sums of two never overflow */
    uint64_t number;  /* from 1, in the order of the input, all frames counted, those that a filter rejects too */
    int dlt;          /* link type of these bytes (DLT_*, pcap-linktype(7)) */
};

#endif
