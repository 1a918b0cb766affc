/* device: the network cards, by their names; virtual interfaces alone are a container or a namespace, and no fault. */
#include "host/cards.h"
#include "host/climb.h"

static void describe(GString *out, const struct card *c)
{
    g_string_append_printf(out, "%s (%s %s", c->name, c->bus, c->slot);
    for (guint i = 0; i < c->interfaces->len; i++)
        g_string_append_printf(out, "%s%s", i ? ", " : ", ", (const char *)g_ptr_array_index(c->interfaces, i));
    g_string_append_printf(out, "%s)", c->driver ? "" : ", no driver");
}

static char *virtual_ones(const struct machine *m)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < m->links->len; i++) {
        const struct host_link *l = &g_array_index(m->links, struct host_link, i);
        if (!l->loopback)
            g_string_append_printf(out, "%s%s%s%s%s", out->len ? ", " : "", l->name, *l->kind ? " (" : "", l->kind,
                                   *l->kind ? ")" : "");
    }
    return out->len ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

static bool has_interface(const GPtrArray *cards)
{
    for (guint i = 0; i < cards->len; i++)
        if (((const struct card *)g_ptr_array_index(cards, i))->interfaces->len)
            return true;
    return false;
}

static struct rung_step *without_card(const struct machine *m)
{
    g_autofree char *links = virtual_ones(m);

    if (links)
        return step_new(RUNG_DEVICE, "no card of its own: virtual interfaces, %s", links);
    struct rung_step *s = step_new(RUNG_DEVICE, "no network card on PCI or USB, and no interface");
    step_blame(s, finding_new(CODE_DEVICE_MISSING, WHERE_CLIENT,
                              "This host has no network card and no interface but the loopback."));
    step_remedy(s, "lspci | grep -i -e Ethernet -e Wireless; lsusb: what do the buses see? Then put a card in, or "
                   "enable it in the firmware");
    return s;
}

struct rung_step *rung_device(const struct climb *c)
{
    g_autoptr(GPtrArray) cards = cards_read(c->machine->root);
    g_autoptr(GString) first = g_string_new(NULL);
    struct rung_step *s;

    if (cards->len == 0 || (!has_interface(cards) && c->machine->links->len > 1)) {
        s = without_card(c->machine);
    } else {
        describe(first, g_ptr_array_index(cards, 0));
        s = step_new(RUNG_DEVICE, "%s%s", first->str, cards->len > 1 ? ", and more" : "");
    }
    for (guint i = 0; i < cards->len; i++) {
        g_autoptr(GString) line = g_string_new(NULL);
        describe(line, g_ptr_array_index(cards, i));
        step_note(s, "%s", line->str);
    }
    step_evidence(s, "/sys/bus/pci/devices, /sys/bus/usb/devices, /sys/class/net; names from hwdata");
    return s;
}
