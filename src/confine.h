/* confine: what is left to this process once everything that it needs is open. Whoever takes it over with a packet, a file or an answer finds
 * a process that no program can be started from, that no other one lets itself be seen by, and whose system calls are those of its task.
 *
 * Each call is irrevocable, and further ones only take away. All of them set no_new_privs, forbid dumps (PR_SET_DUMPABLE, RLIMIT_CORE: a dump holds
 * the packets of others), and load a filter of system calls (seccomp(2), through libseccomp) that lets pass what its task uses:
 *
 *     CONFINE_OPENING   offline, before inputs are opened: any file may still be opened; no program, no network
 *     CONFINE_FILES     offline, from then on: reads and writes what is open, opens nothing but nameless temporary files; no capability
 *     CONFINE_WATCH     live, without probes: asks the kernel (netlink), and reads files
 *     CONFINE_PROBES    probes and `check`: sockets of the Internet too, and libraries that name services load
 *
 * What is not let pass ends in one of two ways. What only somebody else's program does here (start a program, trace a process, mount, become a
 * user, load code into the kernel) kills the process with SIGSYS, which the shell tells ("Bad system call"). All else fails with ENOSYS and does
 * nothing: so a later libc that tries a newer call first falls back to the one that it used before, where EPERM would stop it and a signal kill the
 * user's run; and what is open stays written to the end.
 *
 * Without effect, and no error: where the kernel has no such filter or a container refuses it. Then confine returns FALSE, and the rest holds all the
 * same. Builds with sanitizers, and valgrind, have no filter and may be traced: their own calls are those of a debugger.
 */
#ifndef TCPSLEUTH_SRC_CONFINE_H
#define TCPSLEUTH_SRC_CONFINE_H

#include <glib.h>

enum confinement { CONFINE_OPENING, CONFINE_FILES, CONFINE_WATCH, CONFINE_PROBES };

/* filter: a capture filter that is still compiled, for link types that are met later, or NULL; where it holds names, they may be looked up. FALSE
 * where the kernel refuses the filter of system calls; errno says why. */
gboolean confine(enum confinement task, const char *filter);

/* The same for tasks on the network, with a notice where it is refused: there, strangers send the bytes. */
void confine_or_warn(enum confinement task, const char *filter);

#endif
