/* text_ladder: the packets of one flow as arrows between two lines, with what is odd about each and the TCP states
 * where they change; of the flow of --flow all that are kept, of others the decisive ones. A mark stands at those that
 * prove the verdict.
 *
 *      1*    0.000000  |-- [S] seq 0 win 64240 ------------------------>| SYN-SENT/-
 *      2     0.001687  |<- [S.] seq 0 ack 1 win 14600 ------------------| SYN-SENT/SYN-RECV
 *                      |                ... 12 packets ...              |
 *     15*    0.340000  |<- ICMP 3/4 mtu 1400 ----------------------+    | from 10.0.3.1
 */
#include "flow/classify.h"
#include "report/decisive.h"
#include "report/number.h"
#include "report/text_parts.h"
#include "report/words.h"

#include <string.h>

#define PACKET_END 7
#define TIME_END 20
#define LEFT (TIME_END + 2) /* column of the client's line */
#define NOTES_WIDTH 25
#define ARROW_LEAST 24
#define ARROW_MOST 70
#define ICMP_BEGINS 4 /* columns from the end of the flow that an error from somewhere between comes from */
#define EVIDENCE "*"

struct ladder {
    struct text *text;
    const struct flow *flow;
    const struct finding *verdict;
    unsigned arrow; /* columns between the two lines */
    const struct log_entry *before;
    uint32_t icmp;  /* errors drawn so far */
};

static const struct log_entry *entry_at(const struct ladder *l, guint i)
{
    return &g_array_index(l->flow->log, struct log_entry, i);
}

static char *append_flags(char *p, unsigned flags)
{
    char words[WORDS_ROOM];

    return stpcpy(stpcpy(stpcpy(p, "["), words_flags(words, flags)), "]");
}

static char *append_number(char *p, const char *before, uint64_t v)
{
    return number_uint(stpcpy(p, before), v);
}

/* In bytes. */
static uint32_t window_of(const struct ladder *l, const struct log_entry *e)
{
    int shift = e->flags & TCP_SYN ? 0 : classify_wscale(l->flow, (enum side)e->side);

    return (uint32_t)e->window << MAX(shift, 0);
}

/* "[P.] 1:125(124) ack 1 win 64240"; what does not fit goes from the end. */
static void label(const struct ladder *l, char out[WORDS_ROOM], const struct log_entry *e, size_t max)
{
    char *p = append_flags(out, e->flags);

    if (e->len > 0) {
        p = append_number(append_number(p, " ", e->seq), ":", (uint32_t)(e->seq + e->len));
        p = stpcpy(append_number(p, "(", e->len), ")");
    } else if (e->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
        p = append_number(p, " seq ", e->seq);
    }
    char *ack = p;
    if (e->flags & TCP_ACK)
        p = append_number(p, " ack ", e->ack);
    char *window = p;
    p = append_number(p, " win ", window_of(l, e));
    char *end = (size_t)(p - out) <= max ? p : (size_t)(window - out) <= max ? window : ack;
    *end = '\0';
    if ((size_t)(end - out) > max)
        strcpy(out + max - 2, "..");
}

/* An arrow to one of the ends that begins so many columns from the other one. */
static void put_arrow(struct ladder *l, const char *words, bool to_server, unsigned from)
{
    char arrow[ARROW_MOST + 1];
    unsigned first = to_server ? from : 0, end = to_server ? l->arrow : l->arrow - from;
    size_t n = strlen(words);

    memset(arrow, ' ', l->arrow);
    memset(arrow + first, '-', end - first);
    arrow[l->arrow] = '\0';
    if (from)
        arrow[to_server ? first : end - 1] = '+';
    arrow[to_server ? end - 1 : first] = to_server ? '>' : '<';
    arrow[first + 2] = arrow[first + 3 + n] = ' ';
    memcpy(arrow + first + 3, words, n);
    page_put(l->text->page, "|");
    page_put(l->text->page, arrow);
    page_put(l->text->page, "|");
}

static bool is_icmp(const struct flow *f, uint64_t packet)
{
    for (uint32_t i = 0; i < flow_icmp_kept(f); i++)
        if (f->trouble->icmp[i].packet == packet)
            return true;
    return false;
}

static void put_number(struct ladder *l, uint64_t packet)
{
    struct page *p = l->text->page;
    char words[WORDS_ROOM];

    page_right(p, PACKET_END, words_number(words, packet));
    if (decisive_proves(l->verdict, packet))
        page_styled(p, PAGE_RED, EVIDENCE);
}

