/* wifi: the association of each Wi-Fi interface. */
#include "host/climb.h"
#include "host/wireless.h"

/* A signal below this is lost again and again. */
#define WEAK_MBM (-8000)

static void describe(struct rung_step *s, const struct host_link *l, const struct wireless *w)
{
    g_autoptr(GString) line = g_string_new(l->name);

    g_string_append_printf(line, " is associated with \"%s\" (%s)", w->ssid ? w->ssid : "", w->bssid);
    if (w->frequency)
        g_string_append_printf(line, ", %u MHz", w->frequency);
    if (w->has_signal)
        g_string_append_printf(line, ", %.0f dBm%s", w->signal_mbm / 100.0, w->signal_mbm < WEAK_MBM ? ": weak" : "");
    g_free(s->text);
    s->text = g_utf8_make_valid(line->str, -1);
    step_subject(s, l->name);
}

static bool has_other(const struct climb *c, const struct host_link *but)
{
    for (guint i = 0; i < c->machine->links->len; i++) {
        const struct host_link *l = &g_array_index(c->machine->links, struct host_link, i);
        if (l != but && link_works(l))
            return true;
    }
    return false;
}

static void blame(struct rung_step *s, const struct climb *c, const struct host_link *l)
{
    struct finding *f =
        finding_new(CODE_WIFI_NOT_ASSOCIATED, WHERE_CLIENT, "%s is up and no access point has taken it.", l->name);

    if (has_other(c, l)) { /* a card that is there and not used is no fault */
        step_note(s, "%s", f->summary);
        finding_free(f);
        return;
    }
    step_blame(s, f);
    step_subject(s, l->name);
    step_remedy(s, "ifup %s, or: nmcli device wifi connect SSID ifname %s; iw dev %s scan shows what is in reach",
                l->name, l->name, l->name);
}

struct rung_step *rung_wifi(const struct climb *c)
{
    struct rung_step *s = step_new(RUNG_WIFI, "not associated");
    unsigned n = 0;

    for (guint i = 0; i < c->machine->links->len; i++) {
        const struct host_link *l = &g_array_index(c->machine->links, struct host_link, i);
        struct wireless w;
        if (!l->wireless || !(l->flags & IFF_UP))
            continue;
        n++;
        wireless_read(l->index, &w);
        if (w.associated)
            describe(s, l, &w);
        else if (w.known || !l->lower_up)
            blame(s, c, l);
        wireless_clear(&w);
    }
    if (n == 0) {
        step_free(s);
        return step_skip(RUNG_WIFI, "there is no Wi-Fi interface that is up");
    }
    step_evidence(s, "the access points that the interface knows (nl80211)");
    return s;
}
