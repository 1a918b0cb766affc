/* descriptors: how many files and sockets may be open at a time (`ulimit -n`). A file that cannot be opened is told by name; but what asks this
 * host and the network opens dozens, and one that is missing would look like a card, a route or an answer that is missing.
 */
#ifndef TCPSLEUTH_SRC_DESCRIPTORS_H
#define TCPSLEUTH_SRC_DESCRIPTORS_H

#include <glib.h>

#define DESCRIPTORS_ERROR descriptors_error_quark()
GQuark descriptors_error_quark(void);

/* Takes what the system allows; FALSE and *error where that is too few to ask anything. */
gboolean descriptors_suffice(GError **error);

#endif
