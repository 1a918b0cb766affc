/* What is forbidden is tried, in a process that is confined as the program confines itself; what its task needs works. */
#include "src/confine.h"
#include "src/filter_hosts.h"
#include "src/renamer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
/* clang-format on */

/* With the sanitizers the filter is left out: what needs it is skipped. */
#if defined(__SANITIZE_ADDRESS__)
#define FILTERED 0
#else
#define FILTERED 1
#endif

#define TASKS 4
static const char *const task_names[TASKS] = { "opening", "files", "watch", "probes" };

#define OF(task) (1u << (task))
#define EVERY    (OF(CONFINE_OPENING) | OF(CONFINE_FILES) | OF(CONFINE_WATCH) | OF(CONFINE_PROBES))
#define NETWORK  (OF(CONFINE_WATCH) | OF(CONFINE_PROBES))

static char *folder, *victim; /* a file of ours */

/* --- what is tried: each returns < 0 with errno where it is refused --- */

static long run_program(void)
{
    char name[] = "true", *const argv[] = { name, NULL };
    return execv("/bin/true", argv);
}
static long run_program_of_fd(void) { return syscall(SYS_execveat, -1, "/bin/true", NULL, NULL, 0); }
static long trace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long read_memory(void) { return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0); }
static long become_somebody(void) { return syscall(SYS_setuid, 0); }
static long become_a_group(void) { return syscall(SYS_setresgid, 0, 0, 0); }
static long mount_something(void) { return mount("none", folder, "tmpfs", 0, NULL); }
static long load_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long load_module(void) { return syscall(SYS_init_module, NULL, 0, ""); }
static long measure_kernel(void) { return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0); }
static long new_namespace(void) { return unshare(CLONE_NEWUSER); }
static long own_another_root(void) { return chroot(folder); }
static long give_away(void) { return chown(victim, 1, 1); }
static long ring(void) { return syscall(SYS_io_uring_setup, 1, NULL); }
static long keys(void) { return syscall(SYS_keyctl, 0, 0, 0, 0, 0); }

