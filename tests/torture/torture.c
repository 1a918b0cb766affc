/* torture: the whole program, over and over, on captures that are whole, cut at every 97th byte, and damaged at random.
 *
 *     torture [-s SEED] [-n DAMAGED] [-c CUTS] [-j JOBS] [-m MEGABYTES] [-k FOLDER] CAPTURES...
 *
 * CAPTURES are files, or folders with all that is in them. The program is no process of its own but linked in, and runs in a fork
 * (with the sanitizers, starting it takes twenty times as long as what it does). It must end with 0, 1 or 2 (2 not without a word), in
 * CPU_SECONDS, in MEGABYTES of memory. What fails is kept in FOLDER, with the command that repeats it. The last line is "N passed, N failed".
 */
#include "tests/torture/damage.h"

#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CUT_STEP 97
/* Of the processor, since the machine may be busy; and by the clock, for one that waits for nothing. */
#define CPU_SECONDS 5
#define WALL_SECONDS 60
#define FAULT 99 /* the exit status of a sanitizer that found something */
#define MISUSE 64
#define LEAK_STEP 5
#define ERROR_BYTES 2000

/* src/main.c, by another name. */
int program_main(int argc, char **argv);

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_options(void);

const char *__asan_default_options(void)
{
    return "exitcode=99:detect_leaks=1:quarantine_size_mb=8:hard_rss_limit_mb=2048:allocator_may_return_null=0";
}

const char *__ubsan_default_options(void)
{
    return "exitcode=99:print_stacktrace=1";
}

const char *__lsan_default_options(void)
{
    return "exitcode=99";
}

int __lsan_is_turned_off(void);

/* Looking for leaks takes as long as all the rest: one run in LEAK_STEP does. */
static bool leaks_matter;

int __lsan_is_turned_off(void)
{
    return !leaks_matter;
}

/* What the program is asked for, one after the other; "@" is the capture. */
static const char *const forms[][6] = {
    { "-r", "@" },
    { "--json", "-r", "@" },
    { "--format=ndjson", "-r", "@" },
    { "-a", "-v", "-r", "@" },
    { "--why", "-r", "@" },
    { "--flow=1", "-r", "@" },
    { "compare", "--json", "@", "@" },
    { "-r", "@", "-w", "/dev/null", "tcp port 80 or udp" },
};

struct plan {
    uint64_t seed;
    unsigned long damaged, cuts, jobs, megabytes;
    const char *keep;
};

enum kind { WHOLE, CUT, DAMAGED, KINDS };
static const char *const kind_names[KINDS] = { "whole", "cut", "damaged" };

/* Of one job; all lie in memory that the jobs share. */
struct tally {
    unsigned long all, runs[KINDS], statuses[3], failed;
    long most_kb, most_ms;
};

/* A job, and what it runs. */
struct job {
    const struct plan *plan;
    unsigned long number;
    struct tally *tally;
    int input, errors, null;
    const char *path; /* of the capture */
};

struct result {
    int status; /* of wait4 */
    long kb, ms;
    char errors[ERROR_BYTES + 1];
};

/* --- one run --- */

static void child(struct job *j, const char *const *form)
{
    char path[32], name[] = "tcpsleuth", *argv[8] = { name };
    int argc = 1;

    snprintf(path, sizeof path, "/proc/self/fd/%d", j->input);
    for (; form[argc - 1]; argc++)
        argv[argc] = strcmp(form[argc - 1], "@") == 0 ? path : (char *)form[argc - 1];
    setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_SECONDS, CPU_SECONDS + 1 });
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    alarm(WALL_SECONDS);
    if (dup2(j->null, STDIN_FILENO) < 0 || dup2(j->null, STDOUT_FILENO) < 0 || dup2(j->errors, STDERR_FILENO) < 0)
        _exit(MISUSE);
    exit(program_main(argc, argv));
}

static void refill(int fd, const uint8_t *bytes, size_t size)
{
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 || write(fd, bytes, size) != (ssize_t)size)
        err(MISUSE, "memory for a capture");
}

static struct result run(struct job *j, const char *const *form)
{
    struct result r = { 0 };
    struct rusage used;

    leaks_matter = j->tally->all++ % LEAK_STEP == 0;
    refill(j->errors, NULL, 0);
    pid_t pid = fork();
    if (pid == 0)
        child(j, form);
    if (pid < 0 || wait4(pid, &r.status, 0, &used) != pid)
        err(MISUSE, "fork");
    ssize_t n = pread(j->errors, r.errors, ERROR_BYTES, 0);
    r.errors[n > 0 ? n : 0] = 0;
    r.kb = used.ru_maxrss;
    r.ms = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
    return r;
}

