/* What stands behind a port: processes and logs as recorded trees, listeners by hand, a systemd that is played by a thread. */
#include "guard.h"
#include "host/logs.h"
#include "host/rung_server.h"
#include "host/wireless.h"
#include "host_machine.h"
#include "host_tree.h"

#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <cmocka.h>
#include <sys/stat.h>

/* --- processes: the server of the case study --- */

#define STAT(name) name " S 1 2593 2593 0 -1 4194560 1 0 0 0 12 3 0 0 20 0 8 0 4200 1 2 3\n"

static const struct tree_file study[] = {
    { "proc/stat", "cpu 1 2 3\nbtime 1670750000\nprocesses 7\n" },
    { "proc/2593/cmdline", "/usr/bin/docker-proxy" },
    { "proc/2593/status", "Name:\tdocker-proxy\nUid:\t0\t0\t0\t0\n" },
    { "proc/2593/stat", STAT("2593 (docker-proxy)") },
    { "proc/2593/cgroup", "0::/system.slice/docker.service\n" },
    { "proc/2593/fd/3", "-> /dev/null" },
    { "proc/2593/fd/4", "-> socket:[77]" },
    { "proc/455/cmdline", "sshd: /usr/sbin/sshd -D" },
    { "proc/455/status", "Name:\tsshd\nUid:\t0\t0\t0\t0\n" },
    { "proc/455/fd/3", "-> socket:[78]" },
    { "proc/900/cmdline", "nginx: worker process" },
    { "proc/900/status", "Name:\tnginx\nUid:\t4242424\t33\t33\t33\n" },
    { "proc/900/stat", STAT("900 (a) S (b)") },
    { "proc/900/limits", "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            4                    4096                 files     \n" },
    { "proc/900/cgroup", "12:memory:/x\n1:name=systemd:/system.slice/nginx.service\n" },
    { "proc/900/fd/2", "-> /var/log/nginx/error.log" },
    { "proc/900/fd/5", "-> /srv/www/index.html" },
    { "proc/900/fd/6", "-> socket:[79]" },
};

static void add_listener(struct service *s, const char *text, uint32_t inode)
{
    struct host_socket l = { .state = TCP_LISTEN, .local_port = s->port, .inode = inode, .sent = 128 };

    l.local = addr_of(text, &l.version);
    g_array_append_val(s->listeners, l);
}

/* The first of the processes, with so many files open and in that state. */
static void judged(struct service *s, unsigned files, char state, enum step_status status, const char *part)
{
    struct process *p = g_ptr_array_index(s->processes, 0);

    p->files = files;
    p->state = state;
    struct rung_step *step = rung_process(s);
    assert_int_equal(step->status, status);
    assert_non_null(strstr(step->text, part));
    assert_int_equal(step->finding ? step->finding->code : CODE_OK, status == STEP_BROKEN ? CODE_PROCESS_MISSING : CODE_OK);
    step_free(step);
}

static void test_processes(void **state)
{
    char *root = tree_make(study, G_N_ELEMENTS(study));
    struct service *s = service_new(80);

    (void)state;
    g_autofree char *path = g_build_filename(root, "proc/2593/cmdline", NULL);
    const char command[] = "/usr/bin/docker-proxy\0-proto\0tcp\0-host-ip\0000.0.0.0\0-container-ip\000172.18.0.3\0-container-port\00080";
    assert_true(g_file_set_contents(path, command, sizeof command, NULL));
    add_listener(s, "0.0.0.0", 77);
    add_listener(s, "::", 79);
    service_find_processes(s, root);
    assert_int_equal(s->processes->len, 2); /* sshd holds another socket */
    const struct process *nginx = g_ptr_array_index(s->processes, 0), *docker = g_ptr_array_index(s->processes, 1);
    assert_int_equal(nginx->pid, 900);
    assert_string_equal(nginx->user, "4242424");
    assert_string_equal(nginx->unit, "nginx.service");
    assert_int_equal(nginx->logs->len, 1);
    assert_string_equal(g_ptr_array_index(nginx->logs, 0), "/var/log/nginx/error.log");
    assert_string_equal(docker->user, "root");
    assert_string_equal(docker->container_address, "172.18.0.3");
    assert_int_equal(docker->container_port, 80);
    assert_int_equal(docker->started_s, 1670750000 + 4200 / sysconf(_SC_CLK_TCK));
    struct rung_step *step = rung_process(s);
    assert_int_equal(step->status, STEP_OK);
    assert_non_null(strstr(step->text, "nginx: worker process (process 900"));
    step_free(step);
    assert_int_equal(nginx->state, 'S');
    assert_int_equal(nginx->files, 3);
    assert_int_equal(nginx->most_files, 4);
    judged(s, 4, 'S', STEP_UNKNOWN, "all of its 4 file descriptors");
    judged(s, 3, 'T', STEP_OK, "stopped"); /* the other one runs */
    ((struct process *)g_ptr_array_index(s->processes, 1))->state = 't';
    judged(s, 3, 'T', STEP_BROKEN, "stopped");
    service_free(s);
    tree_remove(root);
}

