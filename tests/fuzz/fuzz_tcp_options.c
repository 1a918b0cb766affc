/* TCP options: the first byte says how long the list is in the header (so that it may be longer than what was
 * captured). */
#include "dissect/tcp.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t captured = MIN(size - 1, 40), length = MAX(captured, (size_t)data[0] % 41);
    uint8_t *exact = g_memdup2(data + 1, captured);
    struct tcp_options o;
    tcp_options_read(slice_of(exact, captured), length, &o);
    g_assert_cmpuint(o.n_sack, <=, TCP_SACK_BLOCKS);
    g_assert_true((o.n_sack > 0) == ((o.present & TCPOPT_HAS_SACK) != 0));
    g_assert_true(captured < length || !(o.present & TCPOPT_CUT));
    g_free(exact);
    return 0;
}
