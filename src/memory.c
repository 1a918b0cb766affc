#include "src/memory.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- the guard --- */

/* What malloc asks the kernel for at least when its heap cannot grow (glibc: MMAP_AS_MORECORE_SIZE). */
#define LAST_RESORT ((size_t)1 << 20)

/* Nothing here may allocate, or wait for a lock. */
G_NORETURN static void end_with(const char *first, const char *rest)
{
    struct iovec parts[] = { { (char *)first, strlen(first) }, { (char *)rest, strlen(rest) } };

    (void)!writev(STDERR_FILENO, parts, G_N_ELEMENTS(parts));
    _exit(2);
}

G_NORETURN static void end_at_once(void)
{
    end_with("tcpsleuth: memory is at its end, and there is no report; ", MEMORY_REMEDY "\n");
}

static bool is_used_up(void)
{
    void *p = mmap(NULL, LAST_RESORT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return true;
    munmap(p, LAST_RESORT);
    return false;
}

/* GLogFunc. What GLib gives up for is the system's no: to memory, to the pipe of a main loop, to a thread. */
static void on_log(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer user)
{
    if (level & G_LOG_LEVEL_ERROR && (strstr(message, "failed to allocate") || is_used_up()))
        end_at_once();
    if (level & G_LOG_LEVEL_ERROR && g_strcmp0(domain, "GLib") == 0) {
        g_autofree char *line = g_strdup_printf("tcpsleuth: %s", message);
        end_with(line, "; there is no report; raise the limits of this process (ulimit -a)\n");
    }
    g_log_default_handler(domain, level, message, user);
}

/* How a process ends where memory does: by abort, by GLib's breakpoint, or by a stack that cannot grow, into which GLib runs when it cannot
 * even say so. */
static const int ends[] = { SIGABRT, SIGTRAP, SIGSEGV };
static struct sigaction before[G_N_ELEMENTS(ends)];

/* For want of memory, or by a slip of ours, which ends as if nobody had looked. */
static void on_end(int number)
{
    if (is_used_up())
        end_at_once();
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
        if (ends[i] == number)
            sigaction(number, &before[i], NULL);
    if (number != SIGSEGV) /* which comes again by itself */
        raise(number);
}

/* The handler needs a stack where the usual one is at its end. */
void memory_guard(void)
{
    static char room[16384];
    const stack_t stack = { .ss_sp = room, .ss_size = sizeof room };
    const struct sigaction action = { .sa_handler = on_end, .sa_flags = SA_ONSTACK };

    g_log_set_default_handler(on_log, NULL);
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
        sigaction(ends[i], &action, &before[i]);
}

/* --- the bounds --- */

static int64_t resource_bound(int resource)
{
    struct rlimit r;

    return getrlimit(resource, &r) == 0 && r.rlim_cur < (rlim_t)G_MAXINT64 ? (int64_t)r.rlim_cur : G_MAXINT64;
}

/* Where the groups of a hierarchy lie, and the file of each that bounds it. */
struct hierarchy {
    const char *root, *file;
};

/* The bound of a folder of the hierarchy is a number, or "max". Version 1 says none by the largest number of whole pages. */
static int64_t folder_bound(const struct hierarchy *h, const char *folder)
{
    g_autofree char *path = g_build_filename(h->root, folder, h->file, NULL), *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !g_ascii_isdigit(*text))
        return G_MAXINT64;
    int64_t bound = g_ascii_strtoll(text, NULL, 10);
    return bound > G_MAXINT64 - (1 << 20) ? G_MAXINT64 : bound;
}

/* Which hierarchy a line of /proc/self/cgroup, "ID:CONTROLLERS:FOLDER", is about: that of version 2 has no controllers there; NULL: one
 * that is no matter of memory. */
static const struct hierarchy *hierarchy_of(const char *controllers)
{
    static const struct hierarchy unified = { "/sys/fs/cgroup", "memory.max" };
    static const struct hierarchy legacy = { "/sys/fs/cgroup/memory", "memory.limit_in_bytes" };
    g_auto(GStrv) names = g_strsplit(controllers, ",", -1);

    if (*controllers == '\0')
        return &unified;
    return g_strv_contains((const char *const *)names, "memory") ? &legacy : NULL;
}

/* Of that folder and those that hold it. A container may see its own group as the root, and be told of a path outside. */
static int64_t folders_bound(const struct hierarchy *h, char *folder)
{
    int64_t least = G_MAXINT64;

    for (char *end = folder + strlen(folder); end; end = strrchr(folder, '/')) {
        *end = '\0';
        int64_t bound = folder_bound(h, folder);
        least = MIN(least, bound);
    }
    return least;
}

/* Of the process's own group and of those that hold it. */
static int64_t group_bound(void)
{
    g_autofree char *text = NULL;
    int64_t least = G_MAXINT64;

    if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL))
        return least;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ":", 3);
        const struct hierarchy *h = g_strv_length(fields) == 3 ? hierarchy_of(fields[1]) : NULL;
        int64_t bound = h ? folders_bound(h, fields[2]) : G_MAXINT64;
        least = MIN(least, bound);
    }
    return least;
}

static bool read_usage(int statm, int64_t used[MEMORY_BOUNDS])
{
    long long pages[7]; /* size resident shared text lib data dt */
    char line[256];
    ssize_t n = pread(statm, line, sizeof line - 1, 0);
    char *p = line;

    if (n <= 0)
        return false;
    line[n] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(pages); i++)
        pages[i] = strtoll(p, &p, 10) * sysconf(_SC_PAGESIZE);
    used[MEMORY_ADDRESSES] = pages[0];
    used[MEMORY_DATA] = pages[5];
    used[MEMORY_GROUP] = pages[1];
    return true;
}

/* Of what there is from here on. */
static int64_t most_of(int64_t bound, int64_t used, int kept)
{
    return bound == G_MAXINT64 ? bound : used + MAX(bound - used, 0) / 100 * (100 - kept);
}

void memory_open(struct memory *m, int kept)
{
    const int64_t bounds[MEMORY_BOUNDS] = { resource_bound(RLIMIT_AS), resource_bound(RLIMIT_DATA), group_bound() };
    int64_t used[MEMORY_BOUNDS];

    *m = (struct memory){ 0 };
    for (int i = 0; i < MEMORY_BOUNDS; i++)
        m->bounded |= bounds[i] != G_MAXINT64;
    if (m->bounded)
        m->bounded = (m->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) >= 0;
    if (m->bounded && !read_usage(m->statm, used))
        memory_close(m);
    for (int i = 0; m->bounded && i < MEMORY_BOUNDS; i++)
        m->most[i] = most_of(bounds[i], used[i], kept);
}

void memory_close(struct memory *m)
{
    if (m->bounded)
        close(m->statm);
    m->bounded = false;
}

bool memory_lasts(struct memory *m, size_t bytes)
{
    int64_t used[MEMORY_BOUNDS], room = G_MAXINT64;

    if (!m->bounded)
        return true;
    m->left -= (int64_t)bytes;
    if (m->left > 0 || !read_usage(m->statm, used))
        return true;
    for (int i = 0; i < MEMORY_BOUNDS; i++)
        room = MIN(room, m->most[i] - used[i]);
    m->left = room / 2;
    return room > 0;
}
