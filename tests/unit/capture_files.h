/* capture_files: what the tests of capture/ share: capture files built byte by byte, and everything that comes out of
 * reading them. */
#ifndef TCPSLEUTH_TESTS_CAPTURE_FILES_H
#define TCPSLEUTH_TESTS_CAPTURE_FILES_H

#include "capture/capture.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* 10.0.3.15:47556 > 147.83.2.135:80, a SYN of 40 bytes, as it is on a link without a header. */
static const char ip_packet[] = "\x45\x00\x00\x28\x00\x01\x40\x00\x40\x06\x00\x00\x0a\x00\x03\x0f\x93\x53\x02\x87"
                                "\xb9\xc4\x00\x50\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02\xff\xff\x00\x00\x00\x00";

/* The same on Ethernet, from 02:00:00:00:00:01 to 02:00:00:00:00:02. */
static const char ethernet_packet[] =
    "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00"
    "\x45\x00\x00\x28\x00\x01\x40\x00\x40\x06\x00\x00\x0a\x00\x03\x0f\x93\x53\x02\x87"
    "\xb9\xc4\x00\x50\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02\xff\xff\x00\x00\x00\x00";

/* ARP, which no filter on IP takes. */
static const char arp_packet[] =
    "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01"
    "\x02\x00\x00\x00\x00\x01\x0a\x00\x03\x0f\x00\x00\x00\x00\x00\x00\x0a\x00\x03\x02";

/* A file under construction, in either byte order. */
struct build {
    GByteArray *bytes;
    bool big;
};

static inline struct build build_new(bool big)
{
    return (struct build){ g_byte_array_new(), big };
}

static inline void build_free(struct build *b)
{
    g_byte_array_free(b->bytes, TRUE);
}

static inline void put(struct build *b, const void *p, size_t n)
{
    g_byte_array_append(b->bytes, p, (guint)n);
}

static inline void put_u16(struct build *b, unsigned v)
{
    uint16_t x = b->big ? GUINT16_TO_BE((uint16_t)v) : GUINT16_TO_LE((uint16_t)v);
    put(b, &x, sizeof x);
}

static inline void put_u32(struct build *b, uint64_t v)
{
    uint32_t x = b->big ? GUINT32_TO_BE((uint32_t)v) : GUINT32_TO_LE((uint32_t)v);
    put(b, &x, sizeof x);
}

static inline void pcap_header(struct build *b, uint32_t magic, uint32_t linktype)
{
    put_u32(b, magic);
    put_u16(b, 2);
    put_u16(b, 4);
    put_u32(b, 0);
    put_u32(b, 0);
    put_u32(b, 65535);
    put_u32(b, linktype);
}

static inline void pcap_packet(struct build *b, uint32_t sec, uint32_t frac, const char *bytes, uint32_t caplen,
                               uint32_t len)
{
    put_u32(b, sec);
    put_u32(b, frac);
    put_u32(b, caplen);
    put_u32(b, len);
    put(b, bytes, caplen);
}

/* A pcapng block around a body, with what fills up its last word. */
static inline void ng_block(struct build *b, uint32_t type, const struct build *body)
{
    uint32_t n = body->bytes->len, pad = -n & 3, total = 12 + n + pad;
    put_u32(b, type);
    put_u32(b, total);
    put(b, body->bytes->data, n);
    put(b, "\0\0\0", pad);
    put_u32(b, total);
}

static inline void ng_section(struct build *b)
{
    struct build body = build_new(b->big);
    put_u32(&body, 0x1a2b3c4d);
    put_u16(&body, 1);
    put_u16(&body, 0);
    put_u32(&body, UINT32_MAX);
    put_u32(&body, UINT32_MAX);
    ng_block(b, 0x0a0d0d0a, &body);
    build_free(&body);
}

/* options: as in the file; NULL where n is 0. */
static inline void ng_interface(struct build *b, unsigned linktype, uint32_t snaplen, const struct build *options)
{
    struct build body = build_new(b->big);
    put_u16(&body, linktype);
    put_u16(&body, 0);
    put_u32(&body, snaplen);
    if (options)
        put(&body, options->bytes->data, options->bytes->len);
    ng_block(b, 1, &body);
    build_free(&body);
}

