/* memory: how much of it this process may have (`ulimit -v`, `ulimit -d`, the bound of its cgroup), and what to do when that ends.
 *
 * GLib aborts where malloc says no, and the kernel kills where a cgroup is full. So packets are read until three quarters of what there was
 * at the start are used; the rest is for judging and reporting what was read. Should even that not do, the guard ends the program with
 * a line that says so, and exit status 2. Sources: setrlimit(2), proc(5) "statm", the kernel's Documentation/admin-guide/cgroup-v2.rst
 * (memory.max) and cgroup-v1/memory.rst (memory.limit_in_bytes).
 */
#ifndef TCPSLEUTH_SRC_MEMORY_H
#define TCPSLEUTH_SRC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who bounds it. */
enum memory_bound { MEMORY_ADDRESSES, MEMORY_DATA, MEMORY_GROUP, MEMORY_BOUNDS };

struct memory {
    bool bounded;                /* and it can be told how much is used: the rest holds */
    int statm;
    int64_t most[MEMORY_BOUNDS]; /* bytes that may be in use while packets are read */
    int64_t left;                /* bytes until it is looked at again */
};

/* An allocation that fails ends the program in good order from now on. */
void memory_guard(void);

/* Hundredths that are kept back for judging and reporting. With --why each flow gets a ledger then, which is as large as the flow. */
#define MEMORY_KEPT 25
#define MEMORY_KEPT_FOR_WHY 60

/* Looks up the bounds. memory_close frees; also what is all zero. */
void memory_open(struct memory *m, int kept);
void memory_close(struct memory *m);

/* At most so many bytes more will have been taken: whether packets may still be read. Cheap. */
bool memory_lasts(struct memory *m, size_t bytes);

/* What to do about it, for the end of a sentence. */
#define MEMORY_REMEDY "raise the limit (ulimit -v, or the cgroup's), or let a filter choose less"

#endif
