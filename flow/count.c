#include "flow/count.h"

#include "flow/classify.h"
#include "flow/log.h"

static uint64_t wire_segments(const struct flow *f, const struct segment *s)
{
    uint16_t mss = f->half[other_side(s->side)].offer.mss;

    if (s->len <= 1460 || mss == 0)
        return s->len > 1460 ? (s->len + 1459) / 1460 : 1;
    return (s->len + mss - 1) / mss;
}

/* The client is closing, by FIN or by TLS' closing alert: what the server says then is a goodbye, or the rules look at
 * what it was. */
static bool says_goodbye(const struct flow *f)
{
    const struct app *app = f->track->app;
    return f->half[CLIENT].fin || (app && app_facts(app)->closing_only[CLIENT]);
}

/* Since when the client waits for an answer. */
static void note_question(struct flow *f, const struct segment *s)
{
    if (s->side == SERVER) {
        if (f->asked_ns != TIME_NONE && !says_goodbye(f)) {
            if (s->ts_ns - f->asked_ns >= NS_PER_S)
                log_keep(f);
            f->asked_ns = TIME_NONE;
        }
    } else if (f->asked_ns == TIME_NONE && s->new_bytes) {
        f->asked_ns = s->ts_ns;
        f->asked_packet = s->packet->number;
        f->asked_again = 0;
    } else if (s->new_bytes && s->ts_ns - f->half[CLIENT].last_data_ns >= NS_PER_S) {
        f->asked_again++;
    }
}

void count_segment(struct flow *f, const struct segment *s)
{
    struct half *h = &f->half[s->side];

    if (h->packets++ == 0) {
        h->first_packet = s->packet->number;
        h->ttl = s->packet->ip.ttl;
    }
    h->last_packet = s->packet->number;
    h->last_ns = s->ts_ns;
    if (!(s->flags & TCP_RST)) {
        h->ttl_varies |= h->ttl_last && h->ttl_last != s->packet->ip.ttl;
        h->ttl_last = s->packet->ip.ttl;
    }
    h->bytes += s->new_bytes;
    h->rst |= (s->flags & TCP_RST) != 0;
    if (s->len && !(s->anomaly & ANOMALY_KEEP_ALIVE)) {
        note_question(f, s);
        h->segments += wire_segments(f, s);
        h->last_data_packet = s->packet->number;
        h->last_data_ns = s->ts_ns;
        if (!h->first_data_packet) {
            h->first_data_packet = s->packet->number;
            h->first_data_ns = s->ts_ns;
        }
    }
}
