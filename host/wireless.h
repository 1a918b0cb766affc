/* wireless: what nl80211 says of a Wi-Fi interface (generic netlink, through libnl). Reads only. */
#ifndef TCPSLEUTH_HOST_WIRELESS_H
#define TCPSLEUTH_HOST_WIRELESS_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct wireless {
    bool known; /* nl80211 answers for it */
    bool associated;
    char bssid[MAC_TEXT];
    char *ssid;         /* up to 32 bytes of anything: escape it; NULL: none */
    uint32_t frequency; /* MHz */
    bool has_signal;
    int32_t signal_mbm; /* hundredths of dBm */
};

void wireless_read(unsigned index, struct wireless *out);
void wireless_clear(struct wireless *w);

/* The information elements of a beacon: the network's name. Free with g_free; NULL: there is none. */
char *wireless_ssid(const uint8_t *elements, size_t n);

#endif
