/* Segments and ACKs into one stream: 4 bytes the first sequence number, 1 how full all the streams are; then of each step a byte (2 of 4 a
 * segment, 1 an ACK, 1 a segment far off), 2 bytes where, relative to what comes next, 2 bytes length, 1 how much was captured.
 */
#include "base/limits.h"
#include "flow/stream.h"
#include "tests/unit/stub_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What always holds. */
static void check(const struct stream *s, const struct app *a, const struct stream_budget *b, size_t others, uint64_t before)
{
    g_assert(s->position >= before && s->position == a->streams[CLIENT].position);
    g_assert(s->pending_bytes <= LIMIT_REASSEMBLY_FLOW && b->used == others + s->pending_bytes && b->used <= LIMIT_REASSEMBLY_ALL);
    g_assert((s->pending != NULL) == (s->pending_bytes > 0));
}

static void step(struct stream *s, struct app *a, struct stream_budget *budget, struct cursor *c, uint64_t packet)
{
    uint8_t what = cursor_u8(c);
    uint32_t where = (uint32_t)(int16_t)cursor_u16(c), len = cursor_u16(c), captured = len * cursor_u8(c) / 255;
    void *copy = g_malloc0(captured ? captured : 1); /* of its exact size, gone after the call */
    struct app_bytes b = { .from = CLIENT, .data = { copy, captured }, .ts_ns = (int64_t)packet, .packet = packet };

    if ((what & 3) == 2)
        stream_acked(s, a, budget, s->next + where, &b);
    else if (len)
        stream_segment(s, a, budget, s->next + ((what & 3) == 3 ? where << 14 : where), len, &b);
    g_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    struct stream s = { .started = true, .next = cursor_u32(&c) };
    size_t others = (size_t)cursor_u8(&c) * (LIMIT_REASSEMBLY_ALL / 255 - 1);
    struct stream_budget budget = { .used = others };
    struct app *a = app_new(80);
    uint64_t before = 0;

    for (uint64_t packet = 1; cursor_left(&c) > 0; packet++, before = s.position) {
        step(&s, a, &budget, &c, packet);
        check(&s, a, &budget, others, before);
    }
    stream_end(&s, a, &budget, &(struct app_bytes){ .from = CLIENT });
    check(&s, a, &budget, others, before);
    g_assert(!s.pending);
    app_free(a);
    return 0;
}
