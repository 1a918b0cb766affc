/* filter_hosts: the hosts that a filter names literally: `host A`, `src host A`, `dst host A` with an address, as it stands in the words. A
 * filter that says `not` names nobody: it says who is not meant. And whether
 * there may be names to look up in it.
 */
#ifndef TCPSLEUTH_SRC_FILTER_HOSTS_H
#define TCPSLEUTH_SRC_FILTER_HOSTS_H

#include <glib.h>
#include <stdbool.h>

/* char*, each an address of either family in the text form of inet_pton, in order, each once; empty where there are none. filter may be NULL. */
GPtrArray *filter_hosts(const char *filter);

/* Whether a filter holds a word that is no number, no address and none of the common words of pcap-filter(7): a name, which libpcap looks up each time
 * that it compiles. filter may be NULL. */
bool filter_looks_up(const char *filter);

#endif
