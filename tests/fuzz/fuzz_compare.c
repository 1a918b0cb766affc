/* Two captures of what may be one connection, made of the input, 12 bytes a packet: 1 who sends and which captures have
 * it (and in which pieces), 1 flags, 2 sequence number, 2 acknowledgement, 2 length, 1 IP-ID, 1 time stamp, 2 time
 * since the packet before. The sums have to be right, and the reports are text.
 */
#include "report/comparison.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 52

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct made {
    bool up, first, second, nat;
    uint8_t flags, id, stamp;
    uint16_t seq, ack, len, wait;
};

static struct made read_packet(struct cursor *c)
{
    uint8_t who = cursor_u8(c), flags = cursor_u8(c);
    struct made m = { .up = who & 1, .first = who & 2, .second = who & 4, .nat = who & 8, .flags = flags };

    m.seq = cursor_u16(c);
    m.ack = cursor_u16(c);
    m.len = cursor_u16(c);
    m.id = cursor_u8(c);
    m.stamp = cursor_u8(c);
    m.wait = cursor_u16(c);
    return m;
}

static void put(uint8_t *p, unsigned n, uint64_t v)
{
    while (n-- > 0) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

static void add(struct vantage *v, const struct made *m, int64_t ts_ns)
{
    uint8_t b[HEADER] = { 0x45,          [6] = 0x40, [8] = 60, [9] = 6,  [12] = 10, [16] = 10,
                          [32] = 8 << 4, [40] = 1,   [41] = 1, [42] = 8, [43] = 10 };
    struct frame frame = { .bytes = b,
                           .caplen = HEADER,
                           .wirelen = HEADER + m->len,
                           .ts_ns = ts_ns,
                           .number = v->frames + 1,
                           .dlt = DLT_RAW };

    put(b + 2, 2, MIN(HEADER + (unsigned)m->len, UINT16_MAX));
    put(b + 4, 2, m->id);
    b[15] = m->up ? 1 : 2;
    b[19] = m->up ? 2 : 1;
    put(b + 20, 2, m->up ? (m->nat ? 50001 : 50000) : 80);
    put(b + 22, 2, m->up ? 80 : (m->nat ? 50001 : 50000));
    put(b + 24, 4, m->seq);
    put(b + 28, 4, m->ack);
    b[33] = m->flags;
    put(b + 44, 4, m->stamp);
    if (!m->stamp)
        memset(b + 40, 1, 12);
    vantage_frames(v, &frame, 1);
}

static void check_way(const struct pair *p, enum side from)
{
    const struct way *w = &p->way[from];
    const struct seen_flow *near = near_of(p, from), *far = far_of(p, from);

    g_assert(w->arrived + w->in_part + w->lost_packets + w->missed_far <= w->sent);
    g_assert(w->missed_near + w->repeated + w->forged <= w->come);
    g_assert(w->sent + w->come >= w->unknown);
    g_assert(w->lost->len <= w->lost_packets + w->in_part);
    for (guint i = 0; i < near->packets->len; i++)
        g_assert(sighting_at(near, i)->match <= far->packets->len);
    for (guint i = 0; i < far->packets->len; i++)
        g_assert(sighting_at(far, i)->match <= near->packets->len);
}

static void check_text(char *text, size_t n)
{
    g_assert(g_utf8_validate(text, (gssize)n, NULL));
    for (size_t i = 0; i < n; i++)
        g_assert(text[i] == '\n' || ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
    free(text);
}

static void check_reports(const struct comparison *c)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    comparison_text(out, c, &(struct report_options){ .columns = 80, .all = true });
    comparison_json(out, c);
    fclose(out);
    check_text(text, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    struct vantage *v[2] = { vantage_new("first"), vantage_new("second") };
    struct capture_info info = { .end_ns = TIME_NONE };
    int64_t now_ns = NS_PER_S;

    while (cursor_left(&c) >= 12) {
        struct made m = read_packet(&c);
        now_ns += m.wait * NS_PER_US * 100;
        if (m.first)
            add(v[0], &m, now_ns);
        if (m.second)
            add(v[1], &m, now_ns + 7 * NS_PER_MS);
    }
    vantage_finish(v[0], &info);
    vantage_finish(v[1], &info);
    struct comparison *all = comparison_new(v[0], v[1], 0);
    for (guint i = 0; i < all->pairs->len; i++) {
        const struct pair *p = g_ptr_array_index(all->pairs, i);
        g_assert(p->findings->len > 0);
        for (int from = CLIENT; from <= SERVER && !p->proxied; from++)
            check_way(p, (enum side)from);
    }
    check_reports(all);
    comparison_free(all);
    return 0;
}
