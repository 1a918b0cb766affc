#include "base/addr.h"

#include <arpa/inet.h>

char *addr_text(char out[ADDR_TEXT_SIZE], const struct addr *a, unsigned version)
{
    _Static_assert(ADDR_TEXT_SIZE >= INET6_ADDRSTRLEN, "an IPv6 address in text fits");
    if (version == 4)
        inet_ntop(AF_INET, a->bytes + 12, out, ADDR_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, a->bytes, out, ADDR_TEXT_SIZE);
    return out;
}
