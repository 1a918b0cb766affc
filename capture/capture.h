/* capture: where frames come from. One opaque reader for one or several capture files (pcap, pcapng, snoop, ERF, Network
 * Monitor, NetXray; plain, gzip or zstd; "-" is standard input), merged by time, filtered by a pcap-filter(7) expression.
 * Reads each file once, front to back where its format allows it.
 *
 * pcap files go through libpcap. pcapng is read here, block by block, because libpcap refuses a file whose interfaces
 * differ in link type; each interface keeps its own link type, time resolution and offset. Filters are compiled by libpcap
 * for every link type met.
 */
#ifndef TCPSLEUTH_CAPTURE_CAPTURE_H
#define TCPSLEUTH_CAPTURE_CAPTURE_H

#include "base/timens.h"
#include "capture/frame.h"

#include <glib.h>
#include <stdbool.h>

#define CAPTURE_ERROR capture_error_quark()
GQuark capture_error_quark(void);

enum capture_error {
    CAPTURE_ERROR_OPEN,   /* no such file, no permission, a directory */
    CAPTURE_ERROR_EMPTY,  /* the file has no bytes */
    CAPTURE_ERROR_FORMAT, /* not a capture, or one of a kind that cannot be read */
    CAPTURE_ERROR_FILTER, /* the expression does not compile */
    CAPTURE_ERROR_READ,   /* damaged in the middle, or the reading failed */
    CAPTURE_ERROR_WRITE,  /* -w */
    CAPTURE_ERROR_LIVE,   /* an interface: it is not there, may not be watched, or went away */
};

struct capture;

/* How a call to capture_next ended. */
enum capture_status {
    CAPTURE_FRAME, /* *frame holds the next frame */
    CAPTURE_END,   /* no more frames */
    CAPTURE_FAILED /* nothing could be read at all; *error says why */
};

/* What is known of the input so far; all of it is final after CAPTURE_END. */
struct capture_info {
    uint64_t bytes_read;   /* of the files as they lie on disk: for a progress line */
    uint64_t bytes_total;  /* 0 where a size is not known (standard input) */
    bool truncated;        /* a file ended inside a packet or a block, or was damaged there; what came before was given */
    char *truncated_file;  /* which file, and what was wrong there: a sentence for a warning, several joined by "; "; NULL where !truncated */
    bool nanoseconds;      /* some input keeps times finer than a microsecond: reports print 9 digits */
    GArray *dlts;          /* int: the link types met, in order of first use */
    bool drops_known;      /* the next two hold: of live captures, and of pcapng files that tcpsleuth wrote */
    uint64_t dropped;      /* packets that passed the filter and are not here: the kernel had no room */
    uint64_t interface_dropped; /* of these, packets that the interface itself lost */
    int64_t end_ns;        /* how long it was looked at, after the last packet too; TIME_NONE where that is not known */
};

/* Opens every path (n >= 1). filter NULL or "" accepts all. Errors name the file, what is wrong and what to do about it; a file
 * with a capture header and no packets is no error. Free with capture_free. NULL and *error on failure. */
struct capture *capture_open_files(const char *const *paths, size_t n, const char *filter, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The next frame that the filter accepts, the earliest of all inputs (ties: the order of the paths). Within one file the order of
 * the file is kept even where its times run backwards. */
enum capture_status capture_next(struct capture *c, struct frame *frame, GError **error);

/* The same for up to max frames, max at least 1, which are valid together until the next call: those that are at hand. *n: how many there are;
 * 0 where it does not return CAPTURE_FRAME. */
enum capture_status capture_batch(struct capture *c, struct frame *frames, size_t max, size_t *n, GError **error);

/* Owned by c; valid until capture_free. */
const struct capture_info *capture_info(const struct capture *c);

/* The name of a link type as pcap_datalink_val_to_name gives it ("EN10MB"), or "DLT_nnn". Writes into out (at least 32 bytes) and
 * returns it. */
const char *capture_dlt_name(int dlt, char out[32]);

/* Whether path leads to one of the files that c reads, by whichever of its names: opening it for writing would empty it. */
bool capture_is_input(const struct capture *c, const char *path);

/* NULL-safe. */
void capture_free(struct capture *c);
typedef struct capture Capture;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Capture, capture_free)

/* The length of frames that stands for "whole": libpcap's own largest. */
#define CAPTURE_WHOLE_FRAMES 262144

/* -w: a file of the frames read. pcapng where the name ends in ".pcapng" or ".ntar"; else pcap, which holds one link type only: frames
 * of another are an error that says to use .pcapng. "-" is refused (standard output carries the report). */
struct capture_writer;
struct capture_writer *capture_writer_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Before the first frame: pcap times in microseconds, as older programs expect them. Else they are nanoseconds, so that nothing is
 * lost; right for every input whose capture_info says !nanoseconds. */
void capture_writer_set_microseconds(struct capture_writer *w);
/* Before the first frame: the length that packets were cut to (-s), for the header of the file; 0, as it is else: they were not. */
void capture_writer_set_snaplen(struct capture_writer *w, uint32_t snaplen);
/* Whether it holds frames of several link types: pcapng. */
bool capture_writer_holds_all(const struct capture_writer *w);
/* Live: how long the capture went on and what it lost (info->end_ns and drops), which a pcapng file then holds at its end; pcap has no place
 * for it. Before the close. */
void capture_writer_set_end(struct capture_writer *w, const struct capture_info *info);
/* Hands what is kept back to the disk: false and *error where it said no. */
bool capture_writer_flush(struct capture_writer *w, GError **error);
bool capture_writer_add(struct capture_writer *w, const struct frame *frame, GError **error);

/* The same as pcapng, whatever the file's name; then frames may bear a comment (UTF-8; NULL: none). */
struct capture_writer *capture_writer_open_pcapng(const char *path, GError **error);
bool capture_writer_add_comment(struct capture_writer *w, const struct frame *frame, const char *comment, GError **error);
/* Flushes and closes; false and *error where the disk said no. Frees w. NULL is allowed: true. */
bool capture_writer_close(struct capture_writer *w, GError **error);

#endif