/* A line without a packet: both ends, and words in the middle. */
static void put_between(struct ladder *l, const char *words)
{
    struct page *p = l->text->page;
    size_t n = strlen(words);

    page_to(p, LEFT);
    page_put(p, "|");
    page_to(p, LEFT + 1 + (unsigned)(l->arrow > n ? (l->arrow - n) / 2 : 0));
    page_put(p, words);
    page_to(p, LEFT + 1 + l->arrow);
    page_put(p, "|");
}

/* Another word beside the arrow; where the line is full, on a line of its own. */
static void put_note(struct ladder *l, const char *note, enum page_style style)
{
    struct page *p = l->text->page;
    unsigned start = LEFT + l->arrow + 3;

    if (p->column > start && page_left(p) < strlen(note) + 2) {
        page_line(p);
        put_between(l, "");
    }
    if (p->column > start)
        page_put(p, ", ");
    page_to(p, start);
    page_style(p, style);
    page_cut(p, note, page_left(p));
    page_style(p, PAGE_PLAIN);
}

static void put_notes(struct ladder *l, const struct log_entry *e)
{
    const struct log_entry *before = l->before;
    char words[WORDS_ROOM];

    if (!before || before->state[CLIENT] != e->state[CLIENT] || before->state[SERVER] != e->state[SERVER])
        put_note(l, words_states(words, e->state[CLIENT], e->state[SERVER]), PAGE_GREEN);
    uint32_t left = e->anomaly;
    if (flow_anomalies(l->flow, e->side)->bad_checksums >= l->flow->half[e->side].packets)
        left &= ~(uint32_t)ANOMALY_BAD_CHECKSUM; /* on every packet of the side: the network card fills them in */
    if (left & (ANOMALY_FAST_RETRANSMISSION | ANOMALY_SPURIOUS_RETRANSMISSION))
        left &= ~(uint32_t)ANOMALY_RETRANSMISSION; /* said by the other */
    for (; left; left &= left - 1) {
        const char *name = anomaly_name(left & -left);
        if (name)
            put_note(l, name, PAGE_YELLOW);
    }
}

/* Evidence among the packets that are left out before e (NULL: to the end); *last: one of them. */
static unsigned evidence_left_out(const struct ladder *l, const struct log_entry *e, uint64_t *last)
{
    unsigned n = 0;

    for (unsigned i = 0; i < l->verdict->n_evidence; i++) {
        uint64_t packet = l->verdict->evidence[i];
        if (is_icmp(l->flow, packet) || (l->before && packet <= l->before->packet) || (e && packet >= e->packet))
            continue;
        n++;
        *last = packet;
    }
    return n;
}

static void put_left_out(struct ladder *l, const struct log_entry *e, uint64_t n, const char *pause)
{
    char words[WORDS_ROOM], count[WORDS_ROOM];
    uint64_t packet = 0;
    unsigned evidence = evidence_left_out(l, e, &packet);
    bool lost = n == 1 && evidence == 1;

    if (lost)
        put_number(l, packet);
    g_autofree char *s = lost ? g_strdup_printf("packet %s is not drawn", words_number(words, packet))
                              : g_strdup_printf("... %s packet%s%s%s%s ...", words_count(words, n), n == 1 ? "" : "s",
                                                l->text->options.flow ? ": --all" : "", *pause ? ", " : "", pause);
    put_between(l, s);
    if (evidence && !lost) {
        g_autofree char *note = g_strdup_printf("%s of them " EVIDENCE, words_count(count, evidence));
        put_note(l, note, PAGE_PLAIN);
    }
    page_line(l->text->page);
}

/* What lies between the entry before and e (NULL: the end of the flow): packets that are not drawn, a pause. */
static void put_gap(struct ladder *l, const struct log_entry *e)
{
    uint64_t all = l->flow->half[CLIENT].packets + l->flow->half[SERVER].packets;
    uint64_t from = l->before ? (uint64_t)l->before->nth + 1 : 0, to = e ? e->nth : MAX(all, from);
    char pause[WORDS_ROOM] = "";

    if (l->before && e && e->ts_ns - l->before->ts_ns >= DECISIVE_PAUSE_NS)
        words_duration(pause, e->ts_ns - l->before->ts_ns);
    if (to > from) {
        put_left_out(l, e, to - from, pause);
    } else if (*pause) {
        put_between(l, pause);
        page_line(l->text->page);
    }
}

