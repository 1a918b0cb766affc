/* What decides whether a packet answers a probe: two addresses under probe, a packet of each form sent to each, and a
 * frame that may be an answer. One that is taken has to hold a number that was sent.
 */
#include "dissect/dissector.h"
#include "probe/trial.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

static const enum probe_kind kinds[] = { PROBE_NEIGHBOR, PROBE_ECHO,   PROBE_SYN,    PROBE_SYN_TTL,
                                         PROBE_ACK_DF,   PROBE_UDP_DF, PROBE_ECHO_DF };

/* What fuzz/corpus/probe was made with. */
static struct aim *make_aim(unsigned version, struct key *key)
{
    static const uint8_t four[4] = { 192, 0, 2, 200 }, six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 200 };
    struct probe_request request = { .version = (uint8_t)version,
                                     .addr = version == 6 ? addr_v6(six) : addr_v4(four),
                                     .port = 80 };
    struct aim *a = aim_new(&request, key, 20000);

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct trial *r = trial_new(a, kinds[i]);
        struct shot s = { .ttl = 64, .state = SHOT_SENT };
        trial_key(r, &s);
        g_array_append_val(r->shots, s);
    }
    return a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = g_memdup2(data, MAX(size, 1));
    struct dissector *d = dissector_new();
    struct frame f = {
        .bytes = copy, .caplen = (uint32_t)size, .wirelen = (uint32_t)size, .ts_ns = 1, .number = 1, .dlt = DLT_RAW
    };
    struct packet p;
    struct key key;

    dissector_frame(d, &f, &p);
    key_init(&key, 4711);
    for (unsigned version = 4; version <= 6; version += 2) {
        struct aim *a = make_aim(version, &key);
        bool taken = aim_offer(a, &p);
        unsigned answered = 0, forged = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
            answered += g_array_index(a->trials[kinds[i]]->shots, struct shot, 0).state == SHOT_ANSWERED;
            forged += a->trials[kinds[i]]->forged;
        }
        if (answered != (unsigned)taken || forged > 1 || (taken && forged))
            abort();
        aim_free(a);
    }
    dissector_free(d);
    g_free(copy);
    return 0;
}