static void test_no_process(void **state)
{
    struct service *s = service_new(80);

    (void)state;
    struct rung_step *step = rung_process(s);
    assert_int_equal(step->status, STEP_SKIPPED);
    step_free(step);
    add_listener(s, "0.0.0.0", 77);
    s->all_seen = false;
    step = rung_process(s);
    assert_int_equal(step->status, STEP_SKIPPED); /* it may be another user's */
    step_free(step);
    s->all_seen = true;
    step = rung_process(s);
    assert_int_equal(step->status, STEP_BROKEN);
    assert_int_equal(step->finding->code, CODE_PROCESS_MISSING);
    step_free(step);
    service_free(s);
}

/* --- listeners --- */

static void listening(const char *const *places, unsigned waiting, enum step_status status, enum code code, const char *part)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);
    struct service *s = service_new(80);

    add_address(m, 3, "2001:db8:3::15", 64, 0);
    for (; *places; places++)
        add_listener(s, *places, 1);
    if (s->listeners->len)
        g_array_index(s->listeners, struct host_socket, 0).received = waiting;
    struct rung_step *step = rung_listening(&c, s);
    bool found = strstr(step->text, part) != NULL;
    for (guint i = 0; i < step->notes->len; i++)
        found |= strstr(g_ptr_array_index(step->notes, i), part) != NULL;
    assert_true(found);
    assert_int_equal(step->status, status);
    assert_int_equal(step->finding ? step->finding->code : CODE_OK, code);
    step_free(step);
    service_free(s);
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

#define ON(...) (const char *const[]){ __VA_ARGS__, NULL }

static void test_listening(void **state)
{
    (void)state;
    listening(ON("0.0.0.0", "::"), 0, STEP_OK, CODE_OK, "0.0.0.0:80, [::]:80");
    listening(ON("::"), 0, STEP_OK, CODE_OK, "[::]:80"); /* takes IPv4, too */
    listening(ON("0.0.0.0"), 128, STEP_OK, CODE_OK, "128 of 128 connections wait");
    listening(ON("0.0.0.0"), 129, STEP_BROKEN, CODE_ACCEPT_QUEUE_FULL, "129 of 128");
    listening(ON("0.0.0.0"), 0, STEP_OK, CODE_OK, "nobody listens for IPv6");
    listening(ON("10.0.3.15", "10.0.3.15"), 0, STEP_OK, CODE_OK, "2 sockets share 10.0.3.15:80");
    listening(ON("127.0.0.1", "::1"), 0, STEP_BROKEN, CODE_LISTENING_LOCALLY_ONLY, "127.0.0.1:80");
    listening(ON("127.0.0.1", "10.0.3.15"), 0, STEP_OK, CODE_OK, "10.0.3.15:80");
    listening((const char *const[]){ NULL }, 0, STEP_BROKEN, CODE_NOT_LISTENING, "nobody listens on port 80");
}

