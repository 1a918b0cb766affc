/* error: the GError domain of probe/: what the environment does not allow. */
#ifndef TCPSLEUTH_PROBE_ERROR_H
#define TCPSLEUTH_PROBE_ERROR_H

#include <glib.h>

#define PROBE_ERROR probe_error_quark()
GQuark probe_error_quark(void);

enum probe_error {
    PROBE_ERROR_PRIVILEGE, /* raw packets may not be sent or seen */
    PROBE_ERROR_TARGET,    /* no such name, no such port, an address that is never probed */
    PROBE_ERROR_HERE       /* this host: an interface that is down, a library that fails */
};

#endif
