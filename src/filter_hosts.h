/* filter_hosts: the hosts that a filter names literally: `host A`, `src host A`, `dst host A` with an address, as it stands in the words. A
 * filter that says `not` names nobody: it says who is not meant.
 */
#ifndef TCPSLEUTH_SRC_FILTER_HOSTS_H
#define TCPSLEUTH_SRC_FILTER_HOSTS_H

#include <glib.h>

/* char*, each an address of either family in the text form of inet_pton, in order, each once; empty where there are none. filter may be NULL. */
GPtrArray *filter_hosts(const char *filter);

#endif
