/* text_ladder: the packets of one flow as arrows between two lines, with what is odd about each and the TCP states
 * where they change.
 *
 *      1     0.000000  |-- [S] seq 0 win 64240 ------------------------>| SYN-SENT/-
 *      2     0.001687  |<- [S.] seq 0 ack 1 win 14600 ------------------| SYN-SENT/SYN-RECV
 */
#include "flow/classify.h"
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
#define GAP_SHOWN_NS NS_PER_S /* a pause this long is written between the arrows */

struct ladder {
    struct text *text;
    const struct flow *flow;
    unsigned arrow; /* columns between the two lines */
    const struct log_entry *before;
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

/* "[P.] 1:125(124) ack 1 win 64240"; what does not fit goes from the end. */
static void label(char out[WORDS_ROOM], const struct log_entry *e, size_t max)
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
    p = append_number(p, " win ", e->window);
    char *end = (size_t)(p - out) <= max ? p : (size_t)(window - out) <= max ? window : ack;
    *end = '\0';
    if ((size_t)(end - out) > max)
        strcpy(out + max - 2, "..");
}

static void put_arrow(struct ladder *l, const struct log_entry *e)
{
    char words[WORDS_ROOM], arrow[ARROW_MOST + 1];
    bool to_server = e->side == CLIENT;

    label(words, e, l->arrow - 7);
    memset(arrow, '-', l->arrow);
    arrow[l->arrow] = '\0';
    arrow[to_server ? l->arrow - 1 : 0] = to_server ? '>' : '<';
    size_t n = strlen(words);
    arrow[2] = arrow[3 + n] = ' ';
    memcpy(arrow + 3, words, n);
    page_put(l->text->page, "|");
    page_put(l->text->page, arrow);
    page_put(l->text->page, "|");
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

static void put_pause(struct ladder *l, const struct log_entry *e)
{
    char words[WORDS_ROOM];

    if (!l->before || e->ts_ns - l->before->ts_ns < GAP_SHOWN_NS)
        return;
    put_between(l, words_duration(words, e->ts_ns - l->before->ts_ns));
    page_line(l->text->page);
}

static void put_entry(struct ladder *l, const struct log_entry *e)
{
    struct page *p = l->text->page;
    char words[WORDS_ROOM];
    unsigned decimals = l->text->report->capture.nanoseconds ? 9 : 6;
    int64_t since_ns = MAX(e->ts_ns - l->flow->first_ns, 0);

    put_pause(l, e);
    page_right(p, PACKET_END, words_number(words, e->packet));
    char *end = number_uint(words, (uint64_t)(since_ns / NS_PER_S));
    *end++ = '.';
    end = number_digits(end, (uint64_t)(since_ns % NS_PER_S) / (decimals == 9 ? 1 : 1000), decimals);
    *end = '\0';
    page_right(p, TIME_END, words);
    page_to(p, LEFT);
    put_arrow(l, e);
    put_notes(l, e);
    page_line(p);
    l->before = e;
}

static void put_heading(struct ladder *l)
{
    struct page *p = l->text->page;
    char words[WORDS_ROOM];

    page_line(p);
    page_style(p, PAGE_DIM);
    page_right(p, PACKET_END, "packet");
    page_right(p, TIME_END, "time");
    page_to(p, LEFT);
    page_put(p, words_end(words, l->flow, CLIENT, l->arrow / 2));
    page_right(p, LEFT + 2 + l->arrow, words_end(words, l->flow, SERVER, l->arrow / 2));
    page_put(p, " state, anomalies");
    page_style(p, PAGE_PLAIN);
    page_line(p);
}

static void put_left_out(struct ladder *l, guint n)
{
    char words[WORDS_ROOM];
    g_autofree char *s = g_strdup_printf("%s packets: --all", words_count(words, n));

    put_between(l, s);
    page_line(l->text->page);
}

void text_ladder(struct text *t, const struct flow *f)
{
    unsigned fixed = LEFT + 2 + 1 + NOTES_WIDTH;
    unsigned room = t->page->width > fixed ? t->page->width - fixed : 0;
    struct ladder l = { t, f, CLAMP(room, ARROW_LEAST, ARROW_MOST), NULL };

    if (!f->log || f->log->len == 0)
        return;
    put_heading(&l);
    guint n = f->log->len;
    guint first = t->options.all || n <= TEXT_LADDER_FIRST + TEXT_LADDER_LAST ? n : TEXT_LADDER_FIRST;
    for (guint i = 0; i < first; i++)
        put_entry(&l, entry_at(&l, i));
    if (first == n)
        return;
    put_left_out(&l, n - TEXT_LADDER_FIRST - TEXT_LADDER_LAST);
    l.before = entry_at(&l, n - TEXT_LADDER_LAST - 1);
    for (guint i = n - TEXT_LADDER_LAST; i < n; i++)
        put_entry(&l, entry_at(&l, i));
}
