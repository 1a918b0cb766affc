#include "flow/zeek.h"

#include "base/seq.h"

#include <string.h>

/* Letters given at most once for a direction, or again only where the number differs. */
enum { SEEN_SYN = 1, SEEN_FIN = 2, SEEN_RST = 4, SEEN_DATA = 8, SEEN_ACK = 16, SEEN_MULTI = 32, SEEN_FIN_RST = 64 };

/* Index of the letters that are given at the 1st, 10th, 100th, ... time. Letter c is not given: a packet with a bad
 * checksum is taken into account as with `zeek -C`, which does not look at checksums. */
enum { SCALED_GAP, SCALED_RETRANSMISSION, SCALED_ZERO_WINDOW };

#define TOO_LARGE_SEQ_DELTA 1048576 /* Zeek's bound for numbers of SYN and RST that are believed */

static void add_letter(struct flow *f, enum side s, char upper)
{
    if (f->history_len + 1u < sizeof f->history)
        f->history[f->history_len++] = s == CLIENT ? upper : (char)(upper == '^' ? upper : upper + ('a' - 'A'));
}

void zeek_flipped(struct flow *f)
{
    add_letter(f, CLIENT, '^');
}

/* Gives the letter the first time; true where it had been given. */
static bool check_letter(struct flow *f, enum side s, uint8_t bit, char upper)
{
    struct track_half *h = &f->track->half[s];

    if (h->zeek_seen & bit)
        return true;
    h->zeek_seen |= bit;
    add_letter(f, s, upper);
    return false;
}

static bool power_of_ten(uint32_t n)
{
    while (n >= 10 && n % 10 == 0)
        n /= 10;
    return n == 1;
}

static void scaled_letter(struct flow *f, enum side s, int which, char upper)
{
    if (power_of_ten(++f->track->half[s].zeek_count[which]))
        add_letter(f, s, upper);
}

void zeek_gap(struct flow *f, enum side of)
{
    scaled_letter(f, of, SCALED_GAP, 'G');
}

/* S, H, F, R: again only where the relative number differs from that of the last one. */
static void numbered_letter(struct flow *f, enum side s, uint8_t bit, char upper, uint32_t relative, uint32_t *last)
{
    if (check_letter(f, s, bit, upper) && relative != *last)
        add_letter(f, s, upper);
    *last = relative;
}

static void history(struct flow *f, const struct segment *s, struct track_half *h)
{
    uint16_t control = s->flags & (TCP_SYN | TCP_FIN | TCP_RST);
    uint32_t relative = s->seq - h->zeek_start;

    if ((control & (TCP_FIN | TCP_RST)) == (TCP_FIN | TCP_RST))
        check_letter(f, s->side, SEEN_FIN_RST, 'I');
    else if (control & (control - 1))
        check_letter(f, s->side, SEEN_MULTI, 'Q');
    else if (control == TCP_SYN)
        numbered_letter(f, s->side, SEEN_SYN, s->flags & TCP_ACK ? 'H' : 'S', relative, &h->zeek_syn);
    else if (control == TCP_FIN)
        numbered_letter(f, s->side, SEEN_FIN, 'F', relative + s->len, &h->zeek_fin);
    else if (control == TCP_RST)
        numbered_letter(f, s->side, SEEN_RST, 'R', relative, &h->zeek_rst);
    else if (s->len)
        check_letter(f, s->side, SEEN_DATA, 'D');
    else if (s->flags & TCP_ACK)
        check_letter(f, s->side, SEEN_ACK, 'A');
}

static void set_state(struct flow *f, enum side s, enum zeek_state state)
{
    f->track->half[s].zeek_previous = f->zeek_state[s];
    f->zeek_state[s] = (uint8_t)state;
}

static void start_numbers(const struct segment *s, struct track_half *h, bool syn)
{
    h->zeek_start = syn ? s->seq : s->seq - 1;
    h->zeek_last = syn ? s->end : s->seq;
}