/* An address that was taken away, and a client of the other family. */
static void test_listening_elsewhere(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);
    struct service *s = service_new(80);

    (void)state;
    add_listener(s, "10.0.3.77", 1);
    g_array_index(s->listeners, struct host_socket, 0).elsewhere = true;
    struct rung_step *step = rung_listening(&c, s);
    assert_int_equal(step->status, STEP_BROKEN);
    assert_int_equal(step->finding->code, CODE_NO_ADDRESS);
    step_free(step);
    add_listener(s, "10.0.3.15", 2);
    step = rung_listening(&c, s);
    assert_int_equal(step->status, STEP_DEGRADED);
    step_free(step);
    add_target(&c, "2001:db8::9", 0, 3);
    add_address(m, 3, "2001:db8:3::15", 64, 0);
    step = rung_listening(&c, s);
    assert_int_equal(step->finding->code, CODE_NOT_LISTENING);
    assert_non_null(strstr(step->finding->summary, "2001:db8::9 comes by IPv6"));
    step_free(step);
    service_free(s);
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

/* --- units --- */

static struct unit *unit_of(const char *active, const char *enabled, const char *result)
{
    struct unit *u = g_new0(struct unit, 1);

    *u = (struct unit){ .name = g_strdup("nginx.service"), .active = g_strdup(active), .sub = g_strdup("x"), .enabled = g_strdup(enabled),
                        .result = g_strdup(result), .loaded = true };
    return u;
}

static void unit(struct unit *u, bool listens, enum step_status status, const char *part)
{
    g_autoptr(GPtrArray) units = g_ptr_array_new_with_free_func((GDestroyNotify)unit_free);
    struct service *s = service_new(80);

    g_ptr_array_add(units, u);
    if (listens)
        add_listener(s, "0.0.0.0", 1);
    struct rung_step *step = rung_unit(s, units, NULL);
    assert_int_equal(step->status, status);
    assert_int_equal(step->finding ? step->finding->code : CODE_OK, status == STEP_BROKEN ? CODE_UNIT_FAILED : CODE_OK);
    bool found = strstr(step->text, part) != NULL;
    for (guint i = 0; i < step->notes->len; i++)
        found |= strstr(g_ptr_array_index(step->notes, i), part) != NULL;
    assert_true(found);
    step_free(step);
    service_free(s);
}

static void test_unit(void **state)
{
    struct service *s = service_new(80);
    struct rung_step *step = rung_unit(s, NULL, "systemd does not run here");

    (void)state;
    assert_int_equal(step->status, STEP_SKIPPED);
    assert_string_equal(step->text, "systemd does not run here");
    step_free(step);
    service_free(s);
    unit(unit_of("active", "enabled", "success"), true, STEP_OK, "nginx.service: active (x), enabled");
    unit(unit_of("active", "disabled", "success"), true, STEP_OK, "will not come back");
    unit(unit_of("failed", "enabled", "exit-code"), false, STEP_BROKEN, "failed");
    unit(unit_of("inactive", "disabled", "success"), false, STEP_BROKEN, "inactive");
    unit(unit_of("inactive", "static", "success"), true, STEP_OK, "inactive"); /* it is another one that listens */
}

/* systemd, on a socket of our own. */
static int tell(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *user, sd_bus_error *error)
{
    static const char *const values[][2] = { { "Description", "A web server" }, { "ActiveState", "failed" }, { "SubState", "failed" },
                                             { "UnitFileState", "enabled" },    { "Result", "exit-code" } };

    (void)bus, (void)interface, (void)user, (void)error;
    if (strcmp(property, "LoadState") == 0)
        return sd_bus_message_append(reply, "s", strstr(path, "nginx") ? "loaded" : "not-found");
    if (strcmp(property, "StateChangeTimestamp") == 0)
        return sd_bus_message_append(reply, "t", UINT64_C(1678900000000000));
    if (strcmp(property, "NRestarts") == 0)
        return sd_bus_message_append(reply, "u", 5u);
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        if (strcmp(property, values[i][0]) == 0)
            return sd_bus_message_append(reply, "s", values[i][1]);
    return -ENOENT;
}

