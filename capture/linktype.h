/* linktype: what files call a link type (LINKTYPE_*) and what libpcap calls it (DLT_*). They differ for a few old ones. */
#ifndef TCPSLEUTH_CAPTURE_LINKTYPE_H
#define TCPSLEUTH_CAPTURE_LINKTYPE_H

#include <stdint.h>

int linktype_as_dlt(uint16_t linktype);

/* -1 where no file can hold that link type. */
int linktype_of_dlt(int dlt);

#endif
