#include "src/route.h"

#include "probe/route.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

char *route_interface(const char *address)
{
    bool six = strchr(address, ':') != NULL;
    uint8_t bytes[16];
    struct route r;

    if (inet_pton(six ? AF_INET6 : AF_INET, address, bytes) != 1)
        return NULL;
    struct addr to = six ? addr_v6(bytes) : addr_v4(bytes);
    route_find(&r, six ? 6 : 4, &to, 0);
    return !r.error && *r.interface ? g_strdup(r.interface) : NULL;
}
