/* driver: the module of each card, with its description, and what the kernel says of firmware. */
#include "host/cards.h"
#include "host/climb.h"
#include "host/tree.h"

#include <libkmod.h>
#include <string.h>

/* The modules of the kernel that runs, below the root. NULL: there are none (a container). */
static struct kmod_ctx *open_modules(const char *root)
{
    g_autofree char *release = tree_text(root, "proc/sys/kernel", "osrelease");
    g_autofree char *folder = release ? tree_path(root, "lib/modules", release) : NULL;

    return folder ? kmod_new(folder, NULL) : NULL;
}

/* What a module says of itself; NULL: nothing, or it is built into the kernel. Free with g_free. */
static char *description_of(struct kmod_ctx *modules, const char *driver)
{
    struct kmod_module *module = NULL;
    struct kmod_list *info = NULL, *one;
    char *found = NULL;

    if (!modules || kmod_module_new_from_name(modules, driver, &module) < 0)
        return NULL;
    if (kmod_module_get_info(module, &info) >= 0) {
        kmod_list_foreach(one, info) if (!found && strcmp(kmod_module_info_get_key(one), "description") == 0) found =
            g_utf8_make_valid(kmod_module_info_get_value(one), -1);
        kmod_module_info_free_list(info);
    }
    kmod_module_unref(module);
    return found;
}

static void describe(struct rung_step *s, struct kmod_ctx *modules, const struct card *c, GString *out)
{
    g_autofree char *description = c->driver ? description_of(modules, c->driver) : NULL;
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_append_printf(line, "%s: %s",
                           c->interfaces->len ? (const char *)g_ptr_array_index(c->interfaces, 0) : c->slot,
                           c->driver ? c->driver : "no driver");
    if (description)
        g_string_append_printf(line, " (%s)", description);
    if (!out->len)
        g_string_append(out, line->str);
    step_note(s, "%s", line->str);
}

static bool any_link_works(const struct climb *c)
{
    for (guint i = 0; i < c->machine->links->len; i++)
        if (link_works(&g_array_index(c->machine->links, struct host_link, i)))
            return true;
    return false;
}

static void blame(struct rung_step *s, const struct climb *c, const struct card *card)
{
    struct finding *f = finding_new(CODE_DRIVER_MISSING, WHERE_CLIENT, "No driver has taken the card %s (%s %s).",
                                    card->name, card->bus, card->slot);

    if (any_link_works(c))
        f->status = STATUS_DEGRADED;
    step_blame(s, f);
    step_subject(s, card->slot);
    step_remedy(s, "lspci -k -s %s; apt install the driver or its firmware (linux-image, firmware-*); modprobe MODULE",
                card->slot);
}

struct rung_step *rung_driver(const struct climb *c)
{
    g_autoptr(GPtrArray) cards = cards_read(c->machine->root);
    g_autoptr(GString) first = g_string_new(NULL);

    if (cards->len == 0)
        return step_skip(RUNG_DRIVER, "there is no card");
    struct rung_step *s = step_new(RUNG_DRIVER, "%s", "");
    struct kmod_ctx *modules = open_modules(c->machine->root);
    for (guint i = 0; i < cards->len; i++) {
        const struct card *card = g_ptr_array_index(cards, i);
        describe(s, modules, card, first);
        if (!card->driver)
            blame(s, c, card);
    }
    if (modules)
        kmod_unref(modules);
    g_free(s->text);
    s->text = g_strdup_printf("%s%s", first->str, cards->len > 1 ? ", and more" : "");
    for (guint i = 0; i < c->machine->firmware->len; i++)
        step_note(s, "the kernel says: %s", (const char *)g_ptr_array_index(c->machine->firmware, i));
    step_evidence(s, "drivers of the cards (sysfs), modules (libkmod), /dev/kmsg as root");
    return s;
}
