#include "base/timens.h"
#include "report/json_parts.h"

static void link_types(struct json *j, const GPtrArray *names)
{
    json_open_array(j);
    for (guint i = 0; names && i < names->len; i++)
        json_write_string(j, g_ptr_array_index(names, i));
    json_close(j);
}

static void undecoded_reasons(struct json *j, const struct capture_summary *c)
{
    json_open_object(j);
    for (unsigned i = 0; i < UNDECODED_REASONS; i++) {
        if (c->undecoded_by[i] == 0)
            continue;
        json_key_of(j, undecoded_name((enum undecoded)i));
        json_write_uint(j, c->undecoded_by[i]);
    }
    json_close(j);
}

void json_capture(struct json *j, const struct capture_summary *c)
{
    json_open_object(j);
    json_member(j, "source", string, c->source);
    json_key(j, "linktypes");
    link_types(j, c->linktypes);
    json_member(j, "packets", uint, c->packets);
    json_member(j, "tcp_packets", uint, c->tcp_packets);
    json_member(j, "undecoded", uint, c->undecoded);
    json_member(j, "first", time, c->first_ns);
    json_member(j, "last", time, c->last_ns);
    json_key(j, "dropped");
    json_write_null(j); /* only a live capture can tell */
    json_member(j, "truncated", bool, c->truncated);
    json_key(j, "undecoded_reasons");
    undecoded_reasons(j, c);
    json_member(j, "evicted_flows", uint, c->evicted_flows);
    json_member(j, "forgotten_flows", uint, c->forgotten_flows);
    json_member(j, "reassembly_dropped", uint, c->reassembly_dropped);
    json_close(j);
}

void json_run_verdict(struct json *j, const struct report *r)
{
    json_finding(j, r->verdict ? r->verdict : finding_ok());
}

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
    json_member(j, "id", uint, c->id);
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

static void conversations(struct json *j, const GPtrArray *all)
{
    json_break(j);
    json_key(j, "conversations");
    json_open_array(j);
    for (guint i = 0; all && i < all->len; i++) {
        json_break(j);
        json_open_object(j);
        json_conversation_members(j, g_ptr_array_index(all, i));
        json_close(j);
    }
    json_close(j);
}

static void flows(struct json *j, const GArray *all)
{
    json_break(j);
    json_key(j, "flows");
    json_open_array(j);
    for (guint i = 0; all && i < all->len; i++) {
        json_break(j);
        json_open_object(j);
        json_flow_members(j, &g_array_index(all, struct judged_flow, i));
        json_close(j);
    }
    json_close(j);
}

static void lookups(struct json *j, const GPtrArray *all)
{
    json_break(j);
    json_key(j, "dns");
    json_open_array(j);
    for (guint i = 0; all && i < all->len; i++) {
        json_break(j);
        json_open_object(j);
        json_lookup_members(j, g_ptr_array_index(all, i));
        json_close(j);
    }
    json_close(j);
}

/* A line for each flow, conversation and look-up: diff and grep stay of use. */
void report_json_end(FILE *out, const struct report *r, const struct report_options *options)
{
    g_autofree struct json *j = g_malloc(sizeof *j);

    (void)options;
    json_start(j, out, r->capture.nanoseconds);
    json_open_object(j);
    json_member(j, "schema", uint, JSON_SCHEMA);
    json_member(j, "version", string, TCPSLEUTH_VERSION);
    json_break(j);
    json_key(j, "capture");
    json_capture(j, &r->capture);
    json_break(j);
    json_key(j, "verdict");
    json_run_verdict(j, r);
    conversations(j, r->conversations);
    flows(j, r->flows);
    lookups(j, r->lookups);
    json_break(j);
    json_key(j, "probes");
    json_open_array(j);
    json_close(j);
    json_key(j, "ladder");
    json_open_array(j);
    json_close(j);
    json_close(j);
    json_finish(j); /* what could not be written stays in ferror(out), where the caller looks */
}
