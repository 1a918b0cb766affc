/* The capture reader over one hostile file, with a filter that looks into every frame. */
#include "capture/capture.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32];
    const char *paths[] = { path };
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct capture *c = capture_open_files(paths, 1, "tcp or udp port 53", NULL);
    struct frame frame;
    while (c && capture_next(c, &frame, NULL) == CAPTURE_FRAME)
        g_free(g_memdup2(frame.bytes, frame.caplen)); /* reads all of it */
    capture_free(c);
    close(fd);
    return 0;
}
