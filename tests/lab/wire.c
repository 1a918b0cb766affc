/* wire: carries frames between two interfaces and does to them what its rules say (wire_rule.h).
 *
 *     wire A B [RULE...]
 *
 * A is the client's side. It says "wire is up" on standard error and carries until it gets SIGTERM or SIGINT; then it
 * says how often each rule was used. Rules count, nothing is left to chance. The frames keep their offload header
 * (PACKET_VNET_HDR), so segmentation and checksum offload of the interfaces may stay on. A frame that the kernel could
 * not hand over for want of room is told at the end, with exit status 1: then the counts are worth nothing.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <arpa/inet.h>
#include <unistd.h>

#include <glib.h>

#include "tests/lab/wire_rule.h"

enum { RULES_MAX = 32, QUEUE_MAX = 65536, BURST = 64, FRAME_MAX = 65536 + 64, BUFFER = 64 << 20 };
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* A frame that waits: until its time, or, where `held`, until so many others of its direction went by. */
struct waiting {
    int64_t due_ns;
    unsigned held;
    int way;
    struct virtio_net_hdr offload;
    size_t size;
    uint8_t bytes[];
};

struct wire {
    int sockets[WAYS]; /* [UP] hears the client's side, [DOWN] the server's; a frame leaves by the other */
    uint32_t start[WAYS];
    struct rule rules[RULES_MAX];
    unsigned rule_count;
    GQueue queue; /* of struct waiting, by due_ns; equal times in order of arrival */
};

/* What the rules want of one frame. */
struct fate {
    bool drop, dup;
    int64_t delay_ns;
    unsigned hold;
    struct forgery forgery[RULES_MAX];
    unsigned forgeries;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static G_GNUC_NORETURN void die(const char *what)
{
    fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
    exit(2);
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int open_interface(const char *name)
{
    int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1, room = BUFFER;
    struct sockaddr_ll to = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(ETH_P_ALL),
                              .sll_ifindex = (int)if_nametoindex(name) };

    if (s < 0 || !to.sll_ifindex)
        die(name);
    if (setsockopt(s, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) ||
        setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) || bind(s, (struct sockaddr *)&to, sizeof to))
        die(name);
    return s;
}

/* --- leaving --- */

