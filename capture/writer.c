#include "capture/writer.h"

#include "base/text.h"
#include "base/timens.h"
#include "capture/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>

/* Large enough that system calls do not count. Its own, so that libpcap's writing of the file header cannot fail: it
 * would then have closed the FILE, or not, without a way to know. */
#define FILE_BUFFER ((size_t)64 << 10)

struct capture_writer {
    char *name; /* made printable, for messages */
    FILE *file;
    bool microseconds;
    uint32_t snaplen; /* 0: whole frames */
    struct pcapng_writer *pcapng; /* NULL: pcap */
    /* For pcap, from the first frame on, whose link type goes into the file's header. `dump` owns file then. */
    pcap_t *dead;
    pcap_dumper_t *dump;
    int dlt;
    char buffer[FILE_BUFFER];
};

static bool set_write_error(const struct capture_writer *w, int why, GError **error)
{
    /* No reason is left where an earlier write failed and was noticed only now. */
    g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_WRITE, "%s: cannot write it: %s; name another file", w->name,
                g_strerror(why ? why : EIO));
    return false;
}

static struct capture_writer *open_writer(const char *path, bool pcapng, GError **error)
{
    if (strcmp(path, "-") == 0) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_WRITE,
                    "-: standard output carries the report; name a file for the packets");
        return NULL;
    }
    struct capture_writer *w = g_new0(struct capture_writer, 1);
    GString *name = g_string_new(NULL);
    text_append_terminal(name, slice_of(path, strlen(path)));
    w->name = g_string_free(name, FALSE);
    w->file = fopen(path, "we");
    if (!w->file) {
        set_write_error(w, errno, error);
        capture_writer_close(w, NULL);
        return NULL;
    }
    setvbuf(w->file, w->buffer, _IOFBF, sizeof w->buffer);
    if (pcapng)
        w->pcapng = pcapng_writer_new(w->file);
    return w;
}

struct capture_writer *capture_writer_open(const char *path, GError **error)
{
    return open_writer(path, g_str_has_suffix(path, ".pcapng") || g_str_has_suffix(path, ".ntar"), error);
}

struct capture_writer *capture_writer_open_pcapng(const char *path, GError **error)
{
    return open_writer(path, true, error);
}

void capture_writer_set_microseconds(struct capture_writer *w)
{
    w->microseconds = true;
}

void capture_writer_set_snaplen(struct capture_writer *w, uint32_t snaplen)
{
    w->snaplen = snaplen;
    if (w->pcapng)
        pcapng_writer_set_snaplen(w->pcapng, snaplen);
}

bool capture_writer_holds_all(const struct capture_writer *w)
{
    return w->pcapng != NULL;
}

void capture_writer_set_end(struct capture_writer *w, const struct capture_info *info)
{
    if (w->pcapng)
        pcapng_writer_end(w->pcapng, info);
}

bool capture_writer_flush(struct capture_writer *w, GError **error)
{
    errno = 0;
    return (fflush(w->file) == 0 && !ferror(w->file)) || set_write_error(w, errno, error);
}

/* Writes the header of a pcap file. */
static bool begin_pcap(struct capture_writer *w, int dlt, GError **error)
{
    u_int precision = w->microseconds ? PCAP_TSTAMP_PRECISION_MICRO : PCAP_TSTAMP_PRECISION_NANO;
    w->dlt = dlt;
    int snaplen = w->snaplen > 0 && w->snaplen < CAPTURE_WHOLE_FRAMES ? (int)w->snaplen : CAPTURE_WHOLE_FRAMES;
    w->dead = pcap_open_dead_with_tstamp_precision(dlt, snaplen, precision);
    w->dump = w->dead ? pcap_dump_fopen(w->dead, w->file) : NULL;
    if (w->dump)
        return true;
    g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_WRITE, "%s: cannot write it: %s; name another file", w->name,
                w->dead ? pcap_geterr(w->dead) : "out of memory");
    return false;
}

static bool add_to_pcap(struct capture_writer *w, const struct frame *frame, GError **error)
{
    if (!w->dump && !begin_pcap(w, frame->dlt, error))
        return false;
    if (frame->dlt != w->dlt) {
        char first[32], other[32];
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_WRITE,
                    "%s: a pcap file holds one link type, and packet %" G_GUINT64_FORMAT
                    " is %s, not %s; name a file that ends in .pcapng",
                    w->name, frame->number, capture_dlt_name(frame->dlt, other), capture_dlt_name(w->dlt, first));
        return false;
    }
    struct pcap_pkthdr header = { .caplen = frame->caplen, .len = frame->wirelen };
    header.ts.tv_sec = frame->ts_ns / NS_PER_S;
    header.ts.tv_usec = frame->ts_ns % NS_PER_S / (w->microseconds ? NS_PER_US : 1);
    pcap_dump((u_char *)w->dump, &header, frame->bytes);
    return true;
}

bool capture_writer_add(struct capture_writer *w, const struct frame *frame, GError **error)
{
    return capture_writer_add_comment(w, frame, NULL, error);
}

bool capture_writer_add_comment(struct capture_writer *w, const struct frame *frame, const char *comment, GError **error)
{
    if (!w->pcapng) {
        if (!add_to_pcap(w, frame, error))
            return false;
    } else if (!pcapng_writer_add(w->pcapng, frame, comment)) {
        char name[32];
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_WRITE,
                    "%s: no file can hold packets of link type %s; do not save them", w->name,
                    capture_dlt_name(frame->dlt, name));
        return false;
    }
    return !ferror(w->file) || set_write_error(w, errno, error);
}

static void writer_free(struct capture_writer *w)
{
    pcapng_writer_free(w->pcapng);
    if (w->dead)
        pcap_close(w->dead);
    g_free(w->name);
    g_free(w);
}

bool capture_writer_close(struct capture_writer *w, GError **error)
{
    if (!w)
        return true;
    bool good = true;
    errno = 0;
    if (w->file) {
        /* A file without packets is a capture all the same. `dead` is there without `dump` where the first packet was
         * refused. */
        if (!w->pcapng && !w->dead)
            good = begin_pcap(w, DLT_EN10MB, error);
        /* Before closing: pcap_dump_close does not say how it went. */
        if (good && (fflush(w->file) != 0 || ferror(w->file)))
            good = set_write_error(w, errno, error);
        if (w->dump)
            pcap_dump_close(w->dump);
        else if (fclose(w->file) != 0 && good)
            good = set_write_error(w, errno, error);
    }
    writer_free(w);
    return good;
}