static long kill_parent(void) { return kill(getppid(), 0); }
static long fork_one(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child;
}
static long open_packets(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long open_vsock(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }
static long open_internet(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static long open_netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static long write_file(void) { return open(victim, O_WRONLY); }
static long append_file(void) { return open(victim, O_RDWR | O_APPEND); }
static long cut_file(void) { return open(victim, O_RDONLY | O_TRUNC); }
static long create_file(void)
{
    g_autofree char *path = g_build_filename(folder, "new", NULL);
    return open(path, O_RDONLY | O_CREAT, 0600);
}
static long name_file(void)
{
    g_autofree char *path = g_build_filename(folder, "named", NULL);
    return rename(victim, path);
}
static long link_file(void)
{
    g_autofree char *path = g_build_filename(folder, "linked", NULL);
    return link(victim, path);
}
static long remove_file(void) { return unlink(victim); }
static long make_folder(void)
{
    g_autofree char *path = g_build_filename(folder, "made", NULL);
    return mkdir(path, 0700);
}
static long change_mode(void) { return chmod(victim, 0777); }
static long read_file(void) { return open(victim, O_RDONLY); }
static long read_file_at_top(void) { return open("/etc/passwd", O_RDONLY); }
static long listen_there(void) { return listen(0, 1); }
static long be_dumped(void) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }
static long raise_limit(void)
{
    const struct rlimit more = { 1, 1 };
    return setrlimit(RLIMIT_CORE, &more);
}
static long run_memory(void)
{
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code == MAP_FAILED ? -1 : 0;
}
static long unknown_call(void) { return syscall(SYS_sched_setaffinity, 0, 0, NULL); }

static long nameless_file(void)
{
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 && write(fd, "x", 1) == 1 && lseek(fd, 0, SEEK_SET) == 0 ? 0 : -1;
}
static long memory_and_time(void)
{
    g_autofree char *much = g_malloc0(64 << 20);
    return much[1] == 0 && g_get_real_time() > 0 && usleep(1) == 0 ? 0 : -1;
}
static long index_of_loopback(void) { return if_nametoindex("lo") ? 0 : -1; }
static gpointer nothing(gpointer user) { return user; }
static long thread(void)
{
    GThread *t = g_thread_try_new("one", nothing, &errno, NULL);
    return t && g_thread_join(t) == &errno ? 0 : -1;
}
static long exist(void) { return kill(getpid(), 0); }

enum fate { KILLED, REFUSED, DONE };

static const struct attempt {
    const char *what;
    long (*try)(void);
    unsigned tasks; /* in these its fate is this; else it is not tried */
    enum fate fate;
} attempts[] = {
    { "execve", run_program, EVERY, KILLED },
    { "execveat", run_program_of_fd, EVERY, KILLED },
    { "ptrace", trace, EVERY, KILLED },
    { "process_vm_readv", read_memory, EVERY, KILLED },
    { "setuid", become_somebody, EVERY, KILLED },
    { "setresgid", become_a_group, EVERY, KILLED },
    { "mount", mount_something, EVERY, KILLED },
    { "bpf", load_bpf, EVERY, KILLED },
    { "init_module", load_module, EVERY, KILLED },
    { "perf_event_open", measure_kernel, EVERY, KILLED },
    { "unshare", new_namespace, EVERY, KILLED },
    { "chroot", own_another_root, EVERY, KILLED },
    { "chown", give_away, EVERY, KILLED },
    { "io_uring_setup", ring, EVERY, KILLED },
    { "keyctl", keys, EVERY, KILLED },
    { "kill of another process", kill_parent, EVERY, REFUSED },
    { "a socket of packets", open_packets, EVERY, REFUSED },
    { "a socket of another family", open_vsock, EVERY, REFUSED },
    { "a socket of the Internet", open_internet, EVERY & ~OF(CONFINE_PROBES), REFUSED },
    { "a socket of the Internet", open_internet, OF(CONFINE_PROBES), DONE },
    { "netlink", open_netlink, EVERY & ~NETWORK, REFUSED },
    { "netlink", open_netlink, NETWORK, DONE },
    { "listen", listen_there, EVERY, REFUSED },
    { "link", link_file, EVERY, REFUSED },
    { "mkdir", make_folder, EVERY, REFUSED },
    { "chmod", change_mode, EVERY, REFUSED },
    { "sched_setaffinity", unknown_call, EVERY, REFUSED },
    { "fork", fork_one, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "open for writing", write_file, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "open for appending", append_file, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "open that empties", cut_file, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "open that creates", create_file, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "rename", name_file, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "unlink", remove_file, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "PR_SET_DUMPABLE", be_dumped, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "setrlimit", raise_limit, EVERY & ~OF(CONFINE_OPENING), REFUSED },
    { "memory that runs", run_memory, EVERY & ~OF(CONFINE_PROBES), REFUSED },
    { "open for reading", read_file_at_top, OF(CONFINE_FILES), REFUSED },
    { "open for reading", read_file, EVERY & ~OF(CONFINE_FILES), DONE },
    { "open for writing", write_file, OF(CONFINE_OPENING), DONE },
    { "a temporary file without a name", nameless_file, EVERY, DONE },
    { "memory and time", memory_and_time, EVERY, DONE },
    { "a signal to itself", exist, EVERY, DONE },
    { "if_nametoindex", index_of_loopback, NETWORK, DONE },
    { "a thread", thread, NETWORK, DONE },
};

/* --- a process that is confined and tries --- */

#define NOT_CONFINED 99

static int try_it(enum confinement task, const char *filter, long (*what)(void))
{
    int status = 0;

    pid_t child = fork();
    if (child == 0) {
        if (!confine(task, filter))
            _exit(NOT_CONFINED);
        _exit(what() < 0 ? 1 : 0);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

static enum fate fate_of(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? KILLED : (enum fate)-1;
    return WEXITSTATUS(status) == 0 ? DONE : WEXITSTATUS(status) == 1 ? REFUSED : (enum fate)-1;
}

static void test_attempts(void **state)
{
    static const char *const fates[] = { "kill", "refuse", "allow" };

    (void)state;
    if (!FILTERED)
        skip();
    for (size_t i = 0; i < G_N_ELEMENTS(attempts); i++)
        for (int task = 0; task < TASKS; task++) {
            const struct attempt *a = &attempts[i];
            if (!(a->tasks & OF(task)))
                continue;
            int status = try_it((enum confinement)task, NULL, a->try);
            if (fate_of(status) != a->fate)
                fail_msg("%s does not %s: %s (status %x)", task_names[task], fates[a->fate], a->what, (unsigned)status);
        }
}

/* What each attempt does where nothing is forbidden: else the test would show nothing. */
static void test_unconfined(void **state)
{
    long (*const harmless[])(void) = { open_internet, open_netlink, write_file, append_file, create_file, change_mode,
                                       make_folder, link_file, run_memory, fork_one, read_file, kill_parent };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(harmless); i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(harmless[i]() < 0 ? 1 : 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

/* A name in the filter may be looked up; an address may not, there is nothing to look up. */
static void test_names(void **state)
{
    (void)state;
    if (!FILTERED)
        skip();
    assert_int_equal(fate_of(try_it(CONFINE_FILES, "host www.example.net", open_internet)), DONE);
    assert_int_equal(fate_of(try_it(CONFINE_FILES, "tcp port http", read_file_at_top)), DONE);
    assert_int_equal(fate_of(try_it(CONFINE_FILES, "tcp port http", write_file)), REFUSED);
    assert_int_equal(fate_of(try_it(CONFINE_FILES, "tcp port http", run_program)), KILLED);
    assert_int_equal(fate_of(try_it(CONFINE_FILES, "host 192.0.2.1 and tcp port 80", open_internet)), REFUSED);
}

static void test_filter_looks_up(void **state)
{
    static const char *const without[] = { NULL, "", "tcp", "host 192.0.2.1", "ip6 and (src net 2001:db8::/32)", "!port 80",
                                           "tcp[tcpflags] & (tcp-syn|tcp-ack) != 0", "len>=100", "ip[2:2]=0x40" },
                             *const with[] = { "host example.net", "port http", "tcp and (host a or host 192.0.2.1)", "net home",
                                               "host tcp-relay" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(without); i++)
        assert_false(filter_looks_up(without[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(with); i++)
        assert_true(filter_looks_up(with[i]));
}

/* --- what is left --- */

static long dumps_nothing(void)
{
    struct rlimit core;

    return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 ? 0 : -1;
}

/* From outside, while it waits. */
static void want_status(pid_t process, const char *line)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)process), *text = NULL;

    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    if (!strstr(text, line))
        fail_msg("no \"%s\" in %s", line, text);
}

static void look_at(enum confinement task)
{
    int ready[2], go[2], status;
    char c;

    assert_true(pipe(ready) == 0 && pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(go[1]);
        if (!confine(task, NULL) || write(ready[1], "x", 1) != 1)
            _exit(NOT_CONFINED);
        _exit(read(go[0], &c, 1) == 0 ? 0 : 1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    want_status(child, "NoNewPrivs:\t1");
    want_status(child, "Seccomp:\t2");
    if (task == CONFINE_FILES)
        for (const char *const *set = (const char *const[]){ "CapInh", "CapPrm", "CapEff", "CapAmb", NULL }; *set; set++) {
            g_autofree char *line = g_strdup_printf("%s:\t0000000000000000", *set);
            want_status(child, line);
        }
    g_autofree char *fds = g_strdup_printf("/proc/%d/fd", (int)child);
    struct stat s;
    if (stat(fds, &s) == 0)
        assert_int_equal(s.st_uid, 0); /* not dumpable: it is the kernel's, whoever runs it */
    if (geteuid() != 0)
        assert_int_equal(ptrace(PTRACE_ATTACH, child, NULL, NULL), -1);
    close(go[0]);
    close(go[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ready[0]);
}

static void test_what_is_left(void **state)
{
    (void)state;
    if (!FILTERED)
        skip();
    for (int task = 0; task < TASKS; task++) {
        look_at((enum confinement)task);
        assert_int_equal(try_it((enum confinement)task, NULL, dumps_nothing), 0);
    }
}

/* --- the process that names the report --- */

static void check_renamer(bool keep, bool there)
{
    g_autofree char *from = g_build_filename(folder, "report.tmp", NULL), *to = g_build_filename(folder, "report", NULL);

    assert_true(g_file_set_contents(from, "x", 1, NULL));
    struct renamer *r = renamer_start(from, to);
    assert_non_null(r);
    int failure = renamer_finish(r, keep);
    assert_int_equal(failure == 0, keep);
    assert_int_equal(g_access(to, F_OK) == 0, there);
    assert_int_equal(g_access(from, F_OK), -1);
    g_unlink(to);
}

static long rename_by_proxy(void)
{
    g_autofree char *from = g_build_filename(folder, "killed.tmp", NULL), *to = g_build_filename(folder, "killed", NULL);

    return g_file_set_contents(from, "x", 1, NULL) && renamer_start(from, to) ? raise(SIGKILL) : 1;
}

static void test_renamer(void **state)
{
    (void)state;
    check_renamer(true, true);
    check_renamer(false, false);
}

/* The unfinished file goes with us, however we end. */
static void test_renamer_of_the_dead(void **state)
{
    g_autofree char *from = g_build_filename(folder, "killed.tmp", NULL), *to = g_build_filename(folder, "killed", NULL);
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit((int)rename_by_proxy());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    for (int i = 0; i < 500 && g_access(from, F_OK) == 0; i++)
        g_usleep(10000);
    assert_int_equal(g_access(from, F_OK), -1);
    assert_int_equal(g_access(to, F_OK), -1);
}

static int make_files(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("confine-XXXXXX", NULL);
    victim = g_build_filename(folder, "victim", NULL);
    return folder && g_file_set_contents(victim, "victim", -1, NULL) ? 0 : -1;
}

static int remove_files(void **state)
{
    static const char *const names[] = { "victim", "new", "named", "linked", "made" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_remove(path);
    }
    g_rmdir(folder);
    g_free(folder);
    g_free(victim);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempts),          cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_left),
        cmocka_unit_test(test_unconfined),        cmocka_unit_test(test_filter_looks_up),
        cmocka_unit_test(test_renamer),           cmocka_unit_test(test_renamer_of_the_dead),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
