/* target: what the user wrote, as addresses to probe: a URL, a name, an address, name:port, addr:port, [addr6]:port
 * (CONTRACT section 1). A name is looked up once, for both families.
 */
#ifndef TCPSLEUTH_PROBE_TARGET_H
#define TCPSLEUTH_PROBE_TARGET_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct target_address {
    uint8_t version;
    struct addr addr;
    unsigned scope; /* interface index of a link-local address; 0 */
};

struct target {
    char *written; /* as the user wrote it, less a password */
    char *host;    /* the name or address in it */
    char *url;     /* what to ask for by HTTP: where a URL was given, or the port is one of the web's; NULL else */
    bool is_name;  /* host is a name */
    bool tls;      /* the scheme or the port speaks TLS at once */
    uint16_t port; /* 443 where none was given: `port_given` false */
    bool port_given;
    GArray *addresses; /* struct target_address, in the order of the resolver, none twice */
    unsigned left_out; /* beyond LIMIT_PROBE_ADDRESSES */
};

/* Takes it apart. NULL and *error where it makes no sense. Free with target_free. */
struct target *target_parse(const char *written, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Looks the name up (waits for the resolver) and fills addresses. FALSE and *error where there are none, or where one
 * is of a kind that is never probed: unspecified, multicast, broadcast. */
gboolean target_resolve(struct target *t, GError **error);

void target_free(struct target *t); /* NULL-safe */
typedef struct target Target;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Target, target_free)

/* Whether an address is never probed; the kernel's routing table knows the broadcast addresses of the links besides
 * (route.h). */
bool target_is_refused(unsigned version, const struct addr *a);

#endif
