/* exhaust: captures made to use up the memory or the time of what reads them; the same bytes on every run.  Without arguments it lists them. */
#include "bench/captures.h"
#include "bench/connections.h"

#define FRAGMENT 64 /* bytes */

/* --- many connections, none of which gets far --- */

/* 11.0.0.0 to 222.255.255.255 */
static uint32_t anywhere(uint64_t *random)
{
    return 0x0b000000 + random_below(random, 0xd4000000);
}

static void generate_synflood(const struct request *request)
{
    uint64_t random = 1;
    int64_t now = CAPTURE_START;

    for (uint64_t i = 0; i < request->count; i++, now += 10) {
        struct connection conn = make_connection(0, 80, SERVER, &random);
        uint32_t source = anywhere(&random);
        conn.ends[CLIENT] = make_end(source, (uint16_t)(1024 + random_below(&random, 60000)), false, &random);
        connection_send(request->out, &conn, now, CLIENT, TCP_SYN, nothing);
    }
}

/* SYNs that are answered, and then nothing; or that are refused. */
static void generate_answered(const struct request *request)
{
    uint8_t flags = strcmp(request->variant, "refused") == 0 ? TCP_RST | TCP_ACK : TCP_SYN | TCP_ACK;
    uint64_t random = 1;
    int64_t now = CAPTURE_START;

    for (uint64_t i = 0; i < request->count; i++, now += 10) {
        struct connection conn = make_connection((uint32_t)i, 80, SERVER, &random);
        conn.ends[CLIENT] = make_end(anywhere(&random), (uint16_t)(1024 + random_below(&random, 60000)), false, &random);
        connection_send(request->out, &conn, now, CLIENT, TCP_SYN, nothing);
        connection_send(request->out, &conn, now + 5, SERVER, flags, nothing);
    }
}

/* --- one connection --- */

/* Segments of one answer, of 100 bytes, each over half of the one before and with other bytes in it, in a random order; or of one byte. */
static void generate_overlap(const struct request *request)
{
    bool tiny = strcmp(request->variant, "tiny") == 0;
    uint32_t n = (uint32_t)request->count, step = tiny ? 1 : 50, length = tiny ? 1 : 100;
    struct stream *stream = malloc(sizeof *stream);
    uint64_t random = 1;
    int64_t now = CAPTURE_START;
    struct connection conn = open_connection(request->out, &now, CLIENT, (n + 10) * step + FRAME_DATA_MAX);

    if (!stream)
        err(2, NULL);
    ask_large(request->out, &conn, &now, (uint64_t)n * step, stream);
    uint32_t base = conn.ends[SERVER].next;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = tiny ? (i & 1 ? i - 1 : i + 1) : random_below(&random, n); /* tiny: pairs that have changed places */
        struct slice bytes = stream_at(stream, random_below(&random, 100000), length);
        struct segment s = connection_next(&conn, now += 10, SERVER, TCP_ACK, bytes);
        s.seq = base + at * step;
        frames_put(request->out, now, &conn, SERVER, &s);
    }
    conn.ends[SERVER].next = base + n * step;
    close_connection(request->out, &conn, now);
    free(stream);
}

/* An answer whose headers never end, or the first line of which does not. */
static void generate_headers(const struct request *request)
{
    bool line = strcmp(request->variant, "line") == 0;
    int64_t now = CAPTURE_START;
    struct connection conn = open_connection(request->out, &now, CLIENT, 65536);
    uint8_t room[FRAME_DATA_MAX];

    connection_send(request->out, &conn, now += 120, CLIENT, TCP_PSH | TCP_ACK, http_request(0, room));
    connection_send(request->out, &conn, now += ROUND_TRIP_US, SERVER, TCP_ACK,
                    slice_of(line ? "HTTP/1.1 200 O" : "HTTP/1.1 200 OK\r\n", line ? 14 : 17));
    for (uint64_t i = 0; i < request->count; i++) {
        memset(room, 'K', sizeof room);
        for (size_t at = 0; !line && at + 40 <= sizeof room; at += 40)
            sprintf((char *)room + at, "Location: http://h%07llu.test/%06u\r\n", (unsigned long long)i % 10000000, (unsigned)at), room[at + 39] = 'X';
        connection_send(request->out, &conn, now += 200, SERVER, TCP_ACK, slice_of(room, line ? sizeof room : sizeof room / 40 * 40));
        connection_send(request->out, &conn, now += 40, CLIENT, TCP_ACK, nothing);
    }
    close_connection(request->out, &conn, now);
}

/* A long answer of one byte over and over, which shrinks to a thousandth when it is compressed. */
static void generate_bomb(const struct request *request)
{
    static const uint8_t zeros[FRAME_DATA_MAX];
    int64_t now = CAPTURE_START;
    struct connection conn = open_connection(request->out, &now, CLIENT, 65536);

    for (uint64_t i = 0; i < request->count; i++)
        connection_send(request->out, &conn, now += 200, SERVER, TCP_ACK, slice_of(zeros, sizeof zeros));
}

/* --- no connection at all --- */

/* IPv4 fragments of datagrams that never get whole; or fragments of few datagrams that lie over each other. */
static void generate_fragments(const struct request *request)
{
    bool overlap = strcmp(request->variant, "overlap") == 0;
    uint64_t random = 1;
    int64_t now = CAPTURE_START;

    for (uint64_t i = 0; i < request->count; i++, now += 10) {
        uint32_t n = 20 + FRAGMENT;
        uint8_t frame[16 + 14 + 20 + FRAGMENT] = { 0 }, *ip = put_ethernet(frame + 16, CLIENT);
        const struct end from = make_end(overlap ? 0x0a000001 : anywhere(&random), 0, false, &random), to = make_end(0xc6336401, 0, true, &random);
        put_ipv4(ip, &from, &to, (uint16_t)(overlap ? i % 16 : i), FRAGMENT);
        put16(ip + 6, 0x2000 | (overlap ? random_below(&random, 8000) : 1 + random_below(&random, 100)));
        put16(ip + 10, 0);
        checksum_store(ip + 10, checksum_add(0, ip, 20));
        n += 14;
        const uint32_t record[4] = { (uint32_t)(now / US_PER_S), (uint32_t)(now % US_PER_S), n, n };
        memcpy(frame, record, sizeof record);
        fwrite(frame, 16 + n, 1, request->out->file);
    }
}

static const struct capture captures[] = {
    { "synflood", generate_synflood, 1e6, 0, "", "FILE [N]: N unanswered SYNs from everywhere" },
    { "answered", generate_answered, 1e6, 0, "open",
      "FILE [N [- [open|refused]]]: N SYNs that are answered, and nothing more" },
    { "overlap", generate_overlap, 100e3, 0, "random",
      "FILE [N [- [random|tiny]]]: N segments of one answer that lie over each other, or of one byte" },
    { "headers", generate_headers, 100e3, 0, "fields",
      "FILE [N [- [fields|line]]]: N segments of headers, or of a first line, without an end" },
    { "bomb", generate_bomb, 200e3, 0, "", "FILE [N]: N segments full of zeros, to be compressed" },
    { "fragments", generate_fragments, 1e6, 0, "far",
      "FILE [N [- [far|overlap]]]: N fragments of datagrams that never get whole" },
};

int main(int argc, char **argv)
{
    return captures_main(argc, argv, captures, sizeof captures / sizeof *captures);
}