/* Sequence numbers of the endpoint begin (again) with this segment where Zeek lets them. */
static void init_endpoint(const struct flow *f, const struct segment *s, struct track_half *h)
{
    bool syn = s->flags & TCP_SYN;

    switch ((enum zeek_state)f->zeek_state[s->side]) {
    case ZEEK_INACTIVE: start_numbers(s, h, syn); break;
    case ZEEK_SYN_SENT:
    case ZEEK_SYN_ACK_SENT:
        if (syn && s->seq != h->zeek_start)
            start_numbers(s, h, true);
        break;
    case ZEEK_ESTABLISHED:
    case ZEEK_PARTIAL:
        if (syn)
            start_numbers(s, h, true);
        break;
    case ZEEK_RESET:
        if (syn && h->zeek_previous == ZEEK_INACTIVE)
            start_numbers(s, h, true);
        break;
    case ZEEK_CLOSED: break;
    }
}

/* Moves the endpoint's highest number; a segment with data that does not is a retransmission (letter t). */
static void update_last(struct flow *f, const struct segment *s, struct track_half *h)
{
    int32_t delta = seq_diff(s->end, h->zeek_last);

    if (s->flags & (TCP_SYN | TCP_RST) && (delta > TOO_LARGE_SEQ_DELTA || delta < -TOO_LARGE_SEQ_DELTA))
        return;
    if (s->flags & TCP_FIN && h->zeek_last == h->zeek_start + 1)
        h->zeek_last = s->end;
    else if (f->zeek_state[s->side] == ZEEK_RESET)
        return;
    else if (delta > 0)
        h->zeek_last = s->end;
    else if (s->len > 0)
        scaled_letter(f, s->side, SCALED_RETRANSMISSION, 'T');
}

static void from_inactive(struct flow *f, const struct segment *s)
{
    enum side me = s->side, peer = other_side(me);

    if (s->flags & TCP_SYN) {
        if (me == CLIENT) {
            set_state(f, me, s->flags & TCP_ACK ? ZEEK_SYN_ACK_SENT : ZEEK_SYN_SENT);
        } else {
            if (f->zeek_state[peer] == ZEEK_SYN_SENT)
                set_state(f, peer, ZEEK_ESTABLISHED);
            set_state(f, me, ZEEK_ESTABLISHED);
        }
    }
    if (s->flags & TCP_FIN)
        set_state(f, me, ZEEK_CLOSED);
    if (s->flags & TCP_RST)
        set_state(f, me, ZEEK_RESET);
    if (f->zeek_state[me] != ZEEK_INACTIVE)
        return;
    if (me == SERVER && s->len == 0 && f->zeek_state[CLIENT] == ZEEK_SYN_SENT)
        return; /* an ACK before the SYN-ACK */
    set_state(f, me, s->flags & TCP_ACK && f->zeek_state[peer] == ZEEK_ESTABLISHED ? ZEEK_ESTABLISHED : ZEEK_PARTIAL);
}

static void from_established(struct flow *f, const struct segment *s)
{
    enum side me = s->side, peer = other_side(me);

    if (s->flags & TCP_SYN && !(s->flags & TCP_ACK) && f->zeek_state[me] == ZEEK_PARTIAL &&
        f->zeek_state[peer] == ZEEK_INACTIVE)
        set_state(f, me, ZEEK_SYN_SENT);
    if (s->flags & TCP_FIN && !(s->flags & TCP_RST)) {
        set_state(f, me, ZEEK_CLOSED);
        if (f->zeek_state[peer] == ZEEK_RESET && f->track->half[peer].zeek_previous == ZEEK_CLOSED)
            set_state(f, peer, ZEEK_CLOSED); /* FIN, then RST: a normal end after all */
    }
    if (s->flags & TCP_RST)
        set_state(f, me, ZEEK_RESET);
}

