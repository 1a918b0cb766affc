#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>

char *addr_text(char out[ADDR_TEXT_SIZE], const struct addr *a, unsigned version)
{
    _Static_assert(ADDR_TEXT_SIZE >= INET6_ADDRSTRLEN, "an IPv6 address in text fits");
    if (version == 4)
        inet_ntop(AF_INET, a->bytes + 12, out, ADDR_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, a->bytes, out, ADDR_TEXT_SIZE);
    return out;
}

char *mac_text(char out[MAC_TEXT], const uint8_t mac[6])
{
    snprintf(out, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return out;
}
