/* ending: Ctrl-C, SIGTERM and SIGHUP ask a command to come to its end with the report; the second of them ends it at once, as if none had ever been
 * heeded. They are heard where GLib's default context turns.
 */
#ifndef TCPSLEUTH_SRC_ENDING_H
#define TCPSLEUTH_SRC_ENDING_H

#include <glib.h>
#include <stdbool.h>

struct ending {
    void (*stop)(void *user);
    void *user;
    bool asked;
    guint sources[3];
};

/* From now on the first signal calls stop. e stays where it is until ending_leave, behind which signals have their usual effect. */
void ending_heed(struct ending *e, void (*stop)(void *user), void *user);
void ending_leave(struct ending *e);

#endif
