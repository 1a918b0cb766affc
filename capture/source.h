/* source: one open capture file of either kind, behind one function. Private to capture/. */
#ifndef TCPSLEUTH_CAPTURE_SOURCE_H
#define TCPSLEUTH_CAPTURE_SOURCE_H

#include "capture/frame.h"
#include "capture/stream.h"

/* The head of struct pcap_file and struct pcapng_file. */
struct source {
    /* Fills all of *frame but its number. false at the end of the file, and ever after; then `problem` is final. */
    bool (*next)(struct source *s, struct frame *frame);
    void (*free)(struct source *s);
    struct stream *stream; /* owned */
    uint64_t frames;       /* given so far */
    bool nanoseconds;      /* times are kept finer than a microsecond */
    bool damaged;          /* the problem is damage, or a failed read, rather than a file that is cut short */
    char *problem;         /* why the file ended before its end, a sentence that begins with its name; or NULL */
};

/* Opens path whichever its format is. */
struct source *source_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Both take the stream where they succeed. */
struct source *pcap_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;
struct source *pcapng_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether these first 4 bytes begin a file of that kind. */
bool pcap_file_recognise(struct slice beginning);
bool pcapng_file_recognise(struct slice beginning);

/* For the two kinds: ends the source. `what` says what is wrong there ("cut short"), or is NULL at the clean end of the
 * file; a problem of the stream goes before both, being the cause. Returns false, for next to return. */
bool source_end(struct source *s, bool damaged, const char *what);

/* Frees everything; NULL-safe. */
void source_free(struct source *s);

/* Times as struct frame promises them: from 1970 to 2116, so that differences and sums of them never overflow. */
#define SOURCE_TS_MAX (INT64_C(1) << 62)
static inline int64_t source_clamp_ts(int64_t ts_ns)
{
    return ts_ns < 0 ? 0 : ts_ns > SOURCE_TS_MAX ? SOURCE_TS_MAX : ts_ns;
}

#endif