static void send_frame(struct wire *w, const struct waiting *f)
{
    struct iovec parts[] = { { (void *)&f->offload, sizeof f->offload }, { (void *)f->bytes, f->size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

    /* An interface that is down, or a frame above its MTU: lost, as on a cable. */
    while (sendmsg(w->sockets[f->way == UP ? DOWN : UP], &message, 0) < 0 && errno == EINTR)
        ;
}

static gint by_time(gconstpointer a, gconstpointer b, gpointer unused)
{
    const struct waiting *left = a, *right = b;
    (void)unused;
    return left->due_ns > right->due_ns ? 1 : -1; /* among equal ones the newcomer goes behind */
}

static void wait_until(struct wire *w, int way, const uint8_t *bytes, size_t size, const struct virtio_net_hdr *offload,
                       int64_t due_ns, unsigned held)
{
    if (g_queue_get_length(&w->queue) >= QUEUE_MAX) {
        errno = ENOBUFS;
        die("too many frames wait");
    }
    struct waiting *f = g_malloc(sizeof *f + size);
    *f = (struct waiting){ .due_ns = due_ns, .held = held, .way = way, .size = size };
    if (offload)
        f->offload = *offload;
    memcpy(f->bytes, bytes, size);
    struct waiting *last = g_queue_peek_tail(&w->queue);
    if (!last || last->due_ns <= due_ns)
        g_queue_push_tail(&w->queue, f);
    else
        g_queue_insert_sorted(&w->queue, f, by_time, NULL);
}

/* A frame of that direction went by: those that wait for it are one nearer to their turn. */
static void count_down(struct wire *w, int way)
{
    for (GList *l = w->queue.head, *next; l; l = next) {
        struct waiting *f = l->data;
        next = l->next;
        if (f->way == way && f->held && --f->held == 0) {
            g_queue_delete_link(&w->queue, l);
            send_frame(w, f);
            g_free(f);
        }
    }
}

static void send_due(struct wire *w)
{
    struct waiting *f;
    while ((f = g_queue_peek_head(&w->queue)) && f->due_ns <= now_ns()) {
        g_queue_pop_head(&w->queue);
        int way = f->way;
        bool late = f->held != 0;
        send_frame(w, f);
        g_free(f);
        if (!late)
            count_down(w, way);
    }
}

/* --- arriving --- */

/* Asks the rules, which may rewrite the packet. */
static struct fate ask_rules(struct wire *w, struct wire_packet *p, int way)
{
    struct fate fate = { false };

    for (unsigned i = 0; i < w->rule_count && !fate.drop; i++) {
        struct rule *r = &w->rules[i];
        if (!rule_matches(r, p, way, w->start[way]))
            continue;
        fate.drop = r->drop;
        fate.dup |= r->dup;
        fate.delay_ns += r->delay_ns;
        fate.hold = MAX(fate.hold, r->hold);
        if (r->ttl_change)
            wire_packet_add_ttl(p, r->ttl_change);
        if (r->mss)
            wire_packet_set_mss(p, r->mss);
        for (size_t k = 0; k < sizeof r->strip && r->strip[k]; k++)
            wire_packet_strip(p, r->strip[k]);
        if (r->corrupt)
            wire_packet_corrupt(p);
        if (r->has_forgery)
            fate.forgery[fate.forgeries++] = r->forgery;
    }
    return fate;
}

static void forge(struct wire *w, const struct wire_packet *p, int way, const struct forgery *how, int64_t due_ns)
{
    uint8_t frame[RST_FRAME_MAX];
    size_t size = wire_packet_forge_rst(p, how, frame);

    if (size)
        wait_until(w, how->back ? 1 - way : way, frame, size, NULL, due_ns, 0);
}

static void carry(struct wire *w, int way, uint8_t *bytes, size_t size, const struct virtio_net_hdr *offload)
{
    struct wire_packet p = wire_packet_of(bytes, size, offload->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
    int64_t now = now_ns();

    if (p.is_tcp && p.flags & FLAG_SYN)
        w->start[way] = p.seq + 1;
    struct fate fate = ask_rules(w, &p, way);
    int64_t due = fate.hold ? now + HOLD_MS * NS_PER_MS : now + fate.delay_ns;
    for (int copies = fate.drop ? 0 : 1 + fate.dup; copies > 0; copies--)
        wait_until(w, way, bytes, size, offload, due, fate.hold);
    for (unsigned i = 0; i < fate.forgeries; i++)
        forge(w, &p, way, &fate.forgery[i], now + fate.delay_ns);
    send_due(w);
}

static void hear(struct wire *w, int way)
{
    static uint8_t frame[FRAME_MAX];
    struct virtio_net_hdr offload;
    struct iovec parts[] = { { &offload, sizeof offload }, { frame, sizeof frame } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

    for (int i = 0; i < BURST; i++) {
        ssize_t n = recvmsg(w->sockets[way], &message, MSG_DONTWAIT);
        if (n < (ssize_t)(sizeof offload + ETHER_HDR_LEN))
            return;
        carry(w, way, frame, (size_t)n - sizeof offload, &offload);
    }
}

static void run(struct wire *w, const sigset_t *while_waiting)
{
    struct pollfd ears[WAYS] = { { w->sockets[UP], POLLIN, 0 }, { w->sockets[DOWN], POLLIN, 0 } };

    while (!stopped) {
        struct waiting *next = g_queue_peek_head(&w->queue);
        int64_t left = next ? MAX(next->due_ns - now_ns(), 0) : NS_PER_S;
        struct timespec t = { left / NS_PER_S, left % NS_PER_S };
        if (ppoll(ears, WAYS, &t, while_waiting) > 0) {
            hear(w, UP);
            hear(w, DOWN);
        }
        send_due(w);
    }
}

/* --- beginning and end --- */

static unsigned lost(int s)
{
    struct tpacket_stats stats = { 0 };
    socklen_t size = sizeof stats;
    return getsockopt(s, SOL_PACKET, PACKET_STATISTICS, &stats, &size) ? 0 : stats.tp_drops;
}

static int conclude(struct wire *w, char **texts)
{
    unsigned drops = lost(w->sockets[UP]) + lost(w->sockets[DOWN]);

    for (unsigned i = 0; i < w->rule_count; i++)
        fprintf(stderr, "rule used %u times: %s\n", w->rules[i].used, texts[i]);
    if (drops)
        fprintf(stderr, "wire: %u frames lost for want of room\n", drops);
    g_queue_clear_full(&w->queue, g_free);
    return drops ? 1 : 0;
}

static void read_rules(struct wire *w, char **texts, int count)
{
    const char *bad;

    if (count > RULES_MAX) {
        fprintf(stderr, "wire: more than %d rules\n", RULES_MAX);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        if (!rule_read(&w->rules[w->rule_count++], texts[i], &bad)) {
            fprintf(stderr, "wire: rule \"%s\": \"%s\" is not understood\n", texts[i], bad);
            exit(2);
        }
    }
}

/* What a veth takes in is worked off by the processor that sent it: a wire that moves to another one would overtake
 * itself, and every capture behind it would show packets out of order that no rule has asked for. */
static void stay_on_one_processor(void)
{
    cpu_set_t here;
    int now = sched_getcpu();

    CPU_ZERO(&here);
    CPU_SET(now < 0 ? 0 : (size_t)now, &here);
    if (sched_setaffinity(0, sizeof here, &here))
        perror("wire: sched_setaffinity");
}

int main(int argc, char **argv)
{
    static struct wire w;
    struct sigaction action = { .sa_handler = stop };
    sigset_t blocked, before;

    if (argc < 3) {
        fprintf(stderr, "usage: wire A B [RULE...]\n");
        return 2;
    }
    stay_on_one_processor();
    read_rules(&w, argv + 3, argc - 3);
    w.sockets[UP] = open_interface(argv[1]);
    w.sockets[DOWN] = open_interface(argv[2]);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &before); /* they come while ppoll waits, and only then */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    fprintf(stderr, "wire is up\n");
    run(&w, &before);
    return conclude(&w, argv + 3);
}
