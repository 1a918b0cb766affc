/* TLS: the input is a list of steps, each an operation (bit 0: the side), a length, and so many bytes of that side. */
#include "dissect/app_tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void step(struct app_tls *t, struct cursor *c, uint64_t packet)
{
    uint8_t operation = cursor_u8(c);
    enum side from = operation & 1 ? SERVER : CLIENT;
    size_t n = cursor_u16(c);
    if (operation >> 1 == 1) {
        app_tls_gap(t, from, n, 0, packet);
    } else if (operation >> 1 == 2) {
        app_tls_end(t, from, (enum app_ending)(n % 3), 0);
    } else {
        struct slice data = cursor_take(c, MIN(n, cursor_left(c)));
        struct app_bytes b = { .from = from, .data = data, .packet = packet };
        (void)app_tls_recognise(b.data, from);
        app_tls_data(t, &b);
    }
    (void)app_tls_closing_only(t, from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    struct tls_facts facts = { 0 };
    struct app_tls *t = app_tls_new(&facts);
    for (uint64_t packet = 1; cursor_left(&c) > 0; packet++)
        step(t, &c, packet);
    app_tls_free(t);
    tls_facts_clear(&facts);
    return 0;
}
