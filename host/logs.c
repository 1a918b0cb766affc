#include "host/logs.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/machine.h"
#include "host/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define LINE_BYTES 300
#define CONTAINERS "var/lib/docker/containers"
#define ENTRIES 2000 /* of the journal, looked at from its end */

static bool is_trouble(const char *line)
{
    static const char *const words[] = { "error", "crit",   "alert",   "emerg", "fatal",
                                         "fail",  "denied", "refused", "panic" };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcasestr(line, words[i]))
            return true;
    return false;
}

static bool is_of_address(char c)
{
    return g_ascii_isxdigit(c) || c == '.' || c == ':';
}

/* 192.0.2.1 is not 192.0.2.10. A colon behind it is a port's, or the text's. */
static bool has_client(const char *line, const char *client)
{
    size_t n = strlen(client);

    for (const char *at = line; (at = strstr(at, client)); at++)
        if ((at == line || !is_of_address(at[-1])) && (!is_of_address(at[n]) || at[n] == ':'))
            return true;
    return false;
}

static void take_line(GPtrArray *lines, const char *text, size_t n, const char *client)
{
    g_autofree char *line = text_dup_utf8(slice_of(text, n), LINE_BYTES);

    if (client ? !has_client(line, client) : !is_trouble(line))
        return;
    if (lines->len >= LOG_LINES)
        g_ptr_array_remove_index(lines, 0);
    g_ptr_array_add(lines, g_steal_pointer(&line));
}

/* A file, and neither a pipe nor a link that somebody put in its place. */
static FILE *open_file(const char *path)
{
    struct stat it;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &it) == 0 && S_ISREG(it.st_mode))
        return fdopen(fd, "r");
    if (fd >= 0)
        close(fd);
    return NULL;
}

GPtrArray *log_file_lines(const char *root, const char *path, const char *client)
{
    g_autofree char *whole = g_strconcat(root, path, NULL), *bytes = g_malloc(LIMIT_LOG_BYTES + 1);
    FILE *file = open_file(whole);

    if (!file)
        return NULL;
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    bool cut = fseek(file, 0, SEEK_END) == 0 && ftell(file) > (long)LIMIT_LOG_BYTES;
    if (fseek(file, cut ? -(long)LIMIT_LOG_BYTES : 0, cut ? SEEK_END : SEEK_SET) == 0) {
        size_t n = fread(bytes, 1, LIMIT_LOG_BYTES, file);
        bytes[n] = '\0';
        char *at = cut ? memchr(bytes, '\n', n) : bytes; /* its first line may be half a one */
        while (at && at < bytes + n) {
            char *end = memchr(at, '\n', (size_t)(bytes + n - at));
            take_line(lines, at, (size_t)((end ? end : bytes + n) - at), client);
            at = end ? end + 1 : NULL;
        }
    }
    fclose(file);
    return lines;
}

/* --- the journal --- */

static void take_entry(sd_journal *j, GPtrArray *lines, const char *client)
{
    const void *data = NULL;
    size_t n = 0, head = strlen("MESSAGE=");

    if (sd_journal_get_data(j, "MESSAGE", &data, &n) < 0 || n <= head)
        return;
    g_autofree char *line = text_dup_utf8(slice_of((const char *)data + head, n - head), LINE_BYTES);
    if (client && !has_client(line, client))
        return;
    g_ptr_array_insert(lines, 0, g_steal_pointer(&line));
}

/* PRIORITY 4 and below: warning, error, critical, alert, emergency. */
static void add_matches(sd_journal *j, const char *unit, bool all)
{
    g_autofree char *match = g_strdup_printf("_SYSTEMD_UNIT=%s", unit);
    char priority[] = "PRIORITY=0";

    sd_journal_add_match(j, match, 0);
    for (char level = '0'; !all && level <= '4'; level++) {
        priority[sizeof priority - 2] = level;
        sd_journal_add_match(j, priority, 0);
    }
}

GPtrArray *log_journal_lines(const char *unit, const char *client, GError **error)
{
    sd_journal *j = NULL;
    int status = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

    if (status < 0) {
        g_set_error(error, HOST_ERROR, 0, "the journal cannot be read: %s", g_strerror(-status));
        return NULL;
    }
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    add_matches(j, unit, client != NULL);
    sd_journal_seek_tail(j);
    for (int i = 0; i < ENTRIES && lines->len < LOG_LINES && sd_journal_previous(j) > 0; i++)
        take_entry(j, lines, client);
    sd_journal_close(j);
    return lines;
}

/* --- containers --- */

static bool has_address(const json_t *config, const char *address)
{
    const json_t *networks = json_object_get(json_object_get(config, "NetworkSettings"), "Networks");
    const char *name;
    json_t *one;

    json_object_foreach((json_t *)(uintptr_t)networks, name, one)
    {
        const char *own = json_string_value(json_object_get(one, "IPAddress"));
        if (own && strcmp(own, address) == 0)
            return true;
    }
    return false;
}

char *log_of_container(const char *root, const char *address)
{
    g_auto(GStrv) ids = tree_list(root, CONTAINERS);

    for (char **id = ids; *id; id++) {
        g_autofree char *path = g_strdup_printf("%s/%s/%s/config.v2.json", root, CONTAINERS, *id);
        json_t *config = json_load_file(path, 0, NULL);
        bool found = config && has_address(config, address);
        json_decref(config);
        if (found)
            return g_strdup_printf("/%s/%s/%s-json.log", CONTAINERS, *id, *id);
    }
    return NULL;
}
