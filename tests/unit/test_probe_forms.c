/* The packets of the probes, as libnet builds them; the answers that are believed, and those that are not. */
#include "tests/unit/probe_net.h"

#define BOTH(version) for (unsigned version = 4; version <= 6; version += 2)

/* A played network where the SYN, the echo and so on were sent and nothing was answered. */
static struct played *asked(struct net *n, unsigned version, unsigned kinds)
{
    *n = (struct net){ .version = version, .routers = 1, .gone = true };
    return play(n, kinds);
}

static struct shot *shot_of(struct played *g, enum probe_kind kind, guint i)
{
    return &g_array_index(g->aim->trials[kind]->shots, struct shot, i);
}

/* The packet of a shot, read again by the dissector; free *copy with guard_free. */
static size_t built(struct played *g, enum probe_kind kind, const struct shot *s, struct packet *p, uint8_t **copy)
{
    static uint8_t bytes[CRAFT_BYTES];
    const struct trial *r = g->aim->trials[kind];
    struct craft c;

    r->form->build(r, s, &c);
    size_t n = crafter_build(g->crafter, &c, bytes, sizeof bytes);
    assert_true(n > 0);
    play_read(g->dissector, bytes, n, p, copy);
    assert_false(p->ip.checksum_bad);
    assert_int_equal(p->ip.total_len, n);
    assert_true(p->ip.df);
    return n;
}

static void test_syn(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n;
        struct played *g = asked(&n, version, PROBE_BIT(PROBE_SYN));
        struct shot *s = shot_of(g, PROBE_SYN, 0);
        struct packet p;
        uint8_t *copy;

        s->ttl = 7;
        built(g, PROBE_SYN, s, &p, &copy);
        assert_int_equal(p.kind, PACKET_TCP);
        assert_int_equal(p.ip.ttl, 7);
        assert_int_equal(p.tcp.flags, TCP_SYN);
        assert_int_equal(p.tcp.sport, 20000);
        assert_int_equal(p.tcp.dport, 80);
        assert_int_equal(p.tcp.seq, s->seq);
        assert_true(p.tcp.checksum_checked);
        assert_false(p.tcp.checksum_bad);
        assert_int_equal(p.tcp.opt.present,
                         TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_TIMESTAMPS | TCPOPT_HAS_WSCALE);
        assert_int_equal(p.tcp.opt.mss, version == 6 ? 1440 : 1460);
        assert_int_equal(p.tcp.len, 0);
        if (version == 4)
            assert_int_equal(p.ip.id, s->ip_id);
        guard_free(copy);
        play_end(g);
    }
}

/* The flow stays the same in all that routers choose equal paths by (Paris traceroute): addresses, ports, flow label,
 * the checksum of echo. */
static void test_constant_flow(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n;
        struct played *g = asked(&n, version, PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_ECHO));
        uint8_t checksum[2], *copy;
        struct packet p;
        size_t icmp = version == 6 ? 40 : 20;

        for (guint i = 0; i < 3; i++) {
            built(g, PROBE_ECHO, shot_of(g, PROBE_ECHO, i), &p, &copy);
            assert_int_equal(p.echo.id, g->aim->echo_id);
            if (i == 0)
                memcpy(checksum, copy + icmp + 2, 2);
            assert_memory_equal(copy + icmp + 2, checksum, 2);
            if (version == 6)
                assert_int_equal((copy[1] & 15) << 16 | copy[2] << 8 | copy[3], g->aim->flow_label);
            guard_free(copy);
            built(g, PROBE_SYN, shot_of(g, PROBE_SYN, i), &p, &copy);
            assert_int_equal(p.tcp.sport, 20000);
            guard_free(copy);
        }
        assert_int_not_equal(shot_of(g, PROBE_SYN, 0)->seq, shot_of(g, PROBE_SYN, 1)->seq);
        play_end(g);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 1 };
        struct played *g =
            play(&n, PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_ACK_DF) | PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_ECHO_DF));
        struct packet p;
        uint8_t *copy;

        assert_int_equal(built(g, PROBE_ACK_DF, shot_of(g, PROBE_ACK_DF, 1), &p, &copy), 1500);
        assert_int_equal(p.tcp.flags, TCP_ACK);
        assert_false(p.tcp.checksum_bad);
        guard_free(copy);
        assert_int_equal(built(g, PROBE_ECHO_DF, shot_of(g, PROBE_ECHO_DF, 1), &p, &copy), 1500);
        guard_free(copy);
        play_end(g);
    }
}

/* The same seed gives the same numbers, another one others. */
static void test_keys(void **state)
{
    (void)state;
    struct key a, b, c, secret;

    key_init(&a, 1);
    key_init(&b, 1);
    key_init(&c, 2);
    key_init(&secret, 0);
    uint64_t first = key_draw(&a);
    assert_true(first == key_draw(&b));
    assert_true(first != key_draw(&c));
    assert_true(first != key_draw(&a));
    assert_true(key_draw(&secret) != key_draw(&secret));
}

/* --- answers --- */

static bool offer(struct played *g, const uint8_t *bytes, size_t n)
{
    struct packet p;
    uint8_t *copy;

    play_read(g->dissector, bytes, n, &p, &copy);
    bool taken = aim_offer(g->aim, &p);
    guard_free(copy);
    return taken;
}

