/* comparison_json: the document of `tcpsleuth compare --json`. */
#include "compare/marks.h"
#include "report/comparison.h"
#include "report/json_parts.h"
#include "report/words.h"

#include <math.h>

static const char *const captures[] = { "first", "second" };

static void capture(struct json *j, const struct vantage *v)
{
    json_open_object(j);
    json_member(j, "source", string, v->source);
    json_member(j, "packets", uint, v->frames);
    json_member(j, "tcp_packets", uint, v->tcp_packets);
    json_member(j, "flows", uint, v->flows->len);
    json_member(j, "first", time, v->first_ns);
    json_member(j, "last", time, v->last_ns);
    json_member(j, "dropped", uint, v->dropped);
    json_member(j, "truncated", bool, v->truncated);
    json_member(j, "not_compared", uint, v->forgotten);
    json_close(j);
}

/* Millionths, with the digits of a duration. */
static void ppm(struct json *j, bool known, double value)
{
    json_write_seconds(j, known ? (int64_t)llround(value * 1e9) : TIME_NONE);
}

static void clock_members(struct json *j, const struct clock_offset *c)
{
    json_open_object(j);
    json_member(j, "offset", seconds, c->known ? c->offset_ns : TIME_NONE);
    json_member(j, "uncertainty", seconds, c->known ? c->uncertainty_ns : TIME_NONE);
    json_member(j, "at", time, c->known ? c->at_ns : TIME_NONE);
    json_key(j, "drift_ppm");
    ppm(j, c->drifts, c->drift_ppm);
    json_key(j, "drift_uncertainty_ppm");
    ppm(j, c->drifts, c->drift_uncertainty_ppm);
    json_close(j);
}

static void endpoint(struct json *j, const struct flow *f, enum side s)
{
    json_open_object(j);
    json_member(j, "addr", addr, flow_addr(f, s), f->key.version);
    json_member(j, "port", uint, flow_port(f, s));
    json_close(j);
}

/* A flow of one capture. turned: what it calls the client is the server. */
static void flow_members(struct json *j, unsigned file, const struct seen_flow *f, bool turned)
{
    json_open_object(j);
    json_member(j, "capture", string, captures[file]);
    json_member(j, "flow", uint, f->flow->id);
    json_member(j, "ip", uint, f->flow->key.version);
    json_key(j, "client");
    endpoint(j, f->flow, turned ? SERVER : CLIENT);
    json_key(j, "server");
    endpoint(j, f->flow, turned ? CLIENT : SERVER);
    json_member(j, "first", time, f->flow->first_ns);
    json_member(j, "packets", uint, f->packets->len);
    json_member(j, "code", string, catalogue_row(judgement_verdict(&f->judgement)->code)->name);
    json_close(j);
}

/* --- a way --- */

static void changed_value(struct json *j, int64_t v)
{
    if (v == CHANGED_NONE)
        json_write_null(j);
    else
        json_write_int(j, v);
}

static void changes(struct json *j, const struct way *w)
{
    json_open_array(j);
    for (int c = 0; c < CHANGES; c++) {
        const struct changed *changed = &w->changes[c];
        if (!changed->packets)
            continue;
        json_open_object(j);
        json_member(j, "what", string, change_name((enum change)c));
        json_member(j, "packets", uint, changed->packets);
        json_key(j, "sent");
        changed_value(j, changed->sent);
        json_key(j, "received");
        changed_value(j, changed->come);
        json_member(j, "sent_packet", number_or_null, changed->sent_packet);
        json_member(j, "received_packet", number_or_null, changed->come_packet);
        json_close(j);
    }
    json_close(j);
}

/* Packets that one end's capture has, and the other one does not, or not as they were sent. */
static void packets(struct json *j, const struct pair *p, enum side end, enum side from, const GArray *list)
{
    char words[WORDS_ROOM];

    json_open_array(j);
    for (guint i = 0; i < list->len; i++) {
        const struct sighting *s = sighting_at(p->end[end], g_array_index(list, uint32_t, i));
        json_open_object(j);
        json_member(j, "packet", uint, s->number);
        json_member(j, "time", time, s->ts_ns);
        json_member(j, "seq", uint, pair_relative(p, end, from, s->seq));
        json_member(j, "len", uint, s->len);
        json_member(j, "flags", string, words_flags(words, s->flags));
        json_member(j, "ttl", uint, s->ttl);
        json_member(j, "fate", string, fate_name((enum fate)s->fate));
        json_member(j, "missing", uint, s->fate == FATE_PARTLY ? s->missing : s->len);
        json_close(j);
    }
    json_close(j);
}

static void lost(struct json *j, const struct way *w)
{
    json_open_object(j);
    json_member(j, "data", uint, w->lost_data);
    json_member(j, "acks", uint, w->lost_acks);
    json_member(j, "control", uint, w->lost_control);
    json_member(j, "bytes", uint, w->lost_bytes);
    json_close(j);
}

