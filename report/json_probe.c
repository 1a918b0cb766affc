#include "report/json_parts.h"

/* ttl 0: this host, for `after`; not known, for `at`. */
static void place(struct json *j, const struct probe_place *p, unsigned version)
{
    json_open_object(j);
    json_key(j, "ttl");
    json_write_uint(j, p->ttl);
    json_key(j, "addr");
    if (p->known)
        json_write_addr(j, &p->addr, version);
    else
        json_write_null(j);
    json_close(j);
}

static void place_or_null(struct json *j, bool there, const struct probe_place *p, unsigned version)
{
    if (there)
        place(j, p, version);
    else
        json_write_null(j);
}

static void one_hop(struct json *j, const struct probe_hop *h, unsigned version)
{
    json_open_object(j);
    json_member(j, "ttl", uint, h->place.ttl);
    json_key(j, "addr");
    if (h->place.known)
        json_write_addr(j, &h->place.addr, version);
    else
        json_write_null(j);
    json_member(j, "rtt", seconds, h->rtt_ns);
    json_member(j, "reply", string, probe_reply_name(h->reply));
    json_member(j, "sent", uint, h->sent);
    json_member(j, "answered", uint, h->answered);
    json_member(j, "rate_limited", bool, h->limited);
    json_member(j, "balanced", bool, h->balanced);
    json_close(j);
}

static void hops(struct json *j, const struct probe_result *p)
{
    json_key(j, "hops");
    json_open_array(j);
    for (guint i = 0; p->hops && i < p->hops->len; i++)
        one_hop(j, &g_array_index(p->hops, struct probe_hop, i), p->version);
    json_close(j);
}

static void changes(struct json *j, const struct probe_result *p)
{
    json_key(j, "changes");
    json_open_array(j);
    for (guint i = 0; p->changes && i < p->changes->len; i++) {
        const struct probe_change *c = &g_array_index(p->changes, struct probe_change, i);
        json_open_object(j);
        json_member(j, "what", string, c->what);
        json_member(j, "sent", string, c->sent);
        json_member(j, "seen", string, c->seen);
        json_key(j, "after");
        place(j, &c->after, p->version);
        json_key(j, "at");
        place(j, &c->at, p->version);
        json_close(j);
    }
    json_close(j);
}

static void variants(struct json *j, const struct probe_result *p)
{
    json_key(j, "variants");
    json_open_array(j);
    for (guint i = 0; p->variants && i < p->variants->len; i++) {
        const struct probe_variant *v = &g_array_index(p->variants, struct probe_variant, i);
        json_open_object(j);
        json_member(j, "change", string, v->change);
        json_member(j, "reply", string, probe_reply_name(v->reply));
        json_close(j);
    }
    json_close(j);
}

static void legs(struct json *j, const struct probe_result *p)
{
    json_key(j, "legs");
    json_open_array(j);
    for (guint i = 0; p->legs && i < p->legs->len; i++) {
        const struct probe_leg *l = &g_array_index(p->legs, struct probe_leg, i);
        json_open_object(j);
        json_member(j, "url", string, l->url);
        json_member(j, "status", number_or_null, (uint64_t)l->status);
        json_member(j, "error", string, l->error);
        json_member(j, "name", seconds, l->name_ns);
        json_member(j, "connect", seconds, l->connect_ns);
        json_member(j, "tls", seconds, l->tls_ns);
        json_member(j, "first_byte", seconds, l->first_byte_ns);
        json_member(j, "total", seconds, l->total_ns);
        json_close(j);
    }
    json_close(j);
}

/* Who answered instead of the target, and how. */
static void answer(struct json *j, const struct probe_result *p)
{
    bool icmp = p->icmp_type || p->icmp_code;

    json_member(j, "reply", string, probe_reply_name(p->reply));
    json_key(j, "from");
    if (p->from.known)
        json_write_addr(j, &p->from.addr, p->version);
    else
        json_write_null(j);
    json_key(j, "icmp_type");
    if (icmp)
        json_write_uint(j, p->icmp_type);
    else
        json_write_null(j);
    json_key(j, "icmp_code");
    if (icmp)
        json_write_uint(j, p->icmp_code);
    else
        json_write_null(j);
    json_member(j, "reply_ttl", number_or_null, p->reply_ttl);
    json_key(j, "reply_window");
    if (p->reply_is_tcp)
        json_write_uint(j, p->reply_window);
    else
        json_write_null(j);
    json_key(j, "reply_ip_id");
    if (p->reply_is_tcp && p->version == 4)
        json_write_uint(j, p->reply_ip_id);
    else
        json_write_null(j);
    json_member(j, "distance", number_or_null, p->reply_distance);
}

void json_probe_members(struct json *j, const struct probe_result *p)
{
    json_member(j, "kind", string, probe_kind_name(p->kind, p->version));
    json_member(j, "target", addr, &p->target, p->version);
    json_member(j, "port", number_or_null, p->port);
    json_member(j, "sent", uint, p->sent);
    json_member(j, "outcome", string, probe_outcome_name(p->outcome));
    json_member(j, "rtt", seconds, p->rtt_ns);
    json_member(j, "path_mtu", number_or_null, p->path_mtu);
    hops(j, p);
    json_member(j, "ip", uint, p->version);
    json_member(j, "way_to", addr, &p->way_to, p->version);
    answer(j, p);
    json_key(j, "after");
    place_or_null(j, p->has_end, &p->after, p->version);
    json_key(j, "at");
    place_or_null(j, p->has_end, &p->at, p->version);
    changes(j, p);
    variants(j, p);
    legs(j, p);
    json_member(j, "forged", uint, p->forged);
    json_member(j, "note", string, p->note);
    json_key(j, "finding");
    json_finding(j, p->finding);
}
