/* blast: sends the frames of a capture over an interface, at a steady rate, over and over:
 *     blast IFACE CAPTURE PACKETS_A_SECOND PACKETS
 * Prints how many went out, and in how many seconds. All of the capture is in memory before the first frame goes. */
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MOST_BYTES ((size_t)1 << 30)
#define BURST 64 /* frames that one system call sends */
#define NS_PER_S 1000000000LL

struct frames {
    struct iovec *list;
    size_t n, room, bytes;
};

static void add(struct frames *f, const void *bytes, size_t n)
{
    if (f->n == f->room) {
        f->room = f->room ? 2 * f->room : 4096;
        f->list = realloc(f->list, f->room * sizeof *f->list);
    }
    void *copy = malloc(n);
    if (!f->list || !copy)
        err(1, "memory");
    f->list[f->n++] = (struct iovec){ memcpy(copy, bytes, n), n };
    f->bytes += n;
}

static struct frames load(const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *p = pcap_open_offline(path, why);
    struct pcap_pkthdr *h;
    const u_char *bytes;
    struct frames f = { NULL };

    if (!p)
        errx(1, "%s", why);
    while (f.bytes < MOST_BYTES && pcap_next_ex(p, &h, &bytes) == 1)
        add(&f, bytes, h->caplen);
    pcap_close(p);
    if (f.n == 0)
        errx(1, "%s: no frames", path);
    return f;
}

static int open_socket(const char *interface)
{
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface) };
    int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;

    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on))
        err(1, "%s", interface);
    return fd;
}

static long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* The next n frames, from `at` on; those that the interface had no room for are sent again. */
static void send_burst(int fd, const struct frames *f, size_t at, unsigned n)
{
    struct mmsghdr messages[BURST] = { 0 };
    unsigned done = 0;

    for (unsigned i = 0; i < n; i++) {
        messages[i].msg_hdr.msg_iov = &f->list[(at + i) % f->n];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (done < n) {
        int sent = sendmmsg(fd, messages + done, n - done, 0);
        if (sent > 0)
            done += (unsigned)sent;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: blast IFACE CAPTURE PACKETS_A_SECOND PACKETS");
    struct frames f = load(argv[2]);
    int fd = open_socket(argv[1]);
    double rate = atof(argv[3]);
    size_t total = strtoull(argv[4], NULL, 10), sent = 0;
    long long began = now_ns();

    while (sent < total) {
        unsigned n = total - sent < BURST ? (unsigned)(total - sent) : BURST;
        long long due = began + (long long)((double)sent / rate * NS_PER_S);
        struct timespec at = { due / NS_PER_S, due % NS_PER_S };
        if (due > now_ns())
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        send_burst(fd, &f, sent, n);
        sent += n;
    }
    printf("%zu %.3f\n", sent, (double)(now_ns() - began) / NS_PER_S);
    return 0;
}
