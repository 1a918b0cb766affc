/* unit: what systemd says of a service (D-Bus, through sd-bus). Reads only; needs no rights. */
#ifndef TCPSLEUTH_HOST_UNIT_H
#define TCPSLEUTH_HOST_UNIT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct sd_bus;

struct unit {
    char *name;                                          /* "nginx.service" */
    char *description, *active, *sub, *enabled, *result; /* as systemctl(1) has them; NULL: not told */
    int64_t since_us;                                    /* when it came into that state, since 1970; 0: not known */
    unsigned restarts;
    bool loaded; /* there is such a unit */
};

/* The system's bus. NULL and *error where there is none, or systemd does not run. Close with unit_bus_close. */
struct sd_bus *unit_bus(GError **error);
void unit_bus_close(struct sd_bus *bus); /* NULL-safe */

/* By its name. NULL where systemd does not answer. Free with unit_free. */
struct unit *unit_read(struct sd_bus *bus, const char *name);
void unit_free(struct unit *u); /* NULL-safe */

/* Names of services that usually hold a port, NULL-terminated: for where nobody does. Static. */
const char *const *unit_names_of_port(uint16_t port);

#endif
