#include "flow/feed.h"

#include "base/seq.h"
#include "flow/classify.h"
#include "flow/log.h"

/* Where the SYN was seen, the stream begins behind it, whatever segment comes first. */
static void stream_start(struct stream *stream, const struct flow *f, enum side s)
{
    if (stream->started || !f->half[s].offer.seen)
        return;
    stream->started = true;
    stream->next = f->half[s].isn + 1;
}

void feed_segment(struct feed *feed, struct flow *f, const struct segment *s)
{
    struct track *k = f->track;
    struct app_bytes bytes = { s->side, s->tcp->payload, s->ts_ns, s->packet->number };
    struct stream *other = &k->half[other_side(s->side)].stream;

    if (k->app_done || (!s->len && !other->pending))
        return;
    const struct app_facts *facts = k->app ? app_facts(k->app) : NULL;
    unsigned remarks = facts ? facts->remarks : 0;
    if (s->len && !(s->flags & TCP_RST) && !(s->anomaly & ANOMALY_KEEP_ALIVE)) {
        if (!k->app) {
            k->app = app_new(flow_port(f, SERVER));
            app_share(k->app, feed->certs);
        }
        stream_start(&k->half[s->side].stream, f, s->side);
        if (app_wants(k->app, s->side))
            stream_segment(&k->half[s->side].stream, k->app, &feed->budget, s->seq + (s->flags & TCP_SYN ? 1 : 0),
                           s->len, &bytes);
    }
    if (!k->app)
        return;
    if (other->pending && s->flags & TCP_ACK) {
        bytes.from = other_side(s->side);
        stream_acked(other, k->app, &feed->budget, s->tcp->ack, &bytes);
    }
    facts = facts ? facts : app_facts(k->app);
    feed->redirects = feed->redirects || facts->redirects;
    if (facts->remarks != remarks)
        log_keep(f);
}

/* Bytes of side s that the other end acknowledged and the capture does not hold, behind all that it holds. */
static void tell_tail_gap(struct flow *f, enum side s, const struct app_bytes *now)
{
    struct track_half *mine = &f->track->half[s], *peer = &f->track->half[other_side(s)];

    stream_start(&mine->stream, f, s);
    if (!mine->stream.started || !peer->ack_known || !app_wants(f->track->app, s))
        return;
    int32_t missing = seq_diff(peer->highest_ack - (f->half[s].fin_acked ? 1 : 0), mine->stream.next);
    if (missing > 0)
        app_gap(f->track->app, s, (uint64_t)missing, now->ts_ns, now->packet);
}

bool feed_end(struct feed *feed, struct flow *f)
{
    struct track *k = f->track;

    if (k->app_done)
        return false;
    for (int s = CLIENT; s <= SERVER; s++) {
        struct app_bytes now = { (enum side)s, { NULL, 0 }, f->last_ns, f->half[s].last_packet };
        stream_end(&k->half[s].stream, k->app, &feed->budget, &now);
        if (k->app)
            tell_tail_gap(f, (enum side)s, &now);
    }
    if (!k->app)
        return false;
    for (int s = CLIENT; s <= SERVER; s++) {
        const struct half *h = &f->half[s];
        enum app_ending how = h->fin ? APP_END_FIN : f->reset.packet ? APP_END_RST : APP_END_CAPTURE;
        int64_t end_ns = h->fin ? h->fin_ns : f->reset.packet ? f->reset.ts_ns : h->last_ns;
        app_end(k->app, (enum side)s, how, end_ns != TIME_NONE ? end_ns : f->last_ns);
    }
    f->app = app_finish(k->app);
    k->app = NULL;
    k->app_done = true;
    return true;
}