/* Why this is a failure, or NULL. */
static const char *complaint(const struct result *r, const struct plan *plan)
{
    int status = WEXITSTATUS(r->status);

    if (WIFSIGNALED(r->status))
        return WTERMSIG(r->status) == SIGXCPU || WTERMSIG(r->status) == SIGALRM ? "took too long" : "was killed by a signal";
    if (status > 2)
        return status == FAULT ? "a sanitizer found something" : "ended with another status than 0, 1 and 2";
    if (status == 2 && !r->errors[0])
        return "ended with 2 without a word";
    return r->kb > (long)plan->megabytes * 1024 ? "took too much memory" : NULL;
}

/* --- a case --- */

static void keep(const struct job *j, const char *const *form, const char *name, const uint8_t *bytes, size_t size)
{
    g_autofree char *path = g_build_filename(j->plan->keep, name, NULL);
    g_autoptr(GString) command = g_string_new("build/asan/tcpsleuth");
    g_autoptr(GError) error = NULL;

    for (; *form; form++) {
        g_autofree char *word = g_shell_quote(strcmp(*form, "@") == 0 ? path : *form);
        g_string_append_printf(command, " %s", word);
    }
    if (g_mkdir_with_parents(j->plan->keep, 0777) < 0 || !g_file_set_contents(path, (const char *)bytes, (gssize)size, &error))
        warnx("%s: could not be kept%s%s", path, error ? ": " : "", error ? error->message : "");
    printf("    %s\n", command->str);
}

/* One capture with one form; `number` tells apart those of the same kind and file. */
static void try(struct job *j, enum kind kind, unsigned long number, const uint8_t *bytes, size_t size)
{
    const char *const *form = forms[number % G_N_ELEMENTS(forms)];

    refill(j->input, bytes, size);
    struct result r = run(j, form);
    const char *why = complaint(&r, j->plan);
    j->tally->runs[kind]++;
    j->tally->most_kb = MAX(j->tally->most_kb, r.kb);
    j->tally->most_ms = MAX(j->tally->most_ms, r.ms);
    if (!why) {
        j->tally->statuses[WEXITSTATUS(r.status)]++;
        return;
    }
    j->tally->failed++;
    g_autofree char *base = g_path_get_basename(j->path), *name = g_strdup_printf("%s-%s-%lu", base, kind_names[kind], number);
    printf("not ok: %s, %s %lu: %s (%ld ms, %ld KB)\n%s", j->path, kind_names[kind], number, why, r.ms, r.kb, r.errors);
    keep(j, form, name, bytes, size);
    fflush(stdout);
}

/* How far apart the cuts of this file are: a multiple of 97 bytes, so that there are no more than asked for. */
static size_t cut_step(const struct plan *plan, size_t size)
{
    size_t all = size / CUT_STEP;

    return CUT_STEP * (plan->cuts && all > plan->cuts ? (all + plan->cuts - 1) / plan->cuts : 1);
}

static void torture(struct job *j, size_t file, unsigned long n_damaged)
{
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;
    size_t size = 0;
    unsigned long turn = file; /* so that small files are not all the first job's */

    if (!g_file_get_contents(j->path, &content, &size, &error))
        errx(MISUSE, "%s", error->message);
    const uint8_t *bytes = (const uint8_t *)content;
    g_autofree uint8_t *copy = g_malloc(size + DAMAGE_GROWTH);
    for (unsigned long i = 0; i < G_N_ELEMENTS(forms); i++)
        if (turn++ % j->plan->jobs == j->number)
            try(j, WHOLE, i, bytes, size);
    size_t step = cut_step(j->plan, size);
    for (size_t at = step; at < size; at += step)
        if (turn++ % j->plan->jobs == j->number)
            try(j, CUT, at / CUT_STEP, bytes, at);
    for (unsigned long i = 0; i < n_damaged; i++) {
        if (turn++ % j->plan->jobs != j->number)
            continue;
        memcpy(copy, bytes, size);
        try(j, DAMAGED, i, copy, damage(copy, size, j->plan->seed + (uint64_t)file * 1000003 + i));
    }
}

/* --- all of them --- */

static GPtrArray *captures; /* nftw has no other way to hand it in */