/* A SYN-ACK or RST of the target for the first SYN, with a wrong number: ignored and counted. */
static void test_forged_tcp(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n;
        struct played *g = asked(&n, version, PROBE_BIT(PROBE_SYN));
        struct shot *s = shot_of(g, PROBE_SYN, 0);
        uint8_t *copy, answer[200];
        struct packet sent;

        built(g, PROBE_SYN, s, &sent, &copy);
        size_t size = net_tcp(&n, answer, &sent, TCP_SYN | TCP_ACK, 9, s->seq + 2, 60);
        assert_false(offer(g, answer, size));
        size = net_tcp(&n, answer, &sent, TCP_RST, 0, s->seq + 1, 60); /* no ACK flag: the number does not count */
        assert_false(offer(g, answer, size));
        assert_int_equal(g->aim->trials[PROBE_SYN]->forged, 2);
        assert_int_equal(s->state, SHOT_LOST);

        size = net_tcp(&n, answer, &sent, TCP_SYN | TCP_ACK, 9, s->seq + 1, 60);
        assert_true(offer(g, answer, size)); /* late, and right */
        assert_int_equal(s->state, SHOT_ANSWERED);
        assert_int_equal(s->answer.reply, REPLY_SYN_ACK);
        size = net_tcp(&n, answer, &sent, TCP_RST | TCP_ACK, 0, s->seq + 1, 60);
        assert_true(offer(g, answer, size)); /* the first answer stands */
        assert_int_equal(s->answer.reply, REPLY_SYN_ACK);
        assert_int_equal(g->aim->trials[PROBE_SYN]->forged, 2);
        guard_free(copy);
        play_end(g);
    }
}

/* An error that quotes another number, other ports, or nothing; and one that quotes right. */
static void test_forged_error(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n;
        struct played *g = asked(&n, version, PROBE_BIT(PROBE_SYN));
        struct shot *s = shot_of(g, PROBE_SYN, 0);
        uint8_t *copy, quoted[200], answer[400], type = version == 6 ? 1 : 3;
        size_t tcp = version == 6 ? 40 : 20;
        struct packet sent;
        size_t size = built(g, PROBE_SYN, s, &sent, &copy);

        memcpy(quoted, copy, size);
        guard_free(copy);
        quoted[tcp + 5] ^= 1; /* sequence number */
        if (version == 4)
            quoted[5] ^= 1; /* identification */
        assert_false(offer(g, answer, net_icmp(&n, answer, 1, type, 0, 0, quoted, size)));
        assert_int_equal(g->aim->trials[PROBE_SYN]->forged, 1);
        quoted[tcp + 5] ^= 1;
        quoted[tcp + 1] ^= 1; /* source port: it is about something else */
        assert_false(offer(g, answer, net_icmp(&n, answer, 1, type, 0, 0, quoted, size)));
        assert_int_equal(g->aim->trials[PROBE_SYN]->forged, 1);
        quoted[tcp + 1] ^= 1;
        assert_false(offer(g, answer, net_icmp(&n, answer, 1, type, 0, 0, quoted, tcp + 3)));
        assert_false(
            offer(g, answer, net_icmp(&n, answer, NET_HOST, type, 0, 0, quoted, size))); /* of this host itself */
        assert_int_equal(s->state, SHOT_LOST);
        assert_true(offer(g, answer, net_icmp(&n, answer, 1, type, 0, 0, quoted, size)));
        assert_int_equal(s->answer.reply, REPLY_NETWORK_UNREACHABLE);
        play_end(g);
    }
}

static void test_forged_echo(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n;
        struct played *g = asked(&n, version, PROBE_BIT(PROBE_ECHO));
        struct shot *s = shot_of(g, PROBE_ECHO, 0);
        uint8_t *copy, answer[200];
        struct packet sent;
        size_t icmp = version == 6 ? 40 : 20, size = built(g, PROBE_ECHO, s, &sent, &copy);

        net_ip(version, answer, NET_TARGET, version == 6 ? 58 : 1, 60, size - icmp);
        memcpy(answer + icmp, copy + icmp, size - icmp);
        guard_free(copy);
        answer[icmp] = version == 6 ? 129 : 0;
        answer[icmp + 12] ^= 1; /* cookie */
        assert_false(offer(g, answer, size));
        answer[icmp + 12] ^= 1;
        answer[icmp + 7] ^= 1; /* sequence number */
        assert_false(offer(g, answer, size));
        assert_int_equal(g->aim->trials[PROBE_ECHO]->forged, 2);
        answer[icmp + 7] ^= 1;
        answer[icmp + 5] ^= 1; /* identifier: of another program */
        assert_false(offer(g, answer, size));
        assert_int_equal(g->aim->trials[PROBE_ECHO]->forged, 2);
        answer[icmp + 5] ^= 1;
        assert_true(offer(g, answer, size));
        assert_int_equal(s->answer.reply, REPLY_ECHO);
        play_end(g);
    }
}

/* Every prefix of an answer, and of what an error quotes, at the edge of a page. */
static void test_prefixes(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n;
        struct played *g = asked(&n, version, PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_ECHO));
        static const enum probe_kind kinds[] = { PROBE_SYN, PROBE_ECHO };

        for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
            uint8_t *copy, quoted[200], answer[400];
            struct packet sent;
            size_t size = built(g, kinds[k], shot_of(g, kinds[k], 0), &sent, &copy);
            memcpy(quoted, copy, size);
            guard_free(copy);
            for (size_t i = 0; i <= size; i++)
                offer(g, answer, net_icmp(&n, answer, 1, version == 6 ? 3 : 11, 0, 0, quoted, i));
            assert_int_equal(shot_of(g, kinds[k], 0)->answer.reply, REPLY_TTL_EXCEEDED);
            size_t whole = net_icmp(&n, answer, 1, version == 6 ? 3 : 11, 0, 0, quoted, size);
            for (size_t i = 1; i < whole; i++)
                offer(g, answer, i);
        }
        play_end(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syn),         cmocka_unit_test(test_constant_flow), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_keys),        cmocka_unit_test(test_forged_tcp),    cmocka_unit_test(test_forged_error),
        cmocka_unit_test(test_forged_echo), cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
