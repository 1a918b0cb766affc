/* guard: copies of bytes that end where a page begins that nobody may read, so that a read past the end crashes there
 * and then. */
#ifndef TCPSLEUTH_TESTS_GUARD_H
#define TCPSLEUTH_TESTS_GUARD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The mapping: a page that holds its size, the pages of the copy, the page that cannot be read. */

static inline size_t guard_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* n bytes of p (which may be NULL where n is 0). Free with guard_free. */
static inline uint8_t *guard_copy(const void *p, size_t n)
{
    size_t page = guard_page(), pages = (n + page - 1) / page, total = (pages + 2) * page;
    uint8_t *map = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + total - page, page, PROT_NONE) != 0) {
        perror("guard_copy");
        abort();
    }
    memcpy(map, &total, sizeof total);
    uint8_t *copy = map + total - page - n;
    if (n > 0)
        memcpy(copy, p, n);
    return copy;
}

static inline void guard_free(uint8_t *copy)
{
    size_t page = guard_page(), total;
    /* The copy begins in the page after the first, or, empty, at the page that cannot be read: also the one after the
     * first. */
    uint8_t *map = copy - (uintptr_t)copy % page - page;
    memcpy(&total, map, sizeof total);
    munmap(map, total);
}

#endif