/* Number, mark and time of a line. */
static void put_stamp(struct ladder *l, uint64_t packet, int64_t ts_ns)
{
    struct page *p = l->text->page;
    char words[WORDS_ROOM];
    unsigned decimals = l->text->report->capture.nanoseconds ? 9 : 6;
    int64_t since_ns = MAX(ts_ns - l->flow->first_ns, 0);

    put_number(l, packet);
    char *end = number_uint(words, (uint64_t)(since_ns / NS_PER_S));
    *end++ = '.';
    end = number_digits(end, (uint64_t)(since_ns % NS_PER_S) / (decimals == 9 ? 1 : 1000), decimals);
    *end = '\0';
    page_right(p, TIME_END, words);
    page_to(p, LEFT);
}

static void put_icmp(struct ladder *l, const struct icmp_note *n)
{
    bool to_server = n->about == SERVER;
    bool from_end = addr_cmp(&n->from, flow_addr(l->flow, other_side((enum side)n->about))) == 0;
    char words[WORDS_ROOM], from[ADDR_TEXT_SIZE + 8];
    char *p = append_number(stpcpy(words, l->flow->key.version == 6 ? "ICMPv6" : "ICMP"), " ", n->type);

    p = append_number(p, "/", n->code);
    if (n->mtu)
        p = append_number(p, " mtu ", n->mtu);
    *p = '\0';
    put_stamp(l, n->packet, n->ts_ns);
    put_arrow(l, words, to_server, from_end ? 0 : ICMP_BEGINS);
    if (!from_end) {
        addr_text(stpcpy(from, "from "), &n->from, l->flow->key.version);
        put_note(l, from, PAGE_PLAIN);
    }
    page_line(l->text->page);
}

/* The ICMP errors that came before that packet. */
static void put_icmp_before(struct ladder *l, uint64_t packet)
{
    for (; l->icmp < flow_icmp_kept(l->flow) && l->flow->trouble->icmp[l->icmp].packet < packet; l->icmp++)
        put_icmp(l, &l->flow->trouble->icmp[l->icmp]);
}

static void put_entry(struct ladder *l, const struct log_entry *e)
{
    char words[WORDS_ROOM];

    put_icmp_before(l, e->packet);
    put_gap(l, e);
    put_stamp(l, e->packet, e->ts_ns);
    label(l, words, e, l->arrow - 7);
    put_arrow(l, words, e->side == CLIENT, 0);
    put_notes(l, e);
    page_line(l->text->page);
    l->before = e;
}

static void put_heading(struct ladder *l)
{
    struct page *p = l->text->page;
    char words[WORDS_ROOM];

    if (l->text->options.flow)
        page_line(p);
    page_style(p, PAGE_DIM);
    page_right(p, PACKET_END, "packet");
    page_right(p, TIME_END, "time");
    page_to(p, LEFT);
    page_put(p, words_end(words, l->flow, CLIENT, l->arrow / 2));
    page_right(p, LEFT + 2 + l->arrow, words_end(words, l->flow, SERVER, l->arrow / 2));
    page_put(p, l->verdict->n_evidence ? " " EVIDENCE " = evidence" : " state, anomalies");
    page_style(p, PAGE_PLAIN);
    page_line(p);
}

void text_ladder(struct text *t, const struct judged_flow *judged)
{
    const struct flow *f = judged->flow;
    unsigned fixed = LEFT + 2 + 1 + NOTES_WIDTH;
    unsigned room = t->page->width > fixed ? t->page->width - fixed : 0;
    struct ladder l = {
        .text = t,
        .flow = f,
        .verdict = judgement_verdict(&judged->judgement),
        .arrow = CLAMP(room, ARROW_LEAST, ARROW_MOST),
    };

    if (!f->log || f->log->len == 0)
        return;
    put_heading(&l);
    guint n = f->log->len;
    bool all = t->options.all || n <= TEXT_LADDER_FIRST + TEXT_LADDER_LAST;
    for (guint i = 0; i < n; i++)
        if (all || i < TEXT_LADDER_FIRST || i >= n - TEXT_LADDER_LAST)
            put_entry(&l, entry_at(&l, i));
    put_icmp_before(&l, UINT64_MAX);
    put_gap(&l, NULL);
}
