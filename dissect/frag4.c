#include "dissect/frag4.h"

#include "dissect/checksum.h"

#include <arpa/inet.h>
#include <nids.h>

#define PROTOCOL 253 /* "for experimentation" (RFC 3692): no part of libnids listens */
#define HEADER 20
#define MIN_PIECE 8  /* libnids copies 8 bytes behind the header of the first piece it sees, there or not */

/* libnids is one for the process, so this is, too. */
static struct {
    unsigned users;
    pcap_t *handle;
    struct nids_prm before;     /* its parameters, to be put back */
    uint32_t last_number;
    uint8_t packet[UINT16_MAX]; /* what libnids is shown */
    GByteArray *out;            /* where a whole datagram goes; NULL while none is wanted */
    bool whole, spoilt;
} nids;

/* The registered listener: each packet that is whole, whether it came in fragments or not. libnids frees it
 * afterwards. */
static void on_packet(struct ip *packet, int length)
{
    (void)length; /* libnids' own measure of its buffer */
    if (!nids.out)
        return;
    const uint8_t *p = (const uint8_t *)packet;
    size_t total = (size_t)(p[2] << 8 | p[3]);
    g_byte_array_set_size(nids.out, 0);
    g_byte_array_append(nids.out, p + HEADER, (guint)(total - HEADER));
    nids.whole = true;
}

/* Instead of syslog. An overlap is resolved; after the other complaints the datagram is gone. */
static void on_complaint(int kind, int number, struct ip *packet, void *more)
{
    (void)kind;
    (void)packet;
    (void)more;
    if (number != NIDS_WARN_IP_OVERLAP)
        nids.spoilt = true;
}

/* Out of memory: libnids would go on with a NULL pointer. As everywhere else (GLib), that is the end. */
static void on_no_memory(char *where)
{
    g_error("out of memory in libnids (%s)", where);
}

static void put_back(void)
{
    nids_params = nids.before;
    pcap_close(nids.handle);
}

bool frag4_open(void)
{
    if (nids.users > 0) {
        nids.users++;
        return true;
    }
    nids.before = nids_params;
    nids.handle = pcap_open_dead(DLT_RAW, UINT16_MAX);
    nids_params.pcap_desc = nids.handle;
    nids_params.syslog = on_complaint;
    nids_params.no_mem = on_no_memory;
    nids_params.n_tcp_streams = 0;  /* no TCP table, */
    nids_params.scan_num_hosts = 0; /* no scan detector: neither is ever used */
    nids_params.sk_buff_size = 0;   /* count memory as it is, not as the kernel of 1996 had it */
    if (!nids_init()) {
        put_back();
        return false;
    }
    nids_register_ip((void *)on_packet);
    nids.users = 1;
    return true;
}

void frag4_close(void)
{
    if (--nids.users > 0)
        return;
    nids_unregister_ip((void *)on_packet);
    nids_exit();
    put_back();
}

uint32_t frag4_number(void)
{
    return ++nids.last_number;
}

/* Shows libnids a packet: the header with the datagram's number for a destination and a right checksum, then the
 * piece. */
static void show(uint32_t number, unsigned flags_offset, struct slice piece)
{
    uint8_t *p = nids.packet;
    size_t padded = piece.n < MIN_PIECE ? MIN_PIECE : piece.n;
    size_t total = HEADER + padded;
    memset(p, 0, HEADER + MIN_PIECE);
    p[0] = 0x45;
    p[2] = (uint8_t)(total >> 8);
    p[3] = (uint8_t)total;
    p[6] = (uint8_t)(flags_offset >> 8);
    p[7] = (uint8_t)flags_offset;
    p[8] = 1;
    p[9] = PROTOCOL;
    uint32_t destination = htonl(number); /* libnids' table spreads by its low bits */
    memcpy(p + 16, &destination, sizeof destination);
    uint16_t checksum = (uint16_t)~checksum_fold(checksum_sum(p, HEADER));
    memcpy(p + 10, &checksum, sizeof checksum);
    memcpy(p + HEADER, piece.p, piece.n);
    struct pcap_pkthdr header = { .caplen = (bpf_u_int32)total, .len = (bpf_u_int32)total };
    nids_pcap_handler(NULL, &header, p);
}

enum frag4_result frag4_add(uint32_t number, unsigned offset, bool more, struct slice piece, GByteArray *out)
{
    nids.out = out;
    nids.whole = nids.spoilt = false;
    show(number, (more ? 0x2000 : 0) | offset / 8, piece);
    nids.out = NULL;
    if (nids.spoilt)
        return FRAG4_BAD;
    return nids.whole ? FRAG4_WHOLE : FRAG4_WAITS;
}

/* A packet that is not fragmented makes libnids forget the fragments of the same key. */
void frag4_drop(uint32_t number)
{
    static const uint8_t nothing[MIN_PIECE];
    show(number, 0, slice_of(nothing, sizeof nothing));
}