static inline void ng_packet(struct build *b, uint32_t interface, uint64_t ticks, const char *bytes, uint32_t caplen,
                             uint32_t len)
{
    struct build body = build_new(b->big);
    put_u32(&body, interface);
    put_u32(&body, ticks >> 32);
    put_u32(&body, ticks);
    put_u32(&body, caplen);
    put_u32(&body, len);
    put(&body, bytes, caplen);
    ng_block(b, 6, &body);
    build_free(&body);
}

/* The bytes as a file in memory: *path is good while the returned descriptor is open. */
static inline int memory_file(const void *bytes, size_t n, char path[32])
{
    int fd = memfd_create("capture", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
        perror("memory_file");
        abort();
    }
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* A folder of the test's own, and a file in it; remove_folder takes both away. */
struct folder {
    char path[64];
    char file[128];
};

static inline struct folder make_folder(void)
{
    struct folder f;
    snprintf(f.path, sizeof f.path, "%s", "/tmp/tcpsleuth-test-XXXXXX");
    if (!g_mkdtemp(f.path))
        abort();
    return f;
}

static inline const char *file_in(struct folder *f, const char *name, const void *bytes, size_t n)
{
    snprintf(f->file, sizeof f->file, "%s/%s", f->path, name);
    if (bytes && !g_file_set_contents(f->file, bytes, (gssize)n, NULL))
        abort();
    return f->file;
}

static inline void remove_folder(struct folder *f)
{
    GDir *dir = g_dir_open(f->path, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));)
        g_unlink(file_in(f, name, NULL, 0));
    g_dir_close(dir);
    g_rmdir(f->path);
}

/* All that a reader gave. */
struct outcome {
    bool opened;
    int code; /* of the GError; -1: none */
    char *message;
    enum capture_status status;
    GArray *frames; /* struct frame: bytes is a copy */
    struct capture_info info;
    char *truncated_file;
};

static inline void outcome_free(struct outcome *o)
{
    for (guint i = 0; i < o->frames->len; i++)
        g_free((gpointer)g_array_index(o->frames, struct frame, i).bytes);
    g_array_free(o->frames, TRUE);
    if (o->opened)
        g_array_unref(o->info.dlts);
    g_free(o->message);
    g_free(o->truncated_file);
}

static inline struct outcome read_paths(const char *const *paths, size_t n, const char *filter)
{
    struct outcome o = { .code = -1, .frames = g_array_new(FALSE, FALSE, sizeof(struct frame)) };
    GError *error = NULL;
    struct capture *c = capture_open_files(paths, n, filter, &error);
    o.opened = c != NULL;
    struct frame frame;
    while (c && (o.status = capture_next(c, &frame, &error)) == CAPTURE_FRAME) {
        frame.bytes = g_memdup2(frame.bytes, frame.caplen);
        g_array_append_val(o.frames, frame);
    }
    if (error) {
        o.code = error->code;
        o.message = g_strdup(error->message);
        g_error_free(error);
    }
    if (c) {
        /* The end stays the end. */
        if (o.status == CAPTURE_END && capture_next(c, &frame, NULL) != CAPTURE_END)
            abort();
        o.info = *capture_info(c);
        g_array_ref(o.info.dlts);
        o.truncated_file = g_strdup(o.info.truncated_file);
    }
    capture_free(c);
    return o;
}

static inline struct outcome read_path(const char *path, const char *filter)
{
    return read_paths(&path, 1, filter);
}

static inline struct outcome read_bytes(const void *bytes, size_t n, const char *filter)
{
    char path[32];
    int fd = memory_file(bytes, n, path);
    struct outcome o = read_path(path, filter);
    close(fd);
    return o;
}

static inline struct outcome read_build(const struct build *b, const char *filter)
{
    return read_bytes(b->bytes->data, b->bytes->len, filter);
}

static inline const struct frame *frame_at(const struct outcome *o, guint i)
{
    if (i >= o->frames->len) {
        fprintf(stderr, "there are only %u frames (%s)\n", o->frames->len, o->message ? o->message : "no error");
        abort();
    }
    return &g_array_index(o->frames, struct frame, i);
}

/* Read to the end, and nothing to complain about. */
static inline bool outcome_clean(const struct outcome *o)
{
    if (o->message || o->truncated_file)
        fprintf(stderr, "%s\n", o->message ? o->message : o->truncated_file);
    return o->opened && !o->message && o->status == CAPTURE_END && !o->info.truncated && !o->truncated_file &&
           o->info.bytes_read == o->info.bytes_total;
}

#endif
