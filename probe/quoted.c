/* quoted: the packet inside an ICMP error, read in all its parts: what the hop that made the error had received. */
#include "probe/trial.h"

#include "base/bytes.h"
#include "dissect/tcp.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58 };

static void read_tcp(struct quoted *q, struct cursor c)
{
    cursor_skip(&c, 4); /* ports, which the dissector has */
    q->seq = cursor_u32(&c);
    q->has_seq = !c.failed;
    cursor_skip(&c, 4);
    unsigned offset = cursor_u16(&c);
    q->window = cursor_u16(&c);
    cursor_skip(&c, 4);
    size_t length = (offset >> 12) * 4u;
    if (c.failed || length < 20)
        return;
    struct slice options = cursor_take(&c, length - 20);
    q->has_header = !c.failed;
    if (q->has_header)
        tcp_options_read(options, length - 20, &q->opt);
}

static void read_echo(struct quoted *q, struct cursor c)
{
    uint8_t type = cursor_u8(&c);

    cursor_skip(&c, 3);
    q->echo_id = cursor_u16(&c);
    q->echo_seq = cursor_u16(&c);
    q->has_echo = !c.failed && (type == 8 || type == 128);
}

/* Type of service and identification; leaves the cursor at the payload. Extension headers, which our packets do not
 * have, are none. */
static void read_ip(struct quoted *q, struct cursor *c)
{
    uint8_t first = cursor_u8(c);

    if (first >> 4 == 6) {
        q->tos = (uint8_t)(first << 4 | cursor_u8(c) >> 4);
        cursor_skip(c, 38);
        return;
    }
    q->tos = cursor_u8(c);
    cursor_skip(c, 2);
    q->id = cursor_u16(c);
    cursor_skip(c, 14);
    cursor_skip(c, MAX(first & 0x0f, 5) * 4u - 20);
}

void quoted_read(struct quoted *q, const struct packet *p)
{
    const struct icmp_facts *f = &p->icmp;
    struct cursor c;

    *q = (struct quoted){ 0 };
    if (p->kind != PACKET_ICMP_ERROR || f->quoted_version != p->ip.version)
        return;
    c = cursor_of(f->quoted);
    read_ip(q, &c);
    q->known = !c.failed;
    q->src = f->quoted_src;
    q->dst = f->quoted_dst;
    q->has_ports = f->quotes_ports;
    q->sport = f->quoted_sport;
    q->dport = f->quoted_dport;
    q->payload = f->quoted_protocol == PROTO_UDP ? f->quoted_payload : (struct slice){ 0 };
    if (f->quoted_protocol == PROTO_TCP)
        read_tcp(q, c);
    else if (f->quoted_protocol == PROTO_ICMP || f->quoted_protocol == PROTO_ICMPV6)
        read_echo(q, c);
}
