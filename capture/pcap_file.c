/* pcap files, read by libpcap. */
#include "capture/source.h"

#include "base/limits.h"

#include <pcap/pcap.h>

/* Of the FILE that libpcap reads from: large enough that system calls do not count. */
#define FILE_BUFFER ((size_t)64 << 10)

/* The header that a pcap file begins with (pcap-savefile(5)), and where in it the snapshot length stands. */
#define FILE_HEADER 24
#define SNAPLEN_OFFSET 16
#define SNAPLEN_BYTES 4

struct pcap_file {
    struct source source;
    pcap_t *pcap;
    int dlt;
    char buffer[FILE_BUFFER];
};

enum resolution { NOT_PCAP, MICROSECONDS, NANOSECONDS };

/* By the magic number, in either byte order. The third one is of a patched libpcap of old, which has longer packet
 * headers. */
static enum resolution recognise(struct slice beginning)
{
    struct cursor big = cursor_of(beginning), little = big;
    uint32_t be = cursor_u32(&big), le = cursor_le32(&little);
    if (be == 0xa1b2c3d4 || le == 0xa1b2c3d4 || be == 0xa1b2cd34 || le == 0xa1b2cd34)
        return MICROSECONDS;
    return be == 0xa1b23c4d || le == 0xa1b23c4d ? NANOSECONDS : NOT_PCAP;
}

bool pcap_file_recognise(struct slice beginning)
{
    return recognise(beginning) != NOT_PCAP;
}

/* The end of the file, a cut or damage: libpcap's answer alone does not tell the last two apart. */
static bool end(struct pcap_file *f, int answer)
{
    if (answer == PCAP_ERROR_BREAK) /* what it says at the end of a file */
        return source_end(&f->source, false, NULL);
    if (feof(pcap_file(f->pcap)))
        return source_end(&f->source, false, "cut short");
    return source_end_damaged(&f->source, pcap_geterr(f->pcap));
}

static bool next(struct source *s, struct frame *frame)
{
    struct pcap_file *f = (struct pcap_file *)s;
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int answer = pcap_next_ex(f->pcap, &header, &bytes);
    if (G_UNLIKELY(answer != 1))
        return end(f, answer);
    if (G_UNLIKELY(header->caplen > LIMIT_FRAME_BYTES))
        return source_end_damaged(s, "a packet larger than any frame");
    frame->bytes = bytes;
    frame->caplen = header->caplen;
    frame->wirelen = MAX(header->len, header->caplen);
    /* The seconds are 32 unsigned bits in the file, and nanoseconds were asked for. */
    frame->ts_ns = source_clamp_ts((uint32_t)header->ts.tv_sec * NS_PER_S + header->ts.tv_usec);
    frame->dlt = f->dlt;
    s->frames++;
    return true;
}

static void pcap_file_free(struct source *s)
{
    struct pcap_file *f = (struct pcap_file *)s;
    if (f->pcap)
        pcap_close(f->pcap);
    g_free(f);
}

/* libpcap's handle for the stream, or NULL and *error. */
static pcap_t *open_pcap(struct pcap_file *f, struct stream *stream, GError **error)
{
    char why[PCAP_ERRBUF_SIZE] = "out of memory";
    FILE *file = stream_as_file(stream);
    pcap_t *pcap = NULL;
    /* libpcap would cut every packet to the snapshot length, which merged and rewritten files often get wrong. None
     * means no limit but its own. */
    stream_blank(stream, SNAPLEN_OFFSET, SNAPLEN_BYTES);
    if (file) {
        setvbuf(file, f->buffer, _IOFBF, sizeof f->buffer);
        pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
    }
    if (pcap)
        return pcap;
    if (file)
        fclose(file);
    source_refuse_header(stream, "pcap", why, error);
    return NULL;
}

struct source *pcap_file_open(struct stream *stream, GError **error)
{
    if (source_header(stream, FILE_HEADER, "pcap", error).n == 0)
        return NULL;
    struct pcap_file *f = g_new0(struct pcap_file, 1);
    f->source.next = next;
    f->source.free = pcap_file_free;
    f->source.nanoseconds = recognise(stream_peek(stream, 4)) == NANOSECONDS;
    f->pcap = open_pcap(f, stream, error);
    if (!f->pcap) {
        g_free(f);
        return NULL;
    }
    f->dlt = pcap_datalink(f->pcap);
    f->source.stream = stream;
    return &f->source;
}
