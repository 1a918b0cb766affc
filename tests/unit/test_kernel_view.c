/* What this host's kernel says of its own connections, compared with what is on the wire: contradictions, and what resembles them. */
#include "diagnose/kernel_view.h"
#include "host/tcpext.h"
#include "tests/unit/probe_net.h"

#include <errno.h>

static struct finding *kernel(enum code code, const struct flow *f, enum side here, const struct kernel_view *v)
{
    struct finding *d = finding_new(code, WHERE_PATH, "It broke.");

    d->confidence = CONFIDENCE_POSSIBLE;
    finding_tell_kernel(d, f, here, v);
    assert_non_null(finding_detail(d, "kernel"));
    return d;
}

#define CONTRADICTS(code, f, here, v, words)                                                                           \
    do {                                                                                                               \
        struct finding *d_ = kernel(code, f, here, v);                                                                 \
        const char *words_ = words;                                                                                    \
        assert_int_equal(!!strstr(d_->summary, words_ ? words_ : ". "), words_ != NULL);                               \
        assert_int_equal(d_->own_remedy != NULL, words_ && strstr(words_, "its kernel"));                              \
        finding_free(d_);                                                                                              \
    } while (0)

static void test_kernel_mtu(void **state)
{
    (void)state;
    struct trouble t = { 0 };
    t.losses[CLIENT].told = (struct told_size){ .times = 1, .least = { .mtu = 1400, .from = net_addr(4, 1) } };
    struct flow f = { .key = { .version = 4 }, .trouble = &t };
    struct kernel_view v = { .there = true, .state = STATE_ESTABLISHED, .path_mtu = 1500 };

    CONTRADICTS(CODE_PMTU_IGNORED, &f, CLIENT, &v, "its kernel still counts with 1500");
    CONTRADICTS(CODE_PMTU_IGNORED, &f, SERVER, &v, NULL); /* it was not told this end */
    v.path_mtu = 1400;
    CONTRADICTS(CODE_PMTU_IGNORED, &f, CLIENT, &v, NULL);
    v.path_mtu = 1500;
    v.route_mtu = 1400; /* learnt, and the socket comes to it later */
    CONTRADICTS(CODE_PMTU_IGNORED, &f, CLIENT, &v, NULL);
    v.route_mtu = 0;
    t.losses[CLIENT].told.least.mtu = 500; /* below what Linux takes */
    CONTRADICTS(CODE_PMTU_IGNORED, &f, CLIENT, &v, NULL);
    v.there = false;
    CONTRADICTS(CODE_PMTU_IGNORED, &f, CLIENT, &v, NULL);
}

static void test_kernel_state(void **state)
{
    (void)state;
    struct flow f = { .key = { .version = 6 }, .synacks = 3 };
    struct kernel_view v = { .there = true, .state = STATE_SYN_SENT };

    CONTRADICTS(CODE_HANDSHAKE_UNFINISHED, &f, CLIENT, &v, "its kernel is still in SYN-SENT");
    v.state = STATE_ESTABLISHED;
    CONTRADICTS(CODE_HANDSHAKE_UNFINISHED, &f, CLIENT, &v, NULL);
    v.unread = 78;
    CONTRADICTS(CODE_SERVER_SILENT, &f, SERVER, &v, "78 bytes wait in this host's socket");
    CONTRADICTS(CODE_SERVER_SILENT, &f, CLIENT, &v, NULL);
    CONTRADICTS(CODE_PACKET_LOSS, &f, SERVER, &v, NULL);
    v = (struct kernel_view){ .counted = { [COUNTER_LISTEN_OVERFLOWS] = 4 } };
    CONTRADICTS(CODE_ACCEPT_QUEUE_FULL, &f, SERVER, &v, "has counted 4 connections");
    CONTRADICTS(CODE_ACCEPT_QUEUE_FULL, &f, CLIENT, &v, NULL);
    v = (struct kernel_view){ .counted = { [COUNTER_SYN_QUEUE_FULL] = 5, [COUNTER_TIMEOUTS] = 9 } };
    CONTRADICTS(CODE_SYN_UNANSWERED, &f, SERVER, &v, "has counted 5 SYNs");
    CONTRADICTS(CODE_SYN_UNANSWERED, &f, CLIENT, &v, NULL);
    CONTRADICTS(CODE_PACKET_LOSS, &f, SERVER, &v, NULL);
}

