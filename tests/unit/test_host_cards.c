/* The machine of the case study as its files: cards on PCI and USB, their drivers, radios; and machines where these are missing. */
#include "host/cards.h"
#include "host/kmsg.h"
#include "host_machine.h"
#include "host_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PCI "sys/bus/pci/devices/0000:00:08.0"
#define USB "sys/bus/usb/devices/"

static const struct tree_file study[] = {
    { PCI "/class", "0x020000\n" },
    { PCI "/vendor", "0x8086\n" },
    { PCI "/device", "0x100e\n" },
    { PCI "/driver", "-> ../../../bus/pci/drivers/e1000" },
    { "sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n" },
    { "sys/bus/pci/devices/0000:00:02.0/vendor", "0x1234\n" },
    { "sys/devices/pci0000:00/0000:00:08.0/net/enp0s8/mtu", "1500\n" },
    { "sys/class/net/enp0s8", "-> ../../devices/pci0000:00/0000:00:08.0/net/enp0s8" },
    { USB "1-1/idVendor", "0b05\n" },
    { USB "1-1/idProduct", "17d1\n" },
    { USB "1-1:1.0/bInterfaceClass", "ff\n" },
    { USB "1-1:1.0/bInterfaceSubClass", "ff\n" },
    { USB "1-1:1.0/bInterfaceProtocol", "ff\n" },
    { USB "1-1:1.0/net/wlan0/mtu", "1500\n" },
    { USB "1-1:1.0/driver", "-> ../../../bus/usb/drivers/mt76x0u" },
    { "sys/devices/usb1/1-1/1-1:1.0/net/wlan0/phy80211/index", "0\n" },
    { "sys/class/net/wlan0", "-> ../../devices/usb1/1-1/1-1:1.0/net/wlan0" },
    { "sys/class/rfkill/rfkill0/type", "wlan\n" },
    { "sys/class/rfkill/rfkill0/name", "phy0\n" },
    { "sys/class/rfkill/rfkill0/soft", "0\n" },
    { "sys/class/rfkill/rfkill0/hard", "0\n" },
    { "sys/class/rfkill/rfkill1/type", "bluetooth\n" },
    { "sys/class/rfkill/rfkill1/soft", "1\n" },
    { "usr/share/misc/pci.ids", "# comment\n1022  Advanced Micro Devices\n\t100e  Something else\n8086  Intel Corporation\n\t1000  Older\n"
                                "\t100e  82540EM Gigabit Ethernet Controller\n\t\t8086 001e  PRO/1000\nC 02  Network controller\n" },
    { "usr/share/misc/usb.ids", "0b05  ASUSTek Computer, Inc.\n\t17d1  AC51 802.11a/b/g/n/ac Wireless Adapter\n" },
};

static struct rung_step *climb_with(const char *root, struct machine *m, struct rung_step *(*rung)(const struct climb *))
{
    struct climb c = climb_of(m);
    struct rung_step *s = rung(&c);

    (void)root;
    g_array_free(c.addresses, TRUE);
    return s;
}

static void test_study(void **state)
{
    char *root = tree_make(study, G_N_ELEMENTS(study));
    struct machine *m = usual_machine(root);
    struct rung_step *s = climb_with(root, m, rung_device);

    (void)state;
    assert_int_equal(s->status, STEP_OK);
    assert_string_equal(s->text, "Intel Corporation 82540EM Gigabit Ethernet Controller (PCI 0000:00:08.0, enp0s8), and more");
    assert_int_equal(s->notes->len, 2); /* the graphics card is none */
    assert_non_null(strstr(g_ptr_array_index(s->notes, 1), "ASUSTek Computer, Inc. AC51 802.11a/b/g/n/ac Wireless Adapter (USB 1-1:1.0, wlan0)"));
    step_free(s);
    s = climb_with(root, m, rung_driver);
    assert_int_equal(s->status, STEP_OK);
    assert_string_equal(s->text, "enp0s8: e1000, and more");
    assert_string_equal(g_ptr_array_index(s->notes, 1), "wlan0: mt76x0u");
    step_free(s);
    s = climb_with(root, m, rung_rfkill);
    assert_int_equal(s->status, STEP_OK);
    assert_string_equal(s->text, "1 radio, none blocked"); /* Bluetooth carries no TCP */
    step_free(s);
    machine_free(m);
    tree_remove(root);
}