static void move_state(struct flow *f, const struct segment *s)
{
    enum side me = s->side;

    switch ((enum zeek_state)f->zeek_state[me]) {
    case ZEEK_INACTIVE: from_inactive(f, s); break;
    case ZEEK_SYN_SENT:
    case ZEEK_SYN_ACK_SENT:
        if (s->flags & TCP_FIN)
            set_state(f, me, ZEEK_CLOSED);
        if (s->flags & TCP_RST)
            set_state(f, me, ZEEK_RESET);
        break;
    case ZEEK_ESTABLISHED:
    case ZEEK_PARTIAL: from_established(f, s); break;
    case ZEEK_CLOSED:
        if (s->flags & TCP_RST && f->zeek_state[other_side(me)] != ZEEK_CLOSED)
            set_state(f, me, ZEEK_RESET);
        break;
    case ZEEK_RESET: break;
    }
}

/* A segment between two established ends whose letter was given before: all that it can change is the highest number.
 */
static bool is_ordinary(const struct flow *f, const struct segment *s, const struct track_half *h)
{
    return !(s->flags & (TCP_SYN | TCP_FIN | TCP_RST)) && s->tcp->window && f->zeek_state[CLIENT] == ZEEK_ESTABLISHED &&
           f->zeek_state[SERVER] == ZEEK_ESTABLISHED && h->zeek_seen & (s->len ? SEEN_DATA : SEEN_ACK);
}

void zeek_segment(struct flow *f, const struct segment *s)
{
    struct track_half *h = &f->track->half[s->side], *peer = &f->track->half[other_side(s->side)];

    if (is_ordinary(f, s, h)) {
        update_last(f, s, h);
        return;
    }
    init_endpoint(f, s, h);
    history(f, s, h);
    if (s->tcp->window == 0 && !(s->flags & TCP_RST) && f->zeek_state[other_side(s->side)] != ZEEK_CLOSED &&
        f->zeek_state[s->side] != ZEEK_RESET)
        scaled_letter(f, s->side, SCALED_ZERO_WINDOW, 'W');
    if (s->flags & TCP_ACK && f->zeek_state[other_side(s->side)] == ZEEK_INACTIVE)
        peer->zeek_start = peer->zeek_last = s->tcp->ack - 1;
    update_last(f, s, h);
    move_state(f, s);
}

/* Step 4 of the order: history matches ^\^?S[^HAFGIQ]*R (of the originator's capital letters). */
static bool only_syn_before_rst(const char *history)
{
    if (*history == '^')
        history++;
    if (*history++ != 'S')
        return false;
    for (; *history; history++) {
        if (*history == 'R')
            return true;
        if (strchr("HAFGIQ", *history))
            return false;
    }
    return false;
}

const char *zeek_conn_state(const struct flow *f)
{
    enum zeek_state os = f->zeek_state[CLIENT], rs = f->zeek_state[SERVER];
    bool orig_quiet = os == ZEEK_INACTIVE || os == ZEEK_PARTIAL, resp_quiet = rs == ZEEK_INACTIVE || rs == ZEEK_PARTIAL;

    if (rs == ZEEK_RESET) {
        if (os == ZEEK_SYN_SENT || os == ZEEK_SYN_ACK_SENT ||
            (os == ZEEK_RESET && !f->half[CLIENT].bytes && !f->half[SERVER].bytes))
            return "REJ";
        return orig_quiet ? "RSTRH" : "RSTR";
    }
    if (os == ZEEK_RESET) {
        if (resp_quiet)
            return only_syn_before_rst(f->history) ? "RSTOS0" : "OTH";
        return "RSTO";
    }
    if (os == ZEEK_CLOSED && rs == ZEEK_CLOSED)
        return "SF";
    if (os == ZEEK_CLOSED)
        return resp_quiet ? "SH" : "S2";
    if (rs == ZEEK_CLOSED)
        return orig_quiet ? "SHR" : "S3";
    if (os == ZEEK_SYN_SENT && rs == ZEEK_INACTIVE)
        return "S0";
    if (os == ZEEK_ESTABLISHED && rs == ZEEK_ESTABLISHED)
        return "S1";
    return "OTH";
}
