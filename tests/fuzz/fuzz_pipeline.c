/* A capture file through everything, to a report in each format: what is written is valid UTF-8 without a control character. */
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

static void run(const char *path, const char *format, const struct report_options *options)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct capture *c = capture_open_files(&path, 1, NULL, NULL);
    struct pipeline *p = pipeline_new(report_format_find(format), options, out);
    struct frame frame;

    while (c && capture_next(c, &frame, NULL) == CAPTURE_FRAME)
        pipeline_frames(p, &frame, 1);
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
    run(path, "text", &(struct report_options){ .columns = 100, .verbose = 1, .all = true, .flow = 1 });
    run(path, "text", &(struct report_options){ .columns = 80 });
    run(path, "json", &(struct report_options){ .columns = 100 });
    run(path, "ndjson", &(struct report_options){ .columns = 100 });
    close(fd);
    return 0;
}
