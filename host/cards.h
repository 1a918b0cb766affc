/* cards: the network controllers on PCI and USB, with their names, drivers and interfaces (sysfs, hwdata), below a
 * root. */
#ifndef TCPSLEUTH_HOST_CARDS_H
#define TCPSLEUTH_HOST_CARDS_H

#include <glib.h>
#include <stdbool.h>

struct card {
    const char *bus;       /* static: "PCI", "USB", "virtio" or "platform" */
    char *slot;            /* "0000:00:03.0", "1-1:1.0" */
    char *name;            /* vendor and model, or their numbers; may hold anything: escape it */
    char *driver;          /* NULL: none */
    GPtrArray *interfaces; /* char*; those of this network namespace */
    bool wireless;
};

/* GPtrArray of struct card*, by bus and slot; free with g_ptr_array_free. */
GPtrArray *cards_read(const char *root);

/* The names of a vendor and a device, as hwdata's pci.ids and usb.ids have them. file: "pci.ids"; NULL where neither is
 * known. Free with g_free. */
char *ids_name(const char *root, const char *file, unsigned vendor, unsigned device);

#endif