/* The packets of reverse path filtering explain a SYN-ACK that the kernel does not hear of, over IPv4 alone. */
static void test_kernel_reverse_path(void **state)
{
    (void)state;
    struct flow f = { .key = { .version = 4 }, .synacks = 3 };
    struct kernel_view v = { .there = true, .state = STATE_SYN_SENT, .counted = { [COUNTER_REVERSE_PATH] = 3 } };

    for (unsigned version = 4; version <= 6; version += 2) {
        f.key.version = (uint8_t)version;
        struct finding *d = kernel(CODE_HANDSHAKE_UNFINISHED, &f, CLIENT, &v);
        assert_int_equal(strstr(d->summary, "counted 3 packets") != NULL, version == 4);
        finding_free(d);
    }
}

static void tracked(enum code code, struct kernel_view v, const char *words)
{
    struct flow f = { .key = { .version = 4 }, .synacks = 1 };
    struct finding *d = kernel(code, &f, CLIENT, &v);

    assert_int_equal(strstr(d->summary, words ? words : "onnection tracking") != NULL, words != NULL);
    finding_free(d);
}

static void test_kernel_track(void **state)
{
    (void)state;
    struct kernel_view v = { .there = true, .state = STATE_ESTABLISHED };

    for (enum kernel_track t = TRACK_UNUSED; t <= TRACK_GONE; t++) {
        v.track = t;
        tracked(CODE_IDLE_EXPIRED, v, t == TRACK_GONE ? "has forgotten" : t == TRACK_NONE ? "has no entry of" : NULL);
        tracked(CODE_PACKET_LOSS, v, NULL);
    }
    v.state = STATE_FIN_WAIT_2; /* forgotten as it should be */
    tracked(CODE_PATH_WENT_DEAD, v, NULL);
    v.state = STATE_SYN_SENT;
    v.track = TRACK_REPLIED;
    tracked(CODE_HANDSHAKE_UNFINISHED, v, "stands behind that");
    v.track = TRACK_UNREPLIED;
    v.retransmits = 1; /* it may have heard of it, and not told yet */
    tracked(CODE_HANDSHAKE_UNFINISHED, v, NULL);
    v.retransmits = 2;
    tracked(CODE_HANDSHAKE_UNFINISHED, v, "stands before that");
}

/* The words that the kernel's view adds to a finding of a code, and where it is then. */
static void told(enum code code, const struct kernel_view *v, const char *words, enum where where)
{
    struct flow f = { .key = { .version = 4, .low = net_addr(4, 1), .high = net_addr(4, 2) } };
    struct finding *d = kernel(code, &f, SERVER, v);

    if (words)
        assert_non_null(strstr(d->summary, words));
    else
        assert_null(strstr(d->summary, "his host"));
    assert_int_equal(d->where, where);
    assert_int_equal(d->own_remedy != NULL, words != NULL);
    finding_free(d);
}

static void told_syns(unsigned syns, unsigned synacks, const struct kernel_view *v, const char *words)
{
    struct flow f = { .key = { .version = 6 }, .syns = syns, .synacks = synacks };

    for (enum side here = CLIENT; here <= SERVER; here++) {
        struct finding *d = kernel(CODE_SYN_UNANSWERED, &f, here, v);
        bool tells = words && here == SERVER;
        assert_int_equal(strstr(d->summary, tells ? words : "his host") != NULL, tells);
        assert_int_equal(d->where, tells ? WHERE_SERVER : WHERE_PATH);
        finding_free(d);
    }
}

