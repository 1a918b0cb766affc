/* privileges: giving up what opening an interface needs, before a byte of a packet is looked at.
 *
 * Who we are afterwards: the user who called sudo, else, where we are root, `nobody`; whoever was no root stays. No capability is left, none
 * can come back (no_new_privs, an empty bounding set), and files that are open stay open: sockets of live captures, the files of -w and
 * -o, and, for probes, a raw socket that is opened before.
 */
#ifndef TCPSLEUTH_SRC_PRIVILEGES_H
#define TCPSLEUTH_SRC_PRIVILEGES_H

#include <glib.h>
#include <sys/types.h>

#define PRIVILEGES_ERROR privileges_error_quark()
GQuark privileges_error_quark(void);

/* Whom to become. */
struct person {
    uid_t uid;
    gid_t gid;
    gboolean called_sudo; /* files that are written belong to them */
};

/* From the environment that sudo sets, as far as it makes sense; uid and gid are ours where we are no root. */
gboolean privileges_person(struct person *p, GError **error);

/* For good. FALSE and *error where the system does not let us: then nothing must be read. */
gboolean privileges_drop(const struct person *p, GError **error);

/* No capability is left, of whatever user; who we are stays. FALSE where the system does not let us. */
gboolean privileges_none(void);

/* Between these two, files are opened as that person where it called sudo, so that they belong to them and nothing is opened that they may not open. */
void privileges_lend(const struct person *p);
void privileges_take_back(const struct person *p);

#endif
