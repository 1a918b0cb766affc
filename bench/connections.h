/* connections: the connections that the benchmark captures are made of, and the HTTP that they carry. */
#ifndef TCPSLEUTH_BENCH_CONNECTIONS_H
#define TCPSLEUTH_BENCH_CONNECTIONS_H

#include "bench/transfer.h"

#define ROUND_TRIP_US (20 * US_PER_MS)
#define CLIENT_HOSTS 4093
#define SERVER_HOSTS 16

static const char answer_head[] = "HTTP/1.1 200 OK\r\nServer: bench/1.0\r\nDate: Wed, 01 Jan 2025 00:00:00 GMT\r\n"
                                  "Content-Type: %s\r\nContent-Length: %llu\r\nConnection: keep-alive\r\n\r\n";
static const struct slice nothing = { NULL, 0 };

static inline struct end make_end(uint32_t addr, uint16_t port, bool near, uint64_t *random)
{
    return (struct end){
        .addr = addr,
        .port = port,
        .ttl = near ? 64 : 57,
        .wscale = 7,
        .window = 502,
        .ip_id = (uint16_t)random_next(random),
        .next = (uint32_t)random_next(random),
        .clock = (uint32_t)random_next(random),
    };
}

/* Connection `id` of the many: a client port of its own, one of a few servers. */
static inline struct connection make_connection(uint32_t id, uint16_t port, int near, uint64_t *random)
{
    uint32_t client = 0x0a000100 + id % CLIENT_HOSTS, server = 0xc6336401 + id % SERVER_HOSTS;
    struct connection conn = { .near = near };

    conn.ends[CLIENT] = make_end(client, (uint16_t)(32768 + id / CLIENT_HOSTS), near == CLIENT, random);
    conn.ends[SERVER] = make_end(server, port, near == SERVER, random);
    return conn;
}

static inline struct slice http_request(uint32_t id, uint8_t *room)
{
    int n = sprintf((char *)room,
                    "GET /item/%08u/index.html HTTP/1.1\r\nHost: www%u.bench.test\r\nUser-Agent: bench/1.0\r\n"
                    "Accept: text/html,*/*;q=0.8\r\n\r\n",
                    id, id % 1000);

    return slice_of(room, (size_t)n);
}

static inline struct slice http_answer(uint32_t id, uint8_t *room)
{
    size_t n = (size_t)sprintf((char *)room, answer_head, "text/html", 256ull);

    memset(room + n, 'a' + (int)(id % 26), 256);
    return slice_of(room, n + 256);
}

/* How long the capture waits for that side to react. */
static inline int64_t reaction_us(const struct connection *conn, int side)
{
    return side == conn->near ? 40 : ROUND_TRIP_US;
}

static inline void react(struct frames *out, struct connection *conn, int64_t *now, int side, uint8_t flags)
{
    *now += reaction_us(conn, side);
    connection_send(out, conn, *now, side, flags, nothing);
}

/* Opens a connection at *now, which moves on. The client takes `window` bytes. */
static inline struct connection open_connection(struct frames *out, int64_t *now, int near, uint32_t window)
{
    uint64_t random = 1;
    struct connection conn = make_connection(0, 80, near, &random);
    struct end *client = &conn.ends[CLIENT];

    while (window >> client->wscale > UINT16_MAX)
        client->wscale++;
    client->window = (uint16_t)(window >> client->wscale);
    connection_send(out, &conn, *now, CLIENT, TCP_SYN, nothing);
    react(out, &conn, now, SERVER, TCP_SYN | TCP_ACK);
    react(out, &conn, now, CLIENT, TCP_ACK);
    return conn;
}

static inline void close_connection(struct frames *out, struct connection *conn, int64_t now)
{
    now += 200;
    connection_send(out, conn, now, CLIENT, TCP_FIN | TCP_ACK, nothing);
    react(out, conn, &now, SERVER, TCP_FIN | TCP_ACK);
    react(out, conn, &now, CLIENT, TCP_ACK);
}

/* Asks for the one large answer; returns the length of its stream, head included. */
static inline uint64_t ask_large(struct frames *out, struct connection *conn, int64_t *now, uint64_t body,
                          struct stream *stream)
{
    uint8_t room[FRAME_DATA_MAX];
    int head = snprintf((char *)room, sizeof room, answer_head, "application/octet-stream", (unsigned long long)body);

    stream_fill(stream, slice_of(room, (size_t)head));
    connection_send(out, conn, *now += 120, CLIENT, TCP_PSH | TCP_ACK, http_request(0, room));
    *now += reaction_us(conn, SERVER) + 5000;
    return (uint64_t)head + body;
}

#endif
