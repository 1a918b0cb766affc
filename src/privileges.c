#include "src/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* clang-format off */
G_DEFINE_QUARK(privileges-error-quark, privileges_error)
/* clang-format on */

/* An id as sudo writes it; FALSE where it is none, or root's. */
static gboolean read_id(const char *name, guint64 *id)
{
    const char *text = getenv(name);

    return text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT32 - 1, id, NULL);
}

gboolean privileges_person(struct person *p, GError **error)
{
    guint64 uid, gid;

    *p = (struct person){ .uid = getuid(), .gid = getgid() };
    if (geteuid() != 0)
        return TRUE;
    if (read_id("SUDO_UID", &uid) && read_id("SUDO_GID", &gid)) {
        *p = (struct person){ .uid = (uid_t)uid, .gid = (gid_t)gid, .called_sudo = TRUE };
        return TRUE;
    }
    if (p->uid != 0) /* set-user-ID root: back to who called it */
        return TRUE;
    const struct passwd *nobody = getpwnam("nobody");
    if (!nobody || nobody->pw_uid == 0) {
        g_set_error(
            error, PRIVILEGES_ERROR, 0,
            "root's rights cannot be given up: there is no user \"nobody\"; add it, or call tcpsleuth with sudo");
        return FALSE;
    }
    p->uid = nobody->pw_uid;
    p->gid = nobody->pw_gid;
    return TRUE;
}

/* So that no program that is started from here could get any. Without CAP_SETPCAP they stay, and no_new_privs does as
 * much. */
static void empty_bounding_set(void)
{
    for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
        prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
}

static gboolean become(const struct person *p)
{
    if (geteuid() != 0)
        return TRUE;
    return setgroups(1, &p->gid) == 0 && setresgid(p->gid, p->gid, p->gid) == 0 &&
           setresuid(p->uid, p->uid, p->uid) == 0;
}

static gboolean empty_sets(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* older kernels have no such set */
    return syscall(SYS_capset, &header, none) == 0;
}

/* Whether root is out of reach. */
static gboolean is_out(const struct person *p)
{
    return getuid() == p->uid && geteuid() == p->uid && (p->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0));
}

gboolean privileges_none(void)
{
    empty_bounding_set();
    return empty_sets() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

gboolean privileges_drop(const struct person *p, GError **error)
{
    errno = 0;
    empty_bounding_set();
    if (become(p) && privileges_none() && is_out(p))
        return TRUE;
    g_set_error(
        error, PRIVILEGES_ERROR, 0,
        "root's rights cannot be given up: %s; run it as a user, with the right to capture (`make install SETCAP=1`)",
        g_strerror(errno ? errno : EPERM));
    return FALSE;
}

/* The supplementary groups stay root's meanwhile: they open nothing that root could not. Where a step fails the files
 * are root's. */
void privileges_lend(const struct person *p)
{
    if (p->called_sudo && setegid(p->gid) == 0 && seteuid(p->uid) != 0)
        setegid(getgid());
}

void privileges_take_back(const struct person *p)
{
    if (!p->called_sudo)
        return;
    if (seteuid(getuid()) != 0 || setegid(getgid()) != 0)
        g_error("the effective user cannot be set back"); /* it was ours: the system is not what it says */
}