static void test_no_card(void **state)
{
    char *root = tree_make(NULL, 0);
    struct machine *m = machine_new(root);

    (void)state;
    add_link(m, 1, "lo", IFF_UP | IFF_LOOPBACK, true);
    struct rung_step *s = climb_with(root, m, rung_device);
    assert_int_equal(s->status, STEP_BROKEN);
    assert_int_equal(s->finding->code, CODE_DEVICE_MISSING);
    assert_non_null(s->remedy);
    step_free(s);
    strcpy(add_link(m, 7, "eth0", IFF_UP, true)->kind, "veth"); /* a container */
    s = climb_with(root, m, rung_device);
    assert_int_equal(s->status, STEP_OK);
    assert_string_equal(s->text, "no card of its own: virtual interfaces, eth0 (veth)");
    step_free(s);
    s = climb_with(root, m, rung_driver);
    assert_int_equal(s->status, STEP_SKIPPED);
    step_free(s);
    s = climb_with(root, m, rung_rfkill);
    assert_int_equal(s->status, STEP_SKIPPED);
    step_free(s);
    machine_free(m);
    tree_remove(root);
}

static void test_no_driver(void **state)
{
    static const struct tree_file files[] = {
        { PCI "/class", "0x028000\n" },
        { PCI "/vendor", "0x8086\n" },
        { PCI "/device", "0x2723\n" },
        { "dev/kmsg", "6,1,1,-;usb 1-1: new device\n4,2,9,-;iwlwifi 0000:00:08.0: Direct firmware load for iwlwifi-cc-a0-72.ucode failed with error -2\n" },
    };
    char *root = tree_make(files, G_N_ELEMENTS(files));
    struct machine *m = machine_new(root);

    (void)state;
    add_link(m, 1, "lo", IFF_UP | IFF_LOOPBACK, true);
    kmsg_read(root, m->firmware);
    struct rung_step *s = climb_with(root, m, rung_driver);
    assert_int_equal(s->status, STEP_BROKEN);
    assert_int_equal(s->finding->code, CODE_DRIVER_MISSING);
    assert_non_null(strstr(s->finding->summary, "8086:2723"));
    assert_string_equal(g_ptr_array_index(s->notes, 1),
                        "the kernel says: iwlwifi 0000:00:08.0: Direct firmware load for iwlwifi-cc-a0-72.ucode failed with error -2");
    step_free(s);
    add_link(m, 2, "eth0", IFF_UP, true); /* another card works */
    s = climb_with(root, m, rung_driver);
    assert_int_equal(s->status, STEP_DEGRADED);
    step_free(s);
    machine_free(m);
    tree_remove(root);
}

static void blocked(const char *soft, const char *hard, bool wire, enum step_status status, const char *remedy)
{
    const struct tree_file files[] = { { "sys/class/rfkill/rfkill0/type", "wlan\n" },
                                       { "sys/class/rfkill/rfkill0/name", "phy0\n" },
                                       { "sys/class/rfkill/rfkill0/soft", soft },
                                       { "sys/class/rfkill/rfkill0/hard", hard } };
    char *root = tree_make(files, G_N_ELEMENTS(files));
    struct machine *m = machine_new(root);

    add_link(m, 2, "wlan0", 0, false)->wireless = true;
    if (wire)
        add_link(m, 3, "eth0", IFF_UP, true);
    struct rung_step *s = climb_with(root, m, rung_rfkill);
    assert_int_equal(s->status, status);
    assert_int_equal(s->finding->code, CODE_RADIO_BLOCKED);
    assert_non_null(strstr(s->remedy, remedy));
    step_free(s);
    machine_free(m);
    tree_remove(root);
}

static void test_rfkill(void **state)
{
    (void)state;
    blocked("1\n", "0\n", false, STEP_BROKEN, "rfkill unblock wlan");
    blocked("0\n", "1\n", false, STEP_BROKEN, "switch");
    blocked("1\n", "0\n", true, STEP_DEGRADED, "rfkill unblock wlan");
}

/* A name that is not in the lists, and lists that are not there. */
static void test_ids(void **state)
{
    char *root = tree_make(study, G_N_ELEMENTS(study));
    g_autofree char *known = ids_name(root, "pci.ids", 0x8086, 0x100e), *maker = ids_name(root, "pci.ids", 0x8086, 0x9999),
                    *nobody = ids_name(root, "pci.ids", 0x9999, 1), *nothing = ids_name(root, "no.ids", 1, 1);

    (void)state;
    assert_string_equal(known, "Intel Corporation 82540EM Gigabit Ethernet Controller");
    assert_string_equal(maker, "Intel Corporation device 9999");
    assert_null(nobody);
    assert_null(nothing);
    tree_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_study),  cmocka_unit_test(test_no_card), cmocka_unit_test(test_no_driver),
        cmocka_unit_test(test_rfkill), cmocka_unit_test(test_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