static const sd_bus_vtable unit_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("LoadState", "s", tell, 0, 0),
    SD_BUS_PROPERTY("Description", "s", tell, 0, 0),
    SD_BUS_PROPERTY("ActiveState", "s", tell, 0, 0),
    SD_BUS_PROPERTY("SubState", "s", tell, 0, 0),
    SD_BUS_PROPERTY("UnitFileState", "s", tell, 0, 0),
    SD_BUS_PROPERTY("StateChangeTimestamp", "t", tell, 0, 0),
    SD_BUS_VTABLE_END,
};
static const sd_bus_vtable service_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Result", "s", tell, 0, 0),
    SD_BUS_PROPERTY("NRestarts", "u", tell, 0, 0),
    SD_BUS_VTABLE_END,
};

static int every(sd_bus *bus, const char *path, const char *interface, void *user, void **found, sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)user, (void)error;
    *found = NULL;
    return 1;
}

static gpointer play_systemd(gpointer user)
{
    sd_bus *bus = user;

    while (sd_bus_process(bus, NULL) >= 0 && sd_bus_is_open(bus) > 0)
        sd_bus_wait(bus, 100000);
    sd_bus_unref(bus);
    return NULL;
}

static void test_bus(void **state)
{
    sd_bus *server = NULL, *client = NULL;
    sd_id128_t id = { .bytes = { 1 } };
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    assert_true(sd_bus_new(&server) >= 0 && sd_bus_set_fd(server, fds[0], fds[0]) >= 0 && sd_bus_set_server(server, 1, id) >= 0);
    assert_true(sd_bus_add_fallback_vtable(server, NULL, "/org/freedesktop/systemd1/unit", "org.freedesktop.systemd1.Unit", unit_table, every, NULL) >= 0);
    assert_true(sd_bus_add_fallback_vtable(server, NULL, "/org/freedesktop/systemd1/unit", "org.freedesktop.systemd1.Service", service_table, every, NULL) >= 0);
    assert_true(sd_bus_start(server) >= 0);
    GThread *thread = g_thread_new("systemd", play_systemd, server);
    assert_true(sd_bus_new(&client) >= 0 && sd_bus_set_fd(client, fds[1], fds[1]) >= 0 && sd_bus_start(client) >= 0);
    struct unit *u = unit_read(client, "nginx.service");
    assert_non_null(u);
    assert_true(u->loaded);
    assert_string_equal(u->description, "A web server");
    assert_string_equal(u->active, "failed");
    assert_string_equal(u->enabled, "enabled");
    assert_string_equal(u->result, "exit-code");
    assert_int_equal(u->since_us, 1678900000000000);
    assert_int_equal(u->restarts, 5);
    unit_free(u);
    u = unit_read(client, "gone.service");
    assert_false(u->loaded);
    unit_free(u);
    sd_bus_flush_close_unref(client);
    g_thread_join(thread);
}

/* --- logs --- */

static void check_lines(GPtrArray *lines, guint n, const char *last)
{
    assert_int_equal(lines->len, n);
    if (n)
        assert_string_equal(g_ptr_array_index(lines, n - 1), last);
    g_ptr_array_free(lines, TRUE);
}

static void test_log_files(void **state)
{
    static const struct tree_file files[] = {
        { "var/log/a.log", "10.0.0.1 GET / 200\n2023/03/15 [error] 7#7: upstream timed out\n10.0.0.12 GET / 200\n[10.0.0.1]:443 GET /b\nall well\nlast [crit] line" },
        { "var/log/many.log", "error 1\nerror 2\nerror 3\nerror 4\nerror 5\nerror 6\n" },
    };
    char *root = tree_make(files, G_N_ELEMENTS(files));

    (void)state;
    check_lines(log_file_lines(root, "/var/log/a.log", NULL), 2, "last [crit] line");
    check_lines(log_file_lines(root, "/var/log/a.log", "10.0.0.1"), 2, "[10.0.0.1]:443 GET /b");
    check_lines(log_file_lines(root, "/var/log/a.log", "10.0.0.2"), 0, NULL);
    check_lines(log_file_lines(root, "/var/log/many.log", NULL), LOG_LINES, "error 6");
    assert_null(log_file_lines(root, "/var/log/none.log", NULL));
    g_autofree char *pipe = g_build_filename(root, "var/log/pipe.log", NULL), *link = g_build_filename(root, "var/log/link.log", NULL);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink("a.log", link), 0);
    assert_null(log_file_lines(root, "/var/log/pipe.log", NULL)); /* and does not wait */
    assert_null(log_file_lines(root, "/var/log/link.log", NULL));
    tree_remove(root);
}

