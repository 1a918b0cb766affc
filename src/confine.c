#include "src/confine.h"

#include "src/filter_hosts.h"
#include "src/notice.h"
#include "src/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Whose rule it is. */
#define OPENING (1u << CONFINE_OPENING)
#define FILES   (1u << CONFINE_FILES)
#define WATCH   (1u << CONFINE_WATCH)
#define PROBES  (1u << CONFINE_PROBES)
#define NAMES   (1u << 4) /* a filter whose names are looked up */
#define NETWORK (WATCH | PROBES)
#define ALL     (OPENING | FILES | NETWORK)

/* One call, allowed where an argument is as `want` under `mask`. mask 0: any. */
struct allowed {
    unsigned whose;
    int call;
    unsigned argument;
    scmp_datum_t mask, want;
};

#define ANY(whose, name)                        { whose, SCMP_SYS(name), 0, 0, 0 }
#define WHERE(whose, name, argument, mask, want) { whose, SCMP_SYS(name), argument, mask, want }
#define EXACTLY 0xffffffffu

/* Opened to be read, whatever is there. */
#define CHANGING_FLAGS (O_ACCMODE | O_CREAT | O_TRUNC)
/* A file without a name that can never get one: for what does not fit into memory (report/spool.h). */
#define NAMELESS_FLAGS (O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC)

/* clang-format off */
static const struct allowed allowed[] = {
    /* what is open */
    ANY(ALL, read), ANY(ALL, readv), ANY(ALL, pread64), ANY(ALL, preadv), ANY(ALL, write), ANY(ALL, writev), ANY(ALL, pwrite64),
    ANY(ALL, lseek), ANY(ALL, _llseek), ANY(ALL, close), ANY(ALL, fstat), ANY(ALL, fstat64), ANY(ALL, fcntl), ANY(ALL, fcntl64),
    ANY(ALL, fadvise64), ANY(ALL, poll), ANY(ALL, ppoll), ANY(ALL, ppoll_time64), ANY(ALL, select), ANY(ALL, pselect6), ANY(ALL, fsync),
    WHERE(ALL, newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
    WHERE(ALL, ioctl, 1, EXACTLY, TCGETS), WHERE(ALL, ioctl, 1, EXACTLY, TIOCGWINSZ), WHERE(ALL, ioctl, 1, EXACTLY, FIONREAD),
    WHERE(ALL, ioctl, 1, EXACTLY, FIONBIO),
    WHERE(ALL, openat, 2, EXACTLY, NAMELESS_FLAGS),
    /* memory, without code */
    ANY(ALL, brk), ANY(ALL, munmap), ANY(ALL, mremap), ANY(ALL, madvise),
    WHERE(ALL, mmap, 2, PROT_EXEC, 0), WHERE(ALL, mmap2, 2, PROT_EXEC, 0), WHERE(ALL, mprotect, 2, PROT_EXEC, 0),
    /* time, locks, signals, itself */
    ANY(ALL, clock_gettime), ANY(ALL, clock_gettime64), ANY(ALL, clock_getres), ANY(ALL, gettimeofday), ANY(ALL, time),
    ANY(ALL, clock_nanosleep), ANY(ALL, nanosleep), ANY(ALL, futex), ANY(ALL, futex_time64), ANY(ALL, sched_yield),
    ANY(ALL, sched_getaffinity), ANY(ALL, set_robust_list), ANY(ALL, rseq), ANY(ALL, membarrier), ANY(ALL, restart_syscall),
    ANY(ALL, rt_sigaction), ANY(ALL, rt_sigprocmask), ANY(ALL, rt_sigreturn), ANY(ALL, sigreturn), ANY(ALL, sigaltstack),
    ANY(ALL, getpid), ANY(ALL, gettid), ANY(ALL, getuid), ANY(ALL, geteuid), ANY(ALL, getgid), ANY(ALL, getegid),
    ANY(ALL, getrandom), ANY(ALL, uname), ANY(ALL, sysinfo), ANY(ALL, getcwd), ANY(ALL, exit), ANY(ALL, exit_group), ANY(ALL, wait4),
    ANY(ALL, getrlimit), ANY(ALL, ugetrlimit), WHERE(ALL, prlimit64, 2, ~(scmp_datum_t)0, 0),
    /* the next filter */
    ANY(OPENING, seccomp), ANY(OPENING, prctl), ANY(OPENING, capset), ANY(OPENING, prlimit64), ANY(OPENING, setrlimit),
    /* opening, and the process that gives the report its name (renamer.h) */
    ANY(OPENING, open), ANY(OPENING, openat), ANY(OPENING, rename), ANY(OPENING, renameat), ANY(OPENING, renameat2),
    ANY(OPENING, unlink), ANY(OPENING, unlinkat), ANY(OPENING, pipe2), ANY(OPENING, close_range),
    ANY(OPENING, dup2), ANY(OPENING, dup3),
    WHERE(OPENING, clone, 0, CLONE_VM | CLONE_THREAD | CSIGNAL, SIGCHLD),
    /* looking at files */
    WHERE(NETWORK | NAMES, openat, 2, CHANGING_FLAGS, 0), WHERE(NETWORK | NAMES, open, 1, CHANGING_FLAGS, 0),
    ANY(OPENING | NETWORK | NAMES, newfstatat), ANY(OPENING | NETWORK | NAMES, stat), ANY(OPENING | NETWORK | NAMES, lstat),
    ANY(OPENING | NETWORK | NAMES, statx), ANY(OPENING | NETWORK | NAMES, access), ANY(OPENING | NETWORK | NAMES, faccessat),
    ANY(OPENING | NETWORK | NAMES, faccessat2), ANY(OPENING | NETWORK | NAMES, readlink), ANY(OPENING | NETWORK | NAMES, readlinkat),
    ANY(NETWORK, getdents64), ANY(NETWORK, statfs), ANY(NETWORK, fstatfs),
    /* threads: GLib's for signals, libcurl's for names */
    WHERE(NETWORK, clone, 0, CLONE_THREAD, CLONE_THREAD), ANY(NETWORK, eventfd2), ANY(NETWORK, pipe2),
    WHERE(NETWORK, prctl, 0, EXACTLY, PR_SET_NAME),
    /* sockets that are open, and netlink */
    WHERE(NETWORK | NAMES, socket, 0, EXACTLY, AF_NETLINK), ANY(NETWORK | NAMES, bind), ANY(NETWORK | NAMES, getsockname),
    ANY(NETWORK | NAMES, setsockopt), ANY(NETWORK | NAMES, getsockopt), ANY(NETWORK | NAMES, sendto), ANY(NETWORK | NAMES, sendmsg), ANY(NETWORK | NAMES, sendmmsg),
    ANY(NETWORK | NAMES, recvfrom), ANY(NETWORK | NAMES, recvmsg), ANY(NETWORK, recvmmsg),
    WHERE(NETWORK, ioctl, 1, EXACTLY, SIOCGIFINDEX), WHERE(NETWORK, ioctl, 1, EXACTLY, SIOCGIFNAME),
    WHERE(NETWORK, ioctl, 1, EXACTLY, SIOCGIFHWADDR), WHERE(NETWORK, ioctl, 1, EXACTLY, SIOCGIFFLAGS),
    WHERE(NETWORK | NAMES, socket, 0, EXACTLY, AF_UNIX),
    /* the Internet, and the libraries of name services */
    WHERE(PROBES | NAMES, socket, 0, EXACTLY, AF_INET), WHERE(PROBES | NAMES, socket, 0, EXACTLY, AF_INET6),
    ANY(PROBES | NAMES, connect), ANY(PROBES, getpeername), ANY(PROBES, shutdown), ANY(PROBES, socketpair),
    ANY(PROBES | NAMES, mmap), ANY(PROBES | NAMES, mmap2), ANY(PROBES | NAMES, mprotect),
};

/* What no part of this program or of its libraries does once it is confined. */
static const int hostile[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid),
    SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount),
    SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(open_by_handle_at), SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(keyctl),
    SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(sethostname), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(acct),
    SCMP_SYS(quotactl), SCMP_SYS(syslog), SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(mknod),
    SCMP_SYS(mknodat), SCMP_SYS(personality),
};
/* clang-format on */

