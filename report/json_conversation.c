#include "base/timens.h"
#include "report/json_parts.h"

static void step(struct json *j, const struct step *s)
{
    json_open_object(j);
    json_member(j, "kind", string, step_kind_name(s->kind));
    json_member(j, "flow", number_or_null, s->flow);
    json_member(j, "packet", number_or_null, s->packet);
    json_member(j, "status", string, status_name(s->status));
    json_member(j, "text", string, s->text);
    json_member(j, "at", time, s->ts_ns);
    json_member(j, "duration", seconds, s->duration_ns);
    json_close(j);
}

static void redirect(struct json *j, const struct redirect *r)
{
    json_open_object(j);
    json_member(j, "status", int, r->status);
    json_member(j, "from", string, r->from);
    json_member(j, "to", string, r->to);
    json_member(j, "followed_by", number_or_null, r->followed_by);
    json_close(j);
}

void json_conversation_members(struct json *j, const struct conversation *c)
{
    json_member(j, "client", addr, &c->client, c->version);
    json_key(j, "steps");
    json_open_array(j);
    for (guint i = 0; c->steps && i < c->steps->len; i++)
        step(j, &g_array_index(c->steps, struct step, i));
    json_close(j);
    json_key(j, "redirects");
    json_open_array(j);
    for (guint i = 0; c->redirects && i < c->redirects->len; i++)
        redirect(j, &g_array_index(c->redirects, struct redirect, i));
    json_close(j);
    json_key(j, "verdict");
    json_finding(j, conversation_verdict(c));
    json_key(j, "flows");
    json_open_array(j);
    for (guint i = 0; c->flows && i < c->flows->len; i++)
        json_write_uint(j, g_array_index(c->flows, uint64_t, i));
    json_close(j);
    json_member(j, "first", time, c->first_ns);
    json_member(j, "last", time, c->last_ns);
}

static const char *flavour_name(enum dns_flavour flavour)
{
    static const char *const names[] = { [DNS_UNICAST] = "dns", [DNS_MULTICAST] = "mdns", [DNS_LLMNR] = "llmnr" };

    return names[flavour];
}

static int64_t answer_time_ns(const struct lookup *l)
{
    return l->response_ns == TIME_NONE || l->query_ns == TIME_NONE ? TIME_NONE : l->response_ns - l->query_ns;
}

void json_lookup_members(struct json *j, const struct lookup *l)
{
    json_member(j, "name", string, l->name);
    json_member(j, "type", string, l->type);
    json_member(j, "client", addr, &l->client, l->version);
    json_member(j, "server", addr, &l->server, l->version);
    json_member(j, "rcode", string, l->rcode);
    json_member(j, "answers", strings, l->answers);
    json_member(j, "query_packet", number_or_null, l->query_packet);
    json_member(j, "response_packet", number_or_null, l->response_packet);
    json_member(j, "time", seconds, answer_time_ns(l));
    json_member(j, "retries", uint, l->retries);
    json_member(j, "at", time, l->query_ns);
    json_member(j, "protocol", string, flavour_name(l->flavour));
    json_member(j, "tcp", bool, l->tcp);
    json_member(j, "truncated", bool, l->truncated);
    json_member(j, "icmp_packet", number_or_null, l->icmp_packet);
}
