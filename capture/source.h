/* source: one open capture file of any kind, behind one function. Private to capture/. */
#ifndef TCPSLEUTH_CAPTURE_SOURCE_H
#define TCPSLEUTH_CAPTURE_SOURCE_H

#include "capture/frame.h"
#include "capture/stream.h"

/* The head of struct pcap_file, struct pcapng_file and the others. */
struct source {
    /* Fills all of *frame but its number. false at the end of the file, and ever after; then `problem` is final. */
    bool (*next)(struct source *s, struct frame *frame);
    /* The same for up to max frames that are at hand, beginning with one that is: their bytes, and those of the frame that next gave before,
     * stay where they are until next is called. Returns how many; 0: call next. NULL: never. */
    size_t (*more)(struct source *s, struct frame *frames, size_t max);
    void (*free)(struct source *s);
    struct stream *stream; /* owned */
    uint64_t frames;       /* given so far */
    bool nanoseconds;      /* times are kept finer than a microsecond */
    bool ends_known;       /* the next three hold: the file says how the capture that made it ended */
    uint64_t dropped, interface_dropped; /* as capture_info has them */
    int64_t end_ns;
    bool damaged;          /* the problem is damage, or a failed read, rather than a file that is cut short */
    char *problem;         /* why the file ended before its end, a sentence that begins with its name; or NULL */
};

/* Opens path whichever its format is. */
struct source *source_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All take the stream where they succeed, and want it unread. */
struct source *pcap_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;
struct source *pcapng_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;
struct source *snoop_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;
struct source *netmon_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;
struct source *netxray_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;
struct source *erf_file_open(struct stream *stream, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether these first SOURCE_MAGIC bytes begin a file of that kind. */
#define SOURCE_MAGIC 8
bool pcap_file_recognise(struct slice beginning);
bool pcapng_file_recognise(struct slice beginning);
bool snoop_file_recognise(struct slice beginning);
bool netmon_file_recognise(struct slice beginning);
bool netxray_file_recognise(struct slice beginning);

/* ERF has no magic number: whether the first records look like its records. Peeks, consumes nothing. */
bool erf_file_recognise(struct stream *stream);

/* --- for the kinds --- */

/* The link type of packets that a file holds and that no DLT is made for: they are counted, not decoded. */
#define SOURCE_DLT_UNKNOWN 147 /* DLT_USER0 */

/* The n bytes that a file of that kind ("pcap") begins with, unread; an empty slice and *error where they are not all
 * there. */
struct slice source_header(struct stream *stream, size_t n, const char *kind, GError **error);

/* Sets *error: the header of a file of that kind is damaged, in that way. */
void source_refuse_header(const struct stream *stream, const char *kind, const char *what, GError **error);

/* Sets *error: the file is "a snoop capture of version 3", which is not read. */
void source_refuse(const struct stream *stream, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Fills *frame, for next to return true; or ends the source, where the frame is larger than any. */
bool source_give(struct source *s, struct frame *frame, struct slice bytes, uint32_t wirelen);

/* Ends the source. `what` says what is wrong there ("cut short"), or is NULL at the clean end of the file; a problem of
 * the stream goes before both, being the cause. Returns false, for next to return. */
bool source_end(struct source *s, bool damaged, const char *what);

/* The same, for damage: `what` is what was met ("a packet larger than any frame"). */
bool source_end_damaged(struct source *s, const char *what);

/* Frees everything; NULL-safe. */
void source_free(struct source *s);

/* Times as struct frame promises them: from 1970 to 2116, so that differences and sums of them never overflow. */
#define SOURCE_TS_MAX (INT64_C(1) << 62)
static inline int64_t source_clamp_ts(int64_t ts_ns)
{
    return ts_ns < 0 ? 0 : ts_ns > SOURCE_TS_MAX ? SOURCE_TS_MAX : ts_ns;
}

#endif