static void delay(struct json *j, const struct span *d)
{
    if (!d->samples) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    json_member(j, "min", seconds, d->min_ns);
    json_member(j, "avg", seconds, span_mean_ns(d));
    json_member(j, "max", seconds, d->max_ns);
    json_member(j, "samples", uint, d->samples);
    json_close(j);
}

static void hops(struct json *j, const struct way *w)
{
    if (w->ttl_min > w->ttl_max) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    json_member(j, "min", int, w->ttl_min);
    json_member(j, "max", int, w->ttl_max);
    json_close(j);
}

static void way(struct json *j, const struct pair *p, enum side from)
{
    const struct way *w = &p->way[from];

    if (p->proxied) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    json_member(j, "sent", uint, w->sent);
    json_member(j, "arrived", uint, w->arrived);
    json_member(j, "arrived_in_part", uint, w->in_part);
    json_member(j, "received", uint, w->come);
    json_member(j, "data_segments", uint, w->data_sent);
    json_key(j, "lost");
    lost(j, w);
    json_member(j, "forged", uint, w->forged);
    json_member(j, "repeated", uint, w->repeated);
    json_member(j, "not_captured_by_sender", uint, w->missed_near);
    json_member(j, "not_captured_by_receiver", uint, w->missed_far);
    json_member(j, "unknown", uint, w->unknown);
    json_member(j, "offloaded", uint, w->offloaded);
    json_member(j, "congestion_marks", uint, w->congestion_marks);
    json_key(j, "delay");
    delay(j, &w->delay);
    json_key(j, "hops");
    hops(j, w);
    json_key(j, "changes");
    changes(j, w);
    json_key(j, "lost_packets");
    packets(j, p, from, from, w->lost);
    json_key(j, "unsent_packets");
    packets(j, p, other_side(from), from, w->unsent);
    json_close(j);
}

/* --- pairs --- */

static void pair_finding(struct json *j, const struct pair_finding *f)
{
    json_open_object(j);
    json_finding_members(j, f->finding);
    json_key(j, "evidence_server");
    json_open_array(j);
    for (unsigned i = 0; i < f->n_server; i++)
        json_write_uint(j, f->server[i]);
    json_close(j);
    json_close(j);
}

static void findings(struct json *j, const GArray *all)
{
    json_key(j, "verdict");
    pair_finding(j, &g_array_index(all, struct pair_finding, 0));
    json_key(j, "findings");
    json_open_array(j);
    for (guint i = 1; i < all->len; i++)
        pair_finding(j, &g_array_index(all, struct pair_finding, i));
    json_close(j);
}

static void pair(struct json *j, const struct pair *p, guint id)
{
    json_open_object(j);
    json_member(j, "id", uint, id);
    json_member(j, "recognised_by", string, marks_basis(p->kinds));
    json_member(j, "same_connection", bool, !p->proxied);
    json_key(j, "at_client");
    flow_members(j, p->file[CLIENT], p->end[CLIENT], p->turned[CLIENT]);
    json_key(j, "at_server");
    flow_members(j, p->file[SERVER], p->end[SERVER], p->turned[SERVER]);
    json_key(j, "nat");
    json_open_object(j);
    json_member(j, "client", bool, pair_end_changes(p, CLIENT));
    json_member(j, "server", bool, pair_end_changes(p, SERVER));
    json_close(j);
    json_key(j, "to_server");
    way(j, p, CLIENT);
    json_key(j, "to_client");
    way(j, p, SERVER);
    findings(j, p->findings);
    json_close(j);
}

static void pairs(struct json *j, const struct comparison *c)
{
    json_open_array(j);
    for (guint i = 0; i < c->pairs->len; i++) {
        json_break(j);
        pair(j, g_ptr_array_index(c->pairs, i), i + 1);
    }
    json_close(j);
}

static void unpaired(struct json *j, const struct comparison *c)
{
    json_open_array(j);
    for (guint i = 0; i < c->lone->len; i++) {
        const struct lone *l = &g_array_index(c->lone, struct lone, i);
        json_break(j);
        json_open_object(j);
        json_key(j, "flow");
        flow_members(j, l->file, vantage_flow(c->vantage[l->file], l->index), false);
        json_key(j, "finding");
        json_finding(j, l->finding);
        json_close(j);
    }
    json_close(j);
}

void comparison_json(FILE *out, const struct comparison *c)
{
    struct json *j = g_new(struct json, 1);

    json_start(j, out, c->vantage[0]->nanoseconds || c->vantage[1]->nanoseconds);
    json_open_object(j);
    json_member(j, "schema", uint, JSON_SCHEMA);
    json_member(j, "version", string, TCPSLEUTH_VERSION);
    json_key(j, "captures");
    json_open_object(j);
    for (int i = 0; i < 2; i++) {
        json_key_of(j, captures[i]);
        capture(j, c->vantage[i]);
    }
    json_close(j);
    json_key(j, "clock");
    clock_members(j, &c->clock);
    json_key(j, "verdict");
    json_finding(j, c->verdict);
    json_key(j, "pairs");
    pairs(j, c);
    json_key(j, "unpaired");
    unpaired(j, c);
    json_close(j);
    json_end_line(j);
    json_finish(j);
    g_free(j);
}
