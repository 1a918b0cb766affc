#include "host/wireless.h"

#include "base/bytes.h"
#include "base/text.h"

#include <linux/nl80211.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#define SSID_BYTES 32 /* IEEE 802.11-2020 section 9.4.2.2 */

char *wireless_ssid(const uint8_t *elements, size_t n)
{
    struct cursor c = cursor_of(slice_of(elements, n));

    while (cursor_left(&c) >= 2) {
        uint8_t id = cursor_u8(&c), length = cursor_u8(&c);
        struct slice value = cursor_take(&c, length);
        if (c.failed)
            return NULL;
        if (id == 0 && length <= SSID_BYTES)
            return text_dup_utf8(value, SSID_BYTES);
    }
    return NULL;
}

static void take_bss(struct wireless *w, struct nlattr *const *bss)
{
    const struct nlattr *elements = bss[NL80211_BSS_INFORMATION_ELEMENTS];
    const uint8_t *mac =
        bss[NL80211_BSS_BSSID] && nla_len(bss[NL80211_BSS_BSSID]) == 6 ? nla_data(bss[NL80211_BSS_BSSID]) : NULL;

    w->associated = true;
    if (mac)
        mac_text(w->bssid, mac);
    if (bss[NL80211_BSS_FREQUENCY])
        w->frequency = nla_get_u32(bss[NL80211_BSS_FREQUENCY]);
    if (bss[NL80211_BSS_SIGNAL_MBM]) {
        w->has_signal = true;
        w->signal_mbm = (int32_t)nla_get_u32(bss[NL80211_BSS_SIGNAL_MBM]);
    }
    g_free(w->ssid);
    w->ssid = elements ? wireless_ssid(nla_data(elements), (size_t)nla_len(elements)) : NULL;
}

/* One access point that was heard; that of the association has a status. */
static int on_bss(struct nl_msg *message, void *user)
{
    struct genlmsghdr *head = nlmsg_data(nlmsg_hdr(message));
    struct nlattr *top[NL80211_ATTR_MAX + 1], *bss[NL80211_BSS_MAX + 1];

    if (nla_parse(top, NL80211_ATTR_MAX, genlmsg_attrdata(head, 0), genlmsg_attrlen(head, 0), NULL) != 0 ||
        !top[NL80211_ATTR_BSS] || nla_parse_nested(bss, NL80211_BSS_MAX, top[NL80211_ATTR_BSS], NULL) != 0)
        return NL_SKIP;
    if (bss[NL80211_BSS_STATUS] && nla_get_u32(bss[NL80211_BSS_STATUS]) != NL80211_BSS_STATUS_AUTHENTICATED)
        take_bss(user, bss);
    return NL_OK;
}

static void ask(struct nl_sock *s, int family, unsigned index, struct wireless *out)
{
    struct nl_msg *m = nlmsg_alloc();

    genlmsg_put(m, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_DUMP, NL80211_CMD_GET_SCAN, 0);
    nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_bss, out);
    if (nla_put_u32(m, NL80211_ATTR_IFINDEX, index) == 0 && nl_send_auto(s, m) >= 0)
        out->known = nl_recvmsgs_default(s) >= 0;
    nlmsg_free(m);
}

void wireless_read(unsigned index, struct wireless *out)
{
    struct nl_sock *s = nl_socket_alloc();

    *out = (struct wireless){ 0 };
    if (genl_connect(s) == 0) {
        int family = genl_ctrl_resolve(s, NL80211_GENL_NAME);
        if (family >= 0)
            ask(s, family, index, out);
    }
    nl_socket_free(s);
}

void wireless_clear(struct wireless *w)
{
    g_free(w->ssid);
}
