#include "host/service.h"

#include "base/limits.h"
#include "host/tcpext.h"
#include "host/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool socket_is_local(const struct host_socket *s)
{
    static const uint8_t one[16] = { [15] = 1 };
    bool mapped = s->local.bytes[10] == 0xff && s->local.bytes[11] == 0xff;

    if (s->version == 4 || mapped)
        return s->local.bytes[12] == 127;
    return memcmp(s->local.bytes, one, sizeof one) == 0;
}

bool socket_is_everywhere(const struct host_socket *l)
{
    static const uint8_t zero[16];

    return memcmp(l->local.bytes + (l->version == 4 ? 12 : 0), zero, l->version == 4 ? 4 : 16) == 0;
}

/* --- life --- */

static void process_free(gpointer p)
{
    struct process *it = p;

    g_free(it->command);
    g_free(it->user);
    g_free(it->cgroup);
    g_free(it->unit);
    g_free(it->container_address);
    g_ptr_array_free(it->logs, TRUE);
    g_free(it);
}

struct service *service_new(uint16_t port)
{
    struct service *s = g_new0(struct service, 1);

    s->port = port;
    s->listeners = g_array_new(FALSE, TRUE, sizeof(struct host_socket));
    s->processes = g_ptr_array_new_with_free_func(process_free);
    s->all_seen = true;
    return s;
}

void service_free(struct service *s)
{
    if (!s)
        return;
    g_array_free(s->listeners, TRUE);
    g_ptr_array_free(s->processes, TRUE);
    g_free(s);
}

/* --- one process --- */

/* /proc/PID/cmdline: words with a NUL behind each. */
static char *read_command(const char *root, const char *folder)
{
    g_autofree char *path = tree_path(root, folder, "cmdline");
    g_autofree char *bytes = NULL;
    gsize n = 0;

    if (!g_file_get_contents(path, &bytes, &n, NULL) || n == 0)
        return tree_text(root, folder, "comm");
    for (gsize i = 0; i + 1 < n; i++)
        if (bytes[i] == '\0')
            bytes[i] = ' ';
    return g_utf8_make_valid(bytes, (gssize)strnlen(bytes, n));
}

static char *read_user(const char *root, const char *folder)
{
    g_autofree char *status = tree_text(root, folder, "status");
    const char *line = status ? strstr(status, "\nUid:") : NULL;
    unsigned uid = 0;

    if (!line || sscanf(line, "\nUid: %u", &uid) != 1)
        return g_strdup("?");
    const struct passwd *p = getpwuid(uid);
    return p ? g_strdup(p->pw_name) : g_strdup_printf("%u", uid);
}

/* proc(5): the 22nd field of stat, in clock ticks since the machine started; the 2nd may hold anything, up to its last
 * ')'; the 3rd is its state. */
static int64_t read_start(const char *root, const char *folder, char *state)
{
    g_autofree char *stat = tree_text(root, folder, "stat"), *machine = tree_text(root, "proc", "stat");
    const char *rest = stat ? strrchr(stat, ')') : NULL, *boot = machine ? strstr(machine, "btime ") : NULL;
    unsigned long long ticks = 0;
    long hz = sysconf(_SC_CLK_TCK);

    if (!rest || !boot || hz <= 0)
        return 0;
    *state = rest[1] == ' ' ? rest[2] : '\0';
    g_auto(GStrv) fields = g_strsplit(rest + 1, " ", 24); /* [0] is empty, [1] the 3rd */
    if (g_strv_length(fields) < 21)
        return 0;
    ticks = strtoull(fields[20], NULL, 10);
    return strtoll(boot + strlen("btime "), NULL, 10) + (int64_t)(ticks / (unsigned long long)hz);
}

/* The soft limit of "Max open files"; 0: not known. */
static unsigned read_most_files(const char *root, const char *folder)
{
    g_autofree char *limits = tree_text(root, folder, "limits");
    const char *line = limits ? strstr(limits, "Max open files") : NULL;

    return line ? (unsigned)strtoul(line + strlen("Max open files"), NULL, 10) : 0;
}

/* The innermost service of a path of control groups. */
static char *unit_of(const char *cgroup)
{
    g_auto(GStrv) parts = g_strsplit(cgroup, "/", 0);

    for (guint i = g_strv_length(parts); i-- > 0;)
        if (g_str_has_suffix(parts[i], ".service") || g_str_has_suffix(parts[i], ".scope"))
            return g_strdup(parts[i]);
    return NULL;
}

