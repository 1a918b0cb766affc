#include "host/unit.h"

#include "host/machine.h"

#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define WHO "org.freedesktop.systemd1"
#define UNIT WHO ".Unit"
#define SERVICE WHO ".Service"
#define PATIENCE_US (2 * G_USEC_PER_SEC)

struct sd_bus *unit_bus(GError **error)
{
    sd_bus *bus = NULL;
    int status = access("/run/systemd/system", F_OK) == 0 ? sd_bus_open_system(&bus) : -ENOENT;

    if (status >= 0) {
        sd_bus_set_method_call_timeout(bus, PATIENCE_US);
        return bus;
    }
    if (status == -ENOENT)
        g_set_error(error, HOST_ERROR, 0, "systemd does not run here");
    else
        g_set_error(error, HOST_ERROR, 0, "the system's bus cannot be reached: %s", g_strerror(-status));
    return NULL;
}

void unit_bus_close(struct sd_bus *bus)
{
    sd_bus_flush_close_unref(bus);
}

/* A property as text; NULL: it is not told. Free with g_free. */
static char *text_of(sd_bus *bus, const char *path, const char *interface, const char *name)
{
    char *text = NULL;

    if (sd_bus_get_property_string(bus, WHO, path, interface, name, NULL, &text) < 0)
        return NULL;
    char *copy = g_utf8_make_valid(text, -1);
    free(text);
    return copy;
}

static void read_numbers(sd_bus *bus, const char *path, struct unit *u)
{
    uint64_t since = 0;
    uint32_t restarts = 0;

    if (sd_bus_get_property_trivial(bus, WHO, path, UNIT, "StateChangeTimestamp", NULL, 't', &since) >= 0)
        u->since_us = (int64_t)MIN(since, INT64_MAX);
    if (sd_bus_get_property_trivial(bus, WHO, path, SERVICE, "NRestarts", NULL, 'u', &restarts) >= 0)
        u->restarts = restarts;
}

struct unit *unit_read(struct sd_bus *bus, const char *name)
{
    char *path = NULL;

    if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, &path) < 0)
        return NULL;
    g_autofree char *load = text_of(bus, path, UNIT, "LoadState");
    struct unit *u = load ? g_new0(struct unit, 1) : NULL;
    if (u) {
        u->name = g_strdup(name);
        u->loaded = strcmp(load, "not-found") != 0;
        u->description = text_of(bus, path, UNIT, "Description");
        u->active = text_of(bus, path, UNIT, "ActiveState");
        u->sub = text_of(bus, path, UNIT, "SubState");
        u->enabled = text_of(bus, path, UNIT, "UnitFileState");
        u->result = text_of(bus, path, SERVICE, "Result");
        read_numbers(bus, path, u);
    }
    free(path);
    return u;
}

void unit_free(struct unit *u)
{
    if (!u)
        return;
    g_free(u->name);
    g_free(u->description);
    g_free(u->active);
    g_free(u->sub);
    g_free(u->enabled);
    g_free(u->result);
    g_free(u);
}

const char *const *unit_names_of_port(uint16_t port)
{
    static const struct {
        uint16_t port;
        const char *names[7];
    } rows[] = {
        { 22, { "ssh.service", "sshd.service" } },
        { 25, { "postfix.service", "exim4.service", "sendmail.service" } },
        { 53, { "named.service", "bind9.service", "unbound.service", "dnsmasq.service" } },
        { 80,
          { "nginx.service", "apache2.service", "httpd.service", "lighttpd.service", "caddy.service",
            "docker.service" } },
        { 143, { "dovecot.service" } },
        { 443,
          { "nginx.service", "apache2.service", "httpd.service", "lighttpd.service", "caddy.service",
            "docker.service" } },
        { 993, { "dovecot.service" } },
        { 3306, { "mariadb.service", "mysql.service" } },
        { 5432, { "postgresql.service" } },
        { 6379, { "redis-server.service", "redis.service" } },
        { 8080, { "nginx.service", "tomcat10.service", "tomcat9.service" } },
    };
    static const char *const none[] = { NULL };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].port == port)
            return rows[i].names;
    return none;
}
