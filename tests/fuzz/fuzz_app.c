/* A conversation: of each step a byte (bit 0 the side, bits 1 and 2 what: bytes, a gap, an end), two bytes of
 * length, the bytes. */
#include "dissect/app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    struct app *a = app_new(cursor_u8(&c));
    for (uint64_t packet = 1; cursor_left(&c) > 0; packet++) {
        uint8_t step = cursor_u8(&c);
        uint16_t n = cursor_u16(&c);
        struct app_bytes b = { .from = (enum side)(step & 1), .ts_ns = (int64_t)packet, .packet = packet };
        if ((step & 6) == 2) {
            app_gap(a, b.from, n, b.ts_ns, packet);
        } else if ((step & 6) == 4) {
            app_end(a, b.from, (enum app_ending)(n % 3), b.ts_ns);
        } else {
            b.data = cursor_take(&c, n < cursor_left(&c) ? n : cursor_left(&c));
            void *copy = g_memdup2(b.data.p, b.data.n); /* of its exact size, gone after the call */
            b.data.p = copy;
            app_data(a, &b);
            g_free(copy);
        }
        app_wants(a, b.from);
    }
    app_facts_free(app_finish(a));
    return 0;
}