static int add_capture(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)where;
    if (type == FTW_F && S_ISREG(st->st_mode) && st->st_size > 0)
        g_ptr_array_add(captures, g_strdup(path));
    return 0;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void collect(char **paths, int n)
{
    captures = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < n; i++)
        if (nftw(paths[i], add_capture, 32, FTW_PHYS) != 0)
            err(MISUSE, "%s", paths[i]);
    g_ptr_array_sort(captures, by_name);
    if (captures->len == 0)
        errx(MISUSE, "there is no capture");
}

static void work(const struct plan *plan, unsigned long number, struct tally *tally)
{
    struct job j = { plan, number, tally, memfd_create("capture", 0), memfd_create("errors", 0), open("/dev/null", O_RDWR), NULL };
    unsigned long n = captures->len;

    if (j.input < 0 || j.errors < 0 || j.null < 0)
        err(MISUSE, "a file in memory");
    for (size_t i = 0; i < n; i++) {
        j.path = g_ptr_array_index(captures, i);
        torture(&j, i, plan->damaged / n + (i < plan->damaged % n));
    }
    exit(0);
}

static bool run_jobs(const struct plan *plan, struct tally *tallies)
{
    bool good = true;
    int status;

    fflush(stdout);
    for (unsigned long i = 0; i < plan->jobs; i++) {
        pid_t pid = fork();
        if (pid < 0)
            err(MISUSE, "fork");
        if (pid == 0)
            work(plan, i, &tallies[i]);
    }
    for (unsigned long i = 0; i < plan->jobs; i++)
        good = wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && good;
    return good;
}

static struct tally total(const struct plan *plan, const struct tally *tallies)
{
    struct tally t = { 0 };

    for (unsigned long i = 0; i < plan->jobs; i++) {
        for (int k = 0; k < KINDS; k++)
            t.runs[k] += tallies[i].runs[k];
        for (int s = 0; s < 3; s++)
            t.statuses[s] += tallies[i].statuses[s];
        t.failed += tallies[i].failed;
        t.most_kb = MAX(t.most_kb, tallies[i].most_kb);
        t.most_ms = MAX(t.most_ms, tallies[i].most_ms);
    }
    return t;
}

/* A job that died is a failure of its own. */
static int conclude(const struct plan *plan, const struct tally *t, bool complete, double seconds)
{
    unsigned long runs = t->runs[WHOLE] + t->runs[CUT] + t->runs[DAMAGED], failed = t->failed + !complete;

    printf("%u captures: %lu runs whole, %lu cut, %lu damaged, in %.0f s; seed %" G_GUINT64_FORMAT "\n", captures->len, t->runs[WHOLE], t->runs[CUT],
           t->runs[DAMAGED], seconds, plan->seed);
    printf("status 0: %lu, 1: %lu, 2: %lu; at most %ld ms of CPU time of %d s, %ld MB of %lu\n", t->statuses[0], t->statuses[1], t->statuses[2],
           t->most_ms, CPU_SECONDS, t->most_kb / 1024, plan->megabytes);
    if (!complete)
        printf("a job died\n");
    printf("%lu passed, %lu failed\n", runs - t->failed, failed);
    return failed ? 1 : 0;
}

static struct plan parse(int argc, char **argv)
{
    struct plan plan = { .seed = 1, .damaged = 20000, .jobs = (unsigned long)sysconf(_SC_NPROCESSORS_ONLN), .megabytes = 512, .keep = "build/torture" };
    int option;

    while ((option = getopt(argc, argv, "s:n:c:j:m:k:")) != -1) {
        unsigned long number = optarg ? strtoul(optarg, NULL, 10) : 0;
        if (option == 's')
            plan.seed = number;
        else if (option == 'n')
            plan.damaged = number;
        else if (option == 'c')
            plan.cuts = number;
        else if (option == 'j' && number > 0)
            plan.jobs = number;
        else if (option == 'm')
            plan.megabytes = number;
        else if (option == 'k')
            plan.keep = optarg;
        else
            errx(MISUSE, "usage: torture [-s SEED] [-n DAMAGED] [-c CUTS] [-j JOBS] [-m MEGABYTES] [-k FOLDER] CAPTURES...");
    }
    return plan;
}

int main(int argc, char **argv)
{
    struct plan plan = parse(argc, argv);
    gint64 began = g_get_monotonic_time();

    collect(argv + optind, argc - optind);
    struct tally *tallies = mmap(NULL, plan.jobs * sizeof *tallies, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED)
        err(MISUSE, "mmap");
    bool complete = run_jobs(&plan, tallies);
    struct tally t = total(&plan, tallies);
    return conclude(&plan, &t, complete, (double)(g_get_monotonic_time() - began) / 1e6);
}
