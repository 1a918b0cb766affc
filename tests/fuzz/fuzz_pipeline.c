/* A capture file through everything, to a report in each format, and as if it were live: what is written is valid UTF-8 without a control
 * character.
 */
#include "src/pipeline.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t n)
{
    g_assert(g_utf8_validate(text, (gssize)n, NULL));
    for (size_t i = 0; i < n; i++)
        g_assert(text[i] == '\n' || ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
}

#define FRAMES 16

static void run(const char *path, const char *format, struct report_options options)
{
    char *text = NULL;
    size_t n = 0, n_frames = 0;
    FILE *out = open_memstream(&text, &n);
    options.told = out;
    struct capture *c = capture_open_files(&path, 1, NULL, NULL);
    struct pipeline *p = pipeline_new(report_format_find(format), &options, out);
    struct frame frames[FRAMES];

    while (c && capture_batch(c, frames, FRAMES, &n_frames, NULL) == CAPTURE_FRAME) {
        pipeline_frames(p, frames, n_frames);
        if (options.live)
            pipeline_clock(p, frames[n_frames - 1].ts_ns + 300 * NS_PER_MS);
    }
    if (options.live)
        pipeline_tell_stats(p);
    if (c)
        pipeline_finish(p, capture_info(c), "input");
    pipeline_free(p);
    capture_free(c);
    fclose(out);
    check_text(text, n);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32];
    int fd = memfd_create("input", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    run(path, "text", (struct report_options){ .columns = 100, .verbose = 1, .all = true, .flow = 1 });
    run(path, "text", (struct report_options){ .columns = 80, .live = true });
    run(path, "json", (struct report_options){ .columns = 100, .why = true });
    run(path, "ndjson", (struct report_options){ .columns = 100 });
    close(fd);
    return 0;
}
