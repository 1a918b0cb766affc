/* IEEE 802.11 data frames, and the capture headers radiotap, AVS and Prism. */
#include "dissect/layers.h"

/* Frame control: the first byte holds type and subtype, the second these. */
enum { TO_DS = 0x01, FROM_DS = 0x02, MORE_FRAGMENTS = 0x04, PROTECTED = 0x40, ORDER = 0x80 };

static bool at_snap(const struct walk *w)
{
    return cursor_left(&w->c) >= 3 && w->c.p[0] == 0xaa && w->c.p[1] == 0xaa && w->c.p[2] == 0x03;
}

/* Length of a data frame's header: addresses, the fourth one between access points, QoS and HT control. */
static size_t header_length(uint8_t subtype, uint8_t flags)
{
    bool qos = subtype & 0x08;
    size_t n = 24;
    if ((flags & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS))
        n += 6;
    if (qos)
        n += flags & ORDER ? 6 : 2;
    return n;
}

/* An A-MSDU: its first subframe, whose 14 bytes look like an Ethernet header with a length. The others are left
 * alone. */
static enum layer aggregate(struct walk *w)
{
    const uint8_t *h = walk_take(w, 14);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    walk_trim(w, be16(h + 12));
    return LAYER_LLC;
}

/* pad_to_4: the driver aligned the body (radiotap's flag 0x20). */
static enum layer wlan(struct walk *w, bool pad_to_4)
{
    int control = walk_peek(w);
    if (control < 0)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    uint8_t subtype = (uint8_t)(control >> 4);
    if ((control & 0x0f) != 0x08 || subtype & 0x04) /* not data of version 0, or data without a body */
        return walk_other(w);
    uint8_t flags = cursor_left(&w->c) >= 2 ? w->c.p[1] : 0;
    size_t n = header_length(subtype, flags);
    const uint8_t *h = walk_take(w, n);
    if (!h || (pad_to_4 && n % 4 && !walk_take(w, 4 - n % 4)))
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    if (flags & PROTECTED && !at_snap(w)) /* hardware that decrypts may leave the bit */
        return walk_undecoded(w, UNDECODED_ENCRYPTED);
    if (h[22] & 0x0f) /* a later fragment of an 802.11 frame */
        return walk_undecoded(w, UNDECODED_FRAGMENT);
    bool is_aggregate = subtype & 0x08 && h[n - (flags & ORDER ? 6 : 2)] & 0x80;
    return is_aggregate ? aggregate(w) : LAYER_LLC;
}

enum layer wlan_frame(struct walk *w)
{
    return wlan(w, false);
}

/* The flags of a radiotap header h, or 0: they follow the words of presence bits and the time stamp (8 bytes,
 * aligned). */
static uint8_t radiotap_flags(struct slice h)
{
    struct cursor c = cursor_of(h);
    cursor_skip(&c, 4);
    uint32_t first = cursor_le32(&c);
    for (uint32_t word = first; word & 0x80000000;)
        word = cursor_le32(&c); /* 0 at the end of h */
    if (!(first & 2))
        return 0;
    if (first & 1) {
        cursor_skip(&c, (size_t)(h.p - c.p) & 7);
        cursor_skip(&c, 8);
    }
    return cursor_u8(&c);
}

enum layer wlan_radiotap(struct walk *w)
{
    size_t length = cursor_left(&w->c) >= 4 ? (size_t)(w->c.p[3] << 8 | w->c.p[2]) : 0;
    const uint8_t *h = length >= 8 ? walk_take(w, length) : NULL;
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    return wlan(w, radiotap_flags(slice_of(h, length)) & 0x20);
}

/* AVS: magic 0x8021100N and the header's length, big-endian. Prism: message code 0x44 and the length in the
 * capturing machine's order, or, with another code, no header at all. */
enum layer wlan_prism(struct walk *w)
{
    struct cursor c = w->c;
    uint32_t magic = cursor_u32(&c);
    uint32_t length = cursor_u32(&c);
    if (c.failed)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    if (magic != 0x44000000 && magic != 0x00000044 && magic >> 4 != 0x8021100)
        return LAYER_WLAN;
    if (magic == 0x44000000)
        length = __builtin_bswap32(length);
    if (length < 8 || !walk_take(w, length))
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    return LAYER_WLAN;
}
