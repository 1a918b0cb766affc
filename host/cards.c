#include "host/cards.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCI "sys/bus/pci/devices"
#define USB "sys/bus/usb/devices"
#define NET "sys/class/net"
#define NAME_BYTES 160

static void card_free(gpointer p)
{
    struct card *c = p;

    g_free(c->slot);
    g_free(c->name);
    g_free(c->driver);
    g_ptr_array_free(c->interfaces, TRUE);
    g_free(c);
}

static struct card *card_new(const char *bus, const char *slot, char *name, char *driver)
{
    struct card *c = g_new0(struct card, 1);

    c->bus = bus;
    c->slot = g_strdup(slot);
    c->name = name;
    c->driver = driver;
    c->interfaces = g_ptr_array_new_with_free_func(g_free);
    return c;
}

/* --- names --- */

/* A line "8086  Intel Corporation": its number and its text, behind so many tabs. */
static bool parse_line(const char *line, unsigned tabs, unsigned *number, const char **text)
{
    char *end = NULL;

    for (unsigned i = 0; i < tabs; i++)
        if (line[i] != '\t')
            return false;
    if (!g_ascii_isxdigit(line[tabs]))
        return false;
    *number = (unsigned)strtoul(line + tabs, &end, 16);
    *text = end + strspn(end, " ");
    return end == line + tabs + 4 && *end == ' ';
}

static char *clean(const char *text)
{
    return text_dup_utf8(slice_of(text, strcspn(text, "\n")), NAME_BYTES);
}

static char *search(FILE *file, unsigned vendor, unsigned device)
{
    g_autofree char *maker = NULL;
    char line[512];
    unsigned number;
    const char *text;

    while (fgets(line, sizeof line, file)) {
        if (parse_line(line, 0, &number, &text)) {
            if (maker)
                break;
            maker = number == vendor ? clean(text) : NULL;
        } else if (maker && parse_line(line, 1, &number, &text) && number == device) {
            g_autofree char *model = clean(text);
            return g_strdup_printf("%s %s", maker, model);
        }
    }
    return maker ? g_strdup_printf("%s device %04x", maker, device) : NULL;
}

char *ids_name(const char *root, const char *file, unsigned vendor, unsigned device)
{
    static const char *const folders[] = { "usr/share/hwdata", "usr/share/misc" };

    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = tree_path(root, folders[i], file);
        FILE *ids = fopen(path, "re");
        if (!ids)
            continue;
        char *name = search(ids, vendor, device);
        fclose(ids);
        return name;
    }
    return NULL;
}

static char *name_of(const char *root, const char *file, unsigned vendor, unsigned device)
{
    char *name = ids_name(root, file, vendor, device);

    return name ? name : g_strdup_printf("%04x:%04x", vendor, device);
}

/* --- PCI --- */

#define PCI_NETWORK 0x02 /* base class: network controller; 0x80 below it: wireless */

static void add_pci(GPtrArray *cards, const char *root, const char *slot)
{
    g_autofree char *folder = g_strdup_printf("%s/%s", PCI, slot);
    int64_t class = tree_number(root, folder, "class", 0);

    if (class >> 16 != PCI_NETWORK)
        return;
    struct card *c = card_new("PCI", slot,
                              name_of(root, "pci.ids", (unsigned)tree_number(root, folder, "vendor", 0),
                                      (unsigned)tree_number(root, folder, "device", 0)),
                              tree_link(root, folder, "driver"));
    c->wireless = (class >> 8 & 0xff) == 0x80;
    g_ptr_array_add(cards, c);
}

/* --- USB --- */

/* CDC Ethernet, EEM and NCM, RNDIS (the class of wireless controllers, which Bluetooth is, too, with protocol 1), or
 * whatever has made an interface. */
static bool is_network_usb(const char *root, const char *folder)
{
    g_autofree char *class = tree_text(root, folder, "bInterfaceClass"),
                    *sub = tree_text(root, folder, "bInterfaceSubClass"),
                    *protocol = tree_text(root, folder, "bInterfaceProtocol");

    if (!class || !sub || !protocol)
        return false;
    if (g_str_equal(class, "02"))
        return g_str_equal(sub, "06") || g_str_equal(sub, "0c") || g_str_equal(sub, "0d");
    if (g_str_equal(class, "e0"))
        return g_str_equal(sub, "01") && g_str_equal(protocol, "03");
    return tree_exists(root, folder, "net");
}

static unsigned hex_of(const char *root, const char *folder, const char *name)
{
    g_autofree char *text = tree_text(root, folder, name);

    return text ? (unsigned)strtoul(text, NULL, 16) & 0xffffu : 0;
}

/* "1-1:1.0" is an interface of the device "1-1", which has the names. */
static void add_usb(GPtrArray *cards, const char *root, const char *slot)
{
    const char *colon = strchr(slot, ':');
    g_autofree char *folder = g_strdup_printf("%s/%s", USB, slot);

    if (!colon || !is_network_usb(root, folder))
        return;
    g_autofree char *device = g_strdup_printf("%s/%.*s", USB, (int)(colon - slot), slot);
    struct card *c = card_new(
        "USB", slot, name_of(root, "usb.ids", hex_of(root, device, "idVendor"), hex_of(root, device, "idProduct")),
        tree_link(root, folder, "driver"));
    g_ptr_array_add(cards, c);
}

/* --- interfaces --- */

/* Where sysfs has an interface: ".../0000:00:03.0/virtio2/net/eth0". */
static char *place_of(const char *root, const char *interface)
{
    g_autofree char *path = tree_path(root, NET, interface);
    char *place = realpath(path, NULL);
    char *copy = g_strdup(place ? place : "");

    free(place);
    return copy;
}

static struct card *card_at(const GPtrArray *cards, const char *place)
{
    for (guint i = 0; i < cards->len; i++) {
        struct card *c = g_ptr_array_index(cards, i);
        g_autofree char *part = g_strdup_printf("/%s/", c->slot);
        if (strstr(place, part))
            return c;
    }
    return NULL;
}

/* An interface with a device that is on neither bus: SDIO, of a system on a chip, virtio without PCI. */
static struct card *add_other(GPtrArray *cards, const char *root, const char *interface)
{
    g_autofree char *folder = g_strdup_printf("%s/%s/device", NET, interface);
    g_autofree char *driver = tree_link(root, folder, "driver"), *slot = tree_link(root, folder, "subsystem");

    if (!driver)
        return NULL;
    struct card *c = card_new("platform", interface, g_strdup_printf("a device of the bus %s", slot ? slot : "?"),
                              g_steal_pointer(&driver));
    g_ptr_array_add(cards, c);
    return c;
}

static void add_interface(GPtrArray *cards, const char *root, const char *interface)
{
    g_autofree char *place = place_of(root, interface), *folder = g_strdup_printf("%s/%s", NET, interface);
    struct card *c = card_at(cards, place);

    if (!c)
        c = add_other(cards, root, interface);
    if (!c)
        return;
    c->wireless |= tree_exists(root, folder, "phy80211");
    g_ptr_array_add(c->interfaces, g_strdup(interface));
}

GPtrArray *cards_read(const char *root)
{
    GPtrArray *cards = g_ptr_array_new_with_free_func(card_free);
    g_auto(GStrv) pci = tree_list(root, PCI), usb = tree_list(root, USB), net = tree_list(root, NET);

    for (char **slot = pci; *slot; slot++)
        add_pci(cards, root, *slot);
    for (char **slot = usb; *slot; slot++)
        add_usb(cards, root, *slot);
    for (char **interface = net; *interface; interface++)
        add_interface(cards, root, *interface);
    return cards;
}