/* Version 2 has one line, "0::/path"; of version 1 systemd's own counts. */
static char *read_cgroup(const char *root, const char *folder)
{
    g_autofree char *text = tree_text(root, folder, "cgroup");
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", 0);

    for (char **line = lines; *line; line++) {
        const char *path = g_str_has_prefix(*line, "0::") ? *line + 3 : strstr(*line, ":name=systemd:");
        if (path && *path == ':')
            path += strlen(":name=systemd:");
        if (path && *path)
            return g_strdup(path);
    }
    return NULL;
}

/* "docker-proxy ... -container-ip 172.18.0.3 -container-port 443" */
static void read_proxy(struct process *p)
{
    g_auto(GStrv) words = g_strsplit(p->command ? p->command : "", " ", 0);

    if (!words[0] || !g_str_has_suffix(words[0], "docker-proxy"))
        return;
    for (char **word = words; word[0] && word[1]; word++) {
        if (g_str_equal(word[0], "-container-ip") && !p->container_address)
            p->container_address = g_strdup(word[1]);
        else if (g_str_equal(word[0], "-container-port"))
            p->container_port = (unsigned)strtoul(word[1], NULL, 10);
    }
}

/* --- which ones --- */

static bool holds_inode(const struct service *s, uint32_t inode)
{
    for (guint i = 0; i < s->listeners->len; i++)
        if (g_array_index(s->listeners, struct host_socket, i).inode == inode)
            return true;
    return false;
}

static void take_process(struct service *s, const char *root, unsigned pid, uint32_t inode, unsigned files,
                         GPtrArray *logs)
{
    g_autofree char *folder = g_strdup_printf("proc/%u", pid);
    struct process *p = g_new0(struct process, 1);

    p->pid = pid;
    p->inode = inode;
    p->command = read_command(root, folder);
    p->user = read_user(root, folder);
    p->started_s = read_start(root, folder, &p->state);
    p->files = files;
    p->most_files = read_most_files(root, folder);
    p->cgroup = read_cgroup(root, folder);
    p->unit = p->cgroup ? unit_of(p->cgroup) : NULL;
    p->logs = logs;
    read_proxy(p);
    g_ptr_array_add(s->processes, p);
}

static bool is_log(const char *path)
{
    return *path == '/' &&
           (g_str_has_suffix(path, ".log") || g_str_has_suffix(path, "_log") || g_str_has_prefix(path, "/var/log/"));
}

/* The files of one process: whether one is our socket, and those that look like logs. */
static void look_into(struct service *s, const char *root, unsigned pid)
{
    g_autofree char *folder = g_strdup_printf("proc/%u/fd", pid), *path = tree_path(root, folder, NULL);
    GPtrArray *logs = g_ptr_array_new_with_free_func(g_free);
    DIR *dir = opendir(path);
    uint32_t held = 0;
    unsigned files = 0;

    if (!dir && errno == EACCES)
        s->all_seen = false;
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char to[512];
        unsigned inode = 0;
        ssize_t n = readlinkat(dirfd(dir), e->d_name, to, sizeof to - 1);
        if (n <= 0)
            continue;
        files++;
        to[n] = '\0';
        if (sscanf(to, "socket:[%u]", &inode) == 1 && holds_inode(s, inode))
            held = inode;
        else if (is_log(to) && logs->len < LIMIT_LOG_FILES)
            g_ptr_array_add(logs, g_strdup(to));
    }
    if (dir)
        closedir(dir);
    if (held)
        take_process(s, root, pid, held, files, logs);
    else
        g_ptr_array_free(logs, TRUE);
}

static int by_pid(const void *a, const void *b)
{
    const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

    return (x->pid > y->pid) - (x->pid < y->pid);
}

void service_find_processes(struct service *s, const char *root)
{
    g_autofree char *path = tree_path(root, "proc", NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && s->processes->len < LIMIT_HOST_NAMES && (name = g_dir_read_name(dir)))
        if (g_ascii_isdigit(*name))
            look_into(s, root, (unsigned)strtoul(name, NULL, 10));
    if (dir)
        g_dir_close(dir);
    g_ptr_array_sort(s->processes, by_pid);
}

struct service *service_read(const char *root, uint16_t port, GError **error)
{
    GArray *all = sockets_read(1u << TCP_LISTEN, error);

    if (!all)
        return NULL;
    struct service *s = service_new(port);
    for (guint i = 0; i < all->len; i++) {
        const struct host_socket *one = &g_array_index(all, struct host_socket, i);
        if (one->local_port == port)
            g_array_append_val(s->listeners, *one);
    }
    g_array_free(all, TRUE);
    if (s->listeners->len)
        service_find_processes(s, root);
    g_autofree char *text = tree_text(root, "proc/net", "netstat");
    s->overflows = text ? tcpext_value(text, "ListenOverflows") : 0;
    s->drops = text ? tcpext_value(text, "ListenDrops") : 0;
    return s;
}
