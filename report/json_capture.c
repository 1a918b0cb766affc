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

/* Rare enough to be there only where it says something. */
static void forgotten(struct json *j, const struct capture_summary *c)
{
    if (c->forgotten_conversations)
        json_member(j, "forgotten_conversations", uint, c->forgotten_conversations);
    if (c->interface_dropped)
        json_member(j, "interface_dropped", uint, c->interface_dropped);
    if (c->out_of_memory)
        json_member(j, "out_of_memory", bool, true);
    if (c->time_jumps)
        json_member(j, "time_jumps", uint, c->time_jumps);
    if (c->forgotten_lookups)
        json_member(j, "forgotten_lookups", uint, c->forgotten_lookups);
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
    if (c->drops_known)
        json_write_uint(j, c->dropped);
    else
        json_write_null(j);
    json_member(j, "truncated", bool, c->truncated);
    json_key(j, "undecoded_reasons");
    undecoded_reasons(j, c);
    json_member(j, "quic_packets", uint, c->quic_packets);
    json_member(j, "evicted_flows", uint, c->evicted_flows);
    json_member(j, "forgotten_flows", uint, c->forgotten_flows);
    json_member(j, "reassembly_dropped", uint, c->reassembly_dropped);
    forgotten(j, c);
    json_close(j);
}

void json_run_verdict(struct json *j, const struct report *r)
{
    json_finding(j, r->verdict ? r->verdict : finding_ok());
}
