#include "host/resolvers.h"

#include "base/limits.h"
#include "host/tree.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define STUB "/etc/resolv.conf"
#define BEHIND "/run/systemd/resolve/resolv.conf"

bool resolver_address(const char *text, uint8_t *version, struct addr *out, unsigned *scope)
{
    g_autofree char *alone = g_strndup(text, strcspn(text, "%"));
    uint8_t bytes[16];

    *scope = text[strlen(alone)] == '%' ? if_nametoindex(text + strlen(alone) + 1) : 0;
    if (inet_pton(AF_INET, alone, bytes) == 1) {
        *version = 4;
        *out = addr_v4(bytes);
        return true;
    }
    *version = 6;
    if (inet_pton(AF_INET6, alone, bytes) != 1)
        return false;
    *out = addr_v6(bytes);
    return true;
}

/* The words of a line, without what follows a comment sign. Free with g_strfreev. */
static char **words_of(const char *line, const char *comments)
{
    g_autofree char *text = g_strndup(line, strcspn(line, comments));
    GPtrArray *words = g_ptr_array_new();
    char *rest = text, *word;

    while ((word = strtok_r(rest, " \t\r\f\v", &rest)))
        g_ptr_array_add(words, g_strdup(word));
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static char **lines_of(const char *root, const char *path)
{
    g_autofree char *text = tree_text(root, path + 1, NULL);

    return g_strsplit(text ? text : "", "\n", -1);
}

/* --- /etc/hosts --- */

/* hosts(5): an address, then names; upper and lower case are the same. */
static void read_hosts(struct resolvers *r, const char *root, const char *name)
{
    g_auto(GStrv) lines = lines_of(root, "/etc/hosts");

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = words_of(*line, "#");
        struct found_address a;
        unsigned scope;
        if (!words[0] || !resolver_address(words[0], &a.version, &a.addr, &scope))
            continue;
        for (char **word = words + 1; *word; word++) {
            if (g_ascii_strcasecmp(*word, name) == 0 && r->hosts->len < LIMIT_HOST_NAMES) {
                g_array_append_val(r->hosts, a);
                break;
            }
        }
    }
}

/* --- nsswitch.conf --- */

static void read_sources(struct resolvers *r, char **words)
{
    g_autoptr(GString) others = g_string_new(NULL);

    r->uses_files = r->uses_dns = false;
    for (; *words; words++) {
        if (**words == '[') /* an action: [NOTFOUND=return] */
            continue;
        if (g_str_equal(*words, "files"))
            r->uses_files = true;
        else if (g_str_equal(*words, "dns") || g_str_equal(*words, "resolve"))
            r->uses_dns = true;
        else
            g_string_append_printf(others, "%s%s", others->len ? ", " : "", *words);
    }
    g_free(r->others);
    r->others = others->len ? g_string_free(g_steal_pointer(&others), FALSE) : NULL;
}

/* nsswitch.conf(5); without the file: files, then dns. */
static void read_nsswitch(struct resolvers *r, const char *root)
{
    g_auto(GStrv) lines = lines_of(root, "/etc/nsswitch.conf");

    r->uses_files = r->uses_dns = true;
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = words_of(*line, "#");
        if (words[0] && g_str_equal(words[0], "hosts:"))
            read_sources(r, words + 1);
    }
}

/* --- resolv.conf --- */

struct search {
    GPtrArray *domains; /* char* */
    unsigned ndots;
};

bool resolvers_hold(const struct resolvers *r, const struct resolver *s)
{
    for (guint i = 0; i < r->servers->len; i++) {
        const struct resolver *known = &g_array_index(r->servers, struct resolver, i);
        if (known->version == s->version && addr_cmp(&known->addr, &s->addr) == 0)
            return true;
    }
    return false;
}

static void add_server(struct resolvers *r, const char *text, const char *from, bool behind)
{
    struct resolver s = { .from = from, .behind = behind };

    if (!resolver_address(text, &s.version, &s.addr, &s.scope) || r->servers->len >= LIMIT_RESOLVERS)
        return;
    if (!resolvers_hold(r, &s))
        g_array_append_val(r->servers, s);
}

static void read_option(struct search *search, const char *word)
{
    if (g_str_has_prefix(word, "ndots:"))
        search->ndots = (unsigned)CLAMP(strtol(word + strlen("ndots:"), NULL, 10), 0, 15); /* RES_MAXNDOTS */
}

/* resolv.conf(5): the last of `search` and `domain` counts; comments begin in the first column. */
static void read_resolv_conf(struct resolvers *r, struct search *search, const char *root, const char *path,
                             bool behind)
{
    g_auto(GStrv) lines = lines_of(root, path);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = words_of(*line, **line == '#' || **line == ';' ? "#;" : "\n");
        if (!words[0])
            continue;
        if (g_str_equal(words[0], "nameserver") && words[1])
            add_server(r, words[1], path, behind);
        else if (!behind && (g_str_equal(words[0], "search") || g_str_equal(words[0], "domain"))) {
            g_ptr_array_set_size(search->domains, 0);
            for (char **word = words + 1; *word && search->domains->len < LIMIT_SEARCH_NAMES; word++)
                g_ptr_array_add(search->domains, g_strdup(*word));
        } else if (!behind && g_str_equal(words[0], "options")) {
            for (char **word = words + 1; *word; word++)
                read_option(search, *word);
        }
    }
}

static void add_name(struct resolvers *r, const char *name, const char *domain)
{
    bool empty = !domain || !*domain || g_str_equal(domain, ".");

    g_ptr_array_add(r->names, empty ? g_strdup(name) : g_strconcat(name, ".", domain, NULL));
}

/* res_search(3): a name with a dot at its end is taken as it is; one with ndots dots is tried as it is first. */
static void make_names(struct resolvers *r, const struct search *search, const char *name)
{
    unsigned dots = 0;
    size_t n = strlen(name);

    for (const char *p = name; *p; p++)
        dots += *p == '.';
    if (n > 0 && name[n - 1] == '.') {
        g_autofree char *alone = g_strndup(name, n - 1);
        add_name(r, alone, NULL);
        return;
    }
    if (dots >= search->ndots)
        add_name(r, name, NULL);
    for (guint i = 0; i < search->domains->len; i++)
        add_name(r, name, g_ptr_array_index(search->domains, i));
    if (dots < search->ndots)
        add_name(r, name, NULL);
}

struct resolvers *resolvers_read(const char *root, const char *name)
{
    struct resolvers *r = g_new0(struct resolvers, 1);
    struct search search = { g_ptr_array_new_with_free_func(g_free), 1 };

    r->servers = g_array_new(FALSE, TRUE, sizeof(struct resolver));
    r->hosts = g_array_new(FALSE, TRUE, sizeof(struct found_address));
    r->names = g_ptr_array_new_with_free_func(g_free);
    read_nsswitch(r, root);
    if (r->uses_files)
        read_hosts(r, root, name);
    read_resolv_conf(r, &search, root, STUB, false);
    read_resolv_conf(r, &search, root, BEHIND, true);
    make_names(r, &search, name);
    g_ptr_array_free(search.domains, TRUE);
    return r;
}

void resolvers_free(struct resolvers *r)
{
    if (!r)
        return;
    g_array_free(r->servers, TRUE);
    g_array_free(r->hosts, TRUE);
    g_ptr_array_free(r->names, TRUE);
    g_free(r->others);
    g_free(r);
}