/* Where on the server's host a SYN gets lost that is on its wire, or the answer. */
static void test_kernel_syns(void **state)
{
    (void)state;
    struct kernel_view v = { .listens = true, .queue_most = 5 };

    told_syns(3, 0, &v, "the socket that listens here has not heard of them");
    told_syns(2, 0, &v, NULL); /* too early */
    v.counted[COUNTER_LISTEN_DROPS] = 1; /* it may have heard, and refused */
    told_syns(3, 0, &v, NULL);
    v = (struct kernel_view){ .listens = true, .queue_most = 5, .queued = 6 };
    told_syns(1, 0, &v, "6 of 5 connections wait to be accepted");
    told_syns(3, 0, &v, "6 of 5 connections wait to be accepted");
    v = (struct kernel_view){ .there = false }; /* nobody listens: a RST should leave, and may be limited */
    told_syns(3, 0, &v, NULL);
    v = (struct kernel_view){ .there = true, .state = STATE_SYN_RECEIVED, .asks_neighbor = true, .neighbor = NEIGHBOR_OLD };
    told_syns(3, 0, &v, "its SYN-ACK is not on the wire");
    told_syns(3, 1, &v, NULL);
    v.neighbor = NEIGHBOR_ASKING; /* it waits for the hardware address */
    told_syns(3, 0, &v, NULL);
}

static void test_kernel_way(void **state)
{
    (void)state;
    struct kernel_view v = { .route_error = EINVAL, .asks_neighbor = true, .neighbor = NEIGHBOR_FAILED };

    told(CODE_SYN_UNANSWERED, &v, "This host has a route of type blackhole to ", WHERE_SERVER);
    told(CODE_SYN_REFUSED, &v, NULL, WHERE_PATH); /* an answer left, or another's did */
    v.route_error = ENETUNREACH;
    told(CODE_PATH_WENT_DEAD, &v, "This host has no route to ", WHERE_SERVER);
    v.route_error = EPROTONOSUPPORT; /* not known */
    v.neighbor = NEIGHBOR_ASKING;
    told(CODE_SYN_UNANSWERED, &v, NULL, WHERE_PATH);
    v.route_error = 0;
    v.next_hop = net_addr(4, 9);
    for (enum neighbor_state s = NEIGHBOR_NONE; s <= NEIGHBOR_KNOWN; s++) {
        v.neighbor = s;
        told(CODE_SYN_UNANSWERED, &v, s == NEIGHBOR_FAILED ? "Nobody answers this host for the hardware address" : NULL, WHERE_PATH);
    }
    v.neighbor = NEIGHBOR_FAILED;
    told(CODE_SERVER_SILENT, &v, NULL, WHERE_PATH); /* the request was acknowledged over it */
    v.asks_neighbor = false;
    told(CODE_SYN_UNANSWERED, &v, NULL, WHERE_PATH);
}

static void test_counters(void **state)
{
    (void)state;
    uint64_t t[KERNEL_COUNTERS];

    assert_true(tcpext_parse(
        "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 17 18\nIpExt: InNoRoutes\nIpExt: 0\n", t));
    assert_int_equal(t[COUNTER_LISTEN_OVERFLOWS], 17);
    assert_int_equal(t[COUNTER_LISTEN_DROPS], 18);
    assert_int_equal(t[COUNTER_TIMEOUTS], 0);
    assert_false(tcpext_parse("TcpExt: SyncookiesSent\nTcpExt: 1\n", t));
    assert_false(tcpext_parse("TcpExt: ListenOverflows\n", t));
    assert_false(tcpext_parse("TcpExt: A ListenOverflows\nTcpExt: 1\n", t));
    assert_false(tcpext_parse("", t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_kernel_mtu),
        cmocka_unit_test(test_kernel_state),
        cmocka_unit_test(test_kernel_reverse_path),
        cmocka_unit_test(test_kernel_track),
        cmocka_unit_test(test_kernel_syns),
        cmocka_unit_test(test_kernel_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