static bool allow(scmp_filter_ctx filter, const struct allowed *a)
{
    const struct scmp_arg_cmp compare = { .arg = a->argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = a->mask, .datum_b = a->want };

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, a->call, a->mask ? 1 : 0, &compare) == 0;
}

/* abort(3) and raise(3), to this process alone. */
static bool allow_own_signals(scmp_filter_ctx filter)
{
    const struct allowed own[] = { WHERE(ALL, kill, 0, EXACTLY, (scmp_datum_t)getpid()),
                                   WHERE(ALL, tgkill, 0, EXACTLY, (scmp_datum_t)getpid()) };

    return allow(filter, &own[0]) && allow(filter, &own[1]);
}

static bool add_rules(scmp_filter_ctx filter, unsigned whose)
{
    bool good = allow_own_signals(filter);

    for (size_t i = 0; good && i < G_N_ELEMENTS(allowed); i++)
        if (allowed[i].whose & whose)
            good = allow(filter, &allowed[i]);
    for (size_t i = 0; good && i < G_N_ELEMENTS(hostile); i++)
        good = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, hostile[i], 0) == 0;
    return good;
}

/* A tree instead of a list: a capture of a million packets reads a hundred thousand times. */
static bool load(unsigned whose)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int status = filter ? -EOPNOTSUPP : -ENOMEM; /* a kernel without one of the actions */

    if (filter && add_rules(filter, whose)) {
        seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1); /* why the kernel says no */
        status = seccomp_load(filter);
    }
    seccomp_release(filter);
    errno = -status;
    return status == 0;
}

/* Valgrind's manual names this way to know it. */
static bool is_traced_by_itself(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return SANITIZED || (preloaded && strstr(preloaded, "/vgpreload"));
}

/* What holds without a filter, too. */
static void close_doors(enum confinement task)
{
    const struct rlimit none = { 0, 0 };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    if (task == CONFINE_FILES)
        privileges_none();
    if (is_traced_by_itself())
        return;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (task == CONFINE_FILES)
        setrlimit(RLIMIT_NPROC, &none); /* the others have threads */
}

gboolean confine(enum confinement task, const char *filter)
{
    tzset(); /* these two read files, once */
    g_get_charset(NULL);
    close_doors(task);
    return is_traced_by_itself() || load((1u << task) | (filter_looks_up(filter) ? NAMES : 0));
}

void confine_or_warn(enum confinement task, const char *filter)
{
    if (!confine(task, filter))
        notice("warning: the kernel refuses a filter of system calls (seccomp: %s); who takes over this program with a "
               "packet may do what its user may",
               g_strerror(errno));
}
