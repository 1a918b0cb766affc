/* rfkill: the radios and their blocks. */
#include "host/climb.h"
#include "host/tree.h"

#include <string.h>

#define RFKILL "sys/class/rfkill"

/* Whether anything but radio leads out of this host. */
static bool has_wire(const struct climb *c)
{
    for (guint i = 0; i < c->machine->links->len; i++) {
        const struct host_link *l = &g_array_index(c->machine->links, struct host_link, i);
        if (link_works(l) && !l->wireless)
            return true;
    }
    return false;
}

static bool is_for_data(const char *type)
{
    return strcmp(type, "wlan") == 0 || strcmp(type, "wwan") == 0;
}

/* Whether the radio is blocked, which is told. */
static bool look(struct rung_step *s, const struct climb *c, const char *folder, const char *name, const char *type)
{
    bool soft = tree_number(c->machine->root, folder, "soft", 0) == 1,
         hard = tree_number(c->machine->root, folder, "hard", 0) == 1;

    step_note(s, "%s (%s): %s", name, type,
              hard   ? "blocked by a switch"
              : soft ? "blocked by software"
                     : "not blocked");
    if (!soft && !hard)
        return false;
    struct finding *f = finding_new(CODE_RADIO_BLOCKED, WHERE_CLIENT, "The radio %s is blocked by %s.", name,
                                    hard ? "a switch (hard)" : "software (soft)");
    if (has_wire(c))
        f->status = STATUS_DEGRADED;
    step_blame(s, f);
    step_subject(s, name);
    if (hard)
        step_remedy(s, "turn the radio on: a switch, a key (often Fn with an antenna), or the firmware's set-up");
    else
        step_remedy(s, "rfkill unblock %s", type);
    return true;
}

struct rung_step *rung_rfkill(const struct climb *c)
{
    g_auto(GStrv) radios = tree_list(c->machine->root, RFKILL);
    struct rung_step *s = step_new(RUNG_RFKILL, "%s", "");
    unsigned n = 0, blocked = 0;

    for (char **radio = radios; *radio; radio++) {
        g_autofree char *folder = g_strdup_printf("%s/%s", RFKILL, *radio);
        g_autofree char *type = tree_text(c->machine->root, folder, "type"),
                        *name = tree_text(c->machine->root, folder, "name");
        if (!type || !is_for_data(type))
            continue;
        n++;
        blocked += look(s, c, folder, name ? name : *radio, type);
    }
    if (n == 0) {
        step_free(s);
        return step_skip(RUNG_RFKILL, "there is no radio");
    }
    g_free(s->text);
    s->text = blocked ? g_strdup_printf("%u of %u radios blocked", blocked, n)
                      : g_strdup_printf("%u radio%s, none blocked", n, n > 1 ? "s" : "");
    step_evidence(s, "/sys/class/rfkill");
    return s;
}