/* A container's files are its own; what cannot be read is said to be so. */
static void test_log_own(void **state)
{
    static const struct tree_file files[] = {
        { "proc/7/root/var/log/s.log", "[error] of the container\n" },
        { "var/log/s.log", "[error] of somebody else\n" },
    };
    char *root = tree_make(files, G_N_ELEMENTS(files)), *why = NULL;
    struct service *s = service_new(80);
    struct process *p = g_new0(struct process, 1);

    (void)state;
    p->pid = 7;
    p->logs = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(p->logs, g_strdup("/var/log/s.log"));
    g_ptr_array_add(p->logs, g_strdup("/var/log/gone.log (deleted)"));
    g_ptr_array_add(s->processes, p);
    GPtrArray *all = logs_read(root, s, NULL, NULL, &why);
    struct rung_step *step = rung_log(all, NULL, why);
    assert_string_equal(step->text, "/var/log/s.log: [error] of the container");
    assert_string_equal(g_ptr_array_index(step->notes, step->notes->len - 1), "/var/log/gone.log (deleted) cannot be read");
    step_free(step);
    g_ptr_array_remove_index(all, 0);
    step = rung_log(all, NULL, why);
    assert_int_equal(step->status, STEP_SKIPPED);
    step_free(step);
    g_ptr_array_free(all, TRUE);
    service_free(s);
    tree_remove(root);
}

/* Of a file larger than what is looked at, the end; a line that is cut there is none. */
static void test_log_end(void **state)
{
    g_autoptr(GString) text = g_string_new("error at the beginning\n");
    char *root = tree_make(NULL, 0);

    (void)state;
    while (text->len < 400000)
        g_string_append(text, "nothing of interest happened here\n");
    g_string_append(text, "error at the end\n");
    tree_add(root, "x.log", text->str);
    check_lines(log_file_lines(root, "/x.log", NULL), 1, "error at the end");
    tree_remove(root);
}

static void test_log_container(void **state)
{
    static const struct tree_file files[] = {
        { "var/lib/docker/containers/aa/config.v2.json", "{\"NetworkSettings\": {\"Networks\": {\"bridge\": {\"IPAddress\": \"172.18.0.2\"}}}}" },
        { "var/lib/docker/containers/bb/config.v2.json", "{\"NetworkSettings\": {\"Networks\": {\"web\": {\"IPAddress\": \"172.18.0.3\"}}}}" },
        { "var/lib/docker/containers/cc/config.v2.json", "not JSON" },
    };
    char *root = tree_make(files, G_N_ELEMENTS(files));
    g_autofree char *found = log_of_container(root, "172.18.0.3"), *none = log_of_container(root, "172.18.0.30");

    (void)state;
    assert_string_equal(found, "/var/lib/docker/containers/bb/bb-json.log");
    assert_null(none);
    tree_remove(root);
}

/* --- Wi-Fi: the elements of a beacon, and every part of them --- */

static void test_ssid(void **state)
{
    static const uint8_t beacon[] = { 1, 2, 0x82, 0x84, 0, 4, 's', 'e', 'a', 'x', 3, 1, 1 };

    (void)state;
    for (size_t n = 0; n <= sizeof beacon; n++) {
        uint8_t *copy = guard_copy(beacon, n);
        g_autofree char *name = wireless_ssid(copy, n);
        assert_true((name != NULL) == (n >= 10));
        if (name)
            assert_string_equal(name, "seax");
        guard_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes), cmocka_unit_test(test_no_process), cmocka_unit_test(test_listening), cmocka_unit_test(test_listening_elsewhere),
        cmocka_unit_test(test_unit),      cmocka_unit_test(test_bus),        cmocka_unit_test(test_log_files),
        cmocka_unit_test(test_log_end), cmocka_unit_test(test_log_own),   cmocka_unit_test(test_log_container), cmocka_unit_test(test_ssid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
