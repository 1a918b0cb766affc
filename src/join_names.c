#include "src/join_names.h"

#include "diagnose/amend.h"
#include "diagnose/inquiry.h"
#include "host/ask.h"

#include <string.h>

static const char *name_of(const struct finding *verdict)
{
    const struct detail *name = finding_detail(verdict, "name");

    return name && inquiry_is_name(name->text) ? name->text : NULL;
}

bool join_names_can(const struct finding *verdict)
{
    return verdict->code >= CODE_DNS_NXDOMAIN && verdict->code <= CODE_DNS_NO_ANSWER && name_of(verdict);
}

static void append_addresses(GString *s, const struct asked *a)
{
    char text[ADDR_TEXT_SIZE];

    for (guint i = 0; i < a->addresses->len; i++) {
        const struct found_address *one = &g_array_index(a->addresses, struct found_address, i);
        g_string_append_printf(s, "%s%s", i ? ", " : "", addr_text(text, &one->addr, one->version));
    }
}

/* "192.0.2.53 A: NXDOMAIN" */
static char *answer_text(const struct resolvers *r, const struct asked *a)
{
    static const char *const words[] = {
        [ASK_ADDRESSES] = "",        [ASK_NO_DATA] = "no data",  [ASK_NXDOMAIN] = "NXDOMAIN",
        [ASK_SERVFAIL] = "SERVFAIL", [ASK_REFUSED] = "REFUSED",  [ASK_OTHER] = "another error",
        [ASK_MALFORMED] = "no DNS",  [ASK_SILENT] = "no answer", [ASK_UNSENT] = "cannot be sent"
    };
    const struct resolver *server = &g_array_index(r->servers, struct resolver, a->server);
    char text[ADDR_TEXT_SIZE];
    GString *s = g_string_new(addr_text(text, &server->addr, server->version));

    g_string_append_printf(s, " %s: %s", a->version == 6 ? "AAAA" : "A", words[a->outcome]);
    if (a->outcome == ASK_ADDRESSES)
        append_addresses(s, a);
    return g_string_free(s, FALSE);
}

static void announce(const struct resolvers *r, const char *name, const struct finding *verdict,
                     void (*say)(void *user, const char *line), void *user)
{
    char text[ADDR_TEXT_SIZE];
    g_autoptr(GString) s = g_string_new("asking ");

    for (guint i = 0; i < r->servers->len; i++) {
        const struct resolver *server = &g_array_index(r->servers, struct resolver, i);
        g_string_append_printf(s, "%s%s", i ? ", " : "", addr_text(text, &server->addr, server->version));
    }
    g_string_append_printf(s, " for %s, because its look-up failed (%s)", name, catalogue_row(verdict->code)->name);
    say(user, s->str);
}

void join_names_ask(struct finding *verdict, void (*say)(void *user, const char *line), void *user)
{
    const char *name = name_of(verdict);
    struct resolvers *r = resolvers_read("", name);
    g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func(g_free);
    bool found = false;

    if (r->servers->len) {
        announce(r, name, verdict, say, user);
        g_autoptr(GPtrArray) all = ask_all(r, name);
        for (guint i = 0; i < all->len; i++) {
            const struct asked *a = g_ptr_array_index(all, i);
            g_ptr_array_add(answers, answer_text(r, a));
            found |= a->outcome == ASK_ADDRESSES;
        }
        g_ptr_array_add(answers, NULL);
        finding_amend_names(verdict, (const char *const *)answers->pdata, found);
    }
    resolvers_free(r);
}
