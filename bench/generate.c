/* generate: the captures that the benchmarks read; the same bytes on every run.  Without arguments it lists them. */
#include "bench/frames.h"
#include "bench/tls_bytes.h"
#include "bench/transfer.h"

#define STARTS_PER_S 2000 /* connections begun each second */
#define ROUND_TRIP_US (20 * US_PER_MS)
#define CLIENT_HOSTS 4093
#define SERVER_HOSTS 16
#define DISORDER_SEGMENT 100 /* bytes */

static const char answer_head[] = "HTTP/1.1 200 OK\r\nServer: bench/1.0\r\nDate: Wed, 01 Jan 2025 00:00:00 GMT\r\n"
                                  "Content-Type: %s\r\nContent-Length: %llu\r\nConnection: keep-alive\r\n\r\n";
static const struct slice nothing = { NULL, 0 };

/* What the command line asks for; each capture has its own meaning for count and extra. */
struct request {
    struct frames *out;
    uint64_t count;
    double extra;
    const char *variant;
};

/* --- connections and what they carry --- */

static struct end make_end(uint32_t addr, uint16_t port, bool near, uint64_t *random)
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
static struct connection make_connection(uint32_t id, uint16_t port, int near, uint64_t *random)
{
    uint32_t client = 0x0a000100 + id % CLIENT_HOSTS, server = 0xc6336401 + id % SERVER_HOSTS;
    struct connection conn = { .near = near };

    conn.ends[CLIENT] = make_end(client, (uint16_t)(32768 + id / CLIENT_HOSTS), near == CLIENT, random);
    conn.ends[SERVER] = make_end(server, port, near == SERVER, random);
    return conn;
}

static struct slice http_request(uint32_t id, uint8_t *room)
{
    int n = sprintf((char *)room,
                    "GET /item/%08u/index.html HTTP/1.1\r\nHost: www%u.bench.test\r\nUser-Agent: bench/1.0\r\n"
                    "Accept: text/html,*/*;q=0.8\r\n\r\n",
                    id, id % 1000);

    return slice_of(room, (size_t)n);
}

static struct slice http_answer(uint32_t id, uint8_t *room)
{
    size_t n = (size_t)sprintf((char *)room, answer_head, "text/html", 256ull);

    memset(room + n, 'a' + (int)(id % 26), 256);
    return slice_of(room, n + 256);
}

/* --- many connections at a time: conns, tls --- */

/* One packet of a connection's life. */
struct step {
    int64_t wait_us; /* after the packet before it; HOLD: as long as it takes to stay among the open ones */
    uint8_t side, flags;
    struct slice (*payload)(uint32_t id, uint8_t *room);
};
#define HOLD INT64_C(-1)

static const struct step http_steps[] = {
    { 0, CLIENT, TCP_SYN, NULL },
    { ROUND_TRIP_US, SERVER, TCP_SYN | TCP_ACK, NULL },
    { 40, CLIENT, TCP_ACK, NULL },
    { 120, CLIENT, TCP_PSH | TCP_ACK, http_request },
    { ROUND_TRIP_US + 5000, SERVER, TCP_PSH | TCP_ACK, http_answer },
    { 40, CLIENT, TCP_ACK, NULL },
    { HOLD, CLIENT, TCP_FIN | TCP_ACK, NULL },
    { ROUND_TRIP_US, SERVER, TCP_FIN | TCP_ACK, NULL },
    { 40, CLIENT, TCP_ACK, NULL },
};

static const struct step tls_steps[] = {
    { 0, CLIENT, TCP_SYN, NULL },
    { ROUND_TRIP_US, SERVER, TCP_SYN | TCP_ACK, NULL },
    { 40, CLIENT, TCP_ACK, NULL },
    { 300, CLIENT, TCP_PSH | TCP_ACK, tls_client_hello },
    { ROUND_TRIP_US + 2000, SERVER, TCP_PSH | TCP_ACK, tls_server_hello },
    { 500, CLIENT, TCP_PSH | TCP_ACK, tls_client_finished },
    { ROUND_TRIP_US, SERVER, TCP_PSH | TCP_ACK, tls_server_finished },
    { 100, CLIENT, TCP_PSH | TCP_ACK, tls_request },
    { ROUND_TRIP_US + 5000, SERVER, TCP_PSH | TCP_ACK, tls_answer },
    { 40, CLIENT, TCP_ACK, NULL },
    { HOLD, CLIENT, TCP_PSH | TCP_ACK, tls_close_notify },
    { 40, CLIENT, TCP_FIN | TCP_ACK, NULL },
    { ROUND_TRIP_US, SERVER, TCP_FIN | TCP_ACK, NULL },
    { 40, CLIENT, TCP_ACK, NULL },
};

/* A connection under way, in a binary heap by the time of its next packet. */
struct live {
    int64_t due;
    uint32_t id, step;
    struct connection *conn;
};

struct heap {
    struct live *at;
    uint32_t n;
};

static bool live_before(const struct live *a, const struct live *b)
{
    return a->due < b->due || (a->due == b->due && a->id < b->id);
}

static void heap_swap(struct heap *heap, uint32_t a, uint32_t b)
{
    struct live swapped = heap->at[a];

    heap->at[a] = heap->at[b];
    heap->at[b] = swapped;
}

static void heap_push(struct heap *heap, struct live live)
{
    uint32_t i = heap->n++;

    heap->at[i] = live;
    for (; i && live_before(&heap->at[i], &heap->at[(i - 1) / 2]); i = (i - 1) / 2)
        heap_swap(heap, i, (i - 1) / 2);
}

/* The first has changed: puts it where it belongs now. */
static void heap_settle(struct heap *heap)
{
    for (uint32_t i = 0;;) {
        uint32_t least = i;
        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap->n; child++)
            if (live_before(&heap->at[child], &heap->at[least]))
                least = child;
        if (least == i)
            return;
        heap_swap(heap, i, least);
        i = least;
    }
}

struct crowd {
    const struct step *steps;
    uint32_t n_steps;
    uint16_t port;
    int64_t hold_us;
    uint64_t random;
    struct heap heap;
};

static int64_t crowd_wait(struct crowd *crowd, uint32_t step)
{
    int64_t wait = crowd->steps[step].wait_us;

    if (wait == HOLD)
        wait = crowd->hold_us;
    return wait + random_below(&crowd->random, (uint32_t)(wait / 8 + 1));
}

/* Sends the packet that is due first. */
static void crowd_step(struct crowd *crowd, struct frames *out)
{
    struct live *first = &crowd->heap.at[0];
    const struct step *step = &crowd->steps[first->step];
    uint8_t room[FRAME_DATA_MAX];

    connection_send(out, first->conn, first->due, step->side, step->flags,
                    step->payload ? step->payload(first->id, room) : nothing);
    if (++first->step < crowd->n_steps) {
        first->due += crowd_wait(crowd, first->step);
    } else {
        free(first->conn);
        *first = crowd->heap.at[--crowd->heap.n];
    }
    heap_settle(&crowd->heap);
}

static void crowd_start(struct crowd *crowd, uint32_t id, int64_t now)
{
    struct connection *conn = malloc(sizeof *conn);

    if (!conn)
        err(2, NULL);
    *conn = make_connection(id, crowd->port, CLIENT, &crowd->random);
    heap_push(&crowd->heap, (struct live){ now, id, 0, conn });
}

/* `extra` connections are open at a time: each stays so long. */
static void crowd_run(struct crowd *crowd, const struct request *request)
{
    int64_t now = CAPTURE_START, busy = 0;

    for (uint32_t i = 0; i < crowd->n_steps; i++)
        busy += crowd->steps[i].wait_us;
    crowd->random = 1;
    crowd->hold_us = (int64_t)(request->extra * US_PER_S / STARTS_PER_S) - busy;
    if (crowd->hold_us < 0)
        crowd->hold_us = 0;
    crowd->heap.at = calloc(request->count, sizeof *crowd->heap.at);
    if (!crowd->heap.at)
        err(2, NULL);
    for (uint32_t id = 0; id < request->count; id++, now += US_PER_S / STARTS_PER_S) {
        while (crowd->heap.n && crowd->heap.at[0].due <= now)
            crowd_step(crowd, request->out);
        crowd_start(crowd, id, now);
    }
    while (crowd->heap.n)
        crowd_step(crowd, request->out);
    free(crowd->heap.at);
}

static void generate_conns(const struct request *request)
{
    struct crowd crowd = { .steps = http_steps, .n_steps = sizeof http_steps / sizeof *http_steps, .port = 80 };

    crowd_run(&crowd, request);
}

static void generate_tls(const struct request *request)
{
    struct crowd crowd = { .steps = tls_steps, .n_steps = sizeof tls_steps / sizeof *tls_steps, .port = 443 };

    crowd_run(&crowd, request);
}

/* --- one connection: keepalive, bulk, disorder --- */

/* How long the capture waits for that side to react. */
static int64_t reaction_us(const struct connection *conn, int side)
{
    return side == conn->near ? 40 : ROUND_TRIP_US;
}

static void react(struct frames *out, struct connection *conn, int64_t *now, int side, uint8_t flags)
{
    *now += reaction_us(conn, side);
    connection_send(out, conn, *now, side, flags, nothing);
}

/* Opens a connection at *now, which moves on. The client takes `window` bytes. */
static struct connection open_connection(struct frames *out, int64_t *now, int near, uint32_t window)
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

static void close_connection(struct frames *out, struct connection *conn, int64_t now)
{
    now += 200;
    connection_send(out, conn, now, CLIENT, TCP_FIN | TCP_ACK, nothing);
    react(out, conn, &now, SERVER, TCP_FIN | TCP_ACK);
    react(out, conn, &now, CLIENT, TCP_ACK);
}

/* One to four requests in one segment (pipelining), an answer to each in a segment of its own. */
static void generate_keepalive(const struct request *request)
{
    int64_t now = CAPTURE_START;
    struct connection conn = open_connection(request->out, &now, CLIENT, 65536);
    uint8_t room[FRAME_DATA_MAX];

    for (uint32_t id = 0, round = 0; id < request->count; round++) {
        uint32_t n = 1 + round % 4;
        if (n > request->count - id)
            n = (uint32_t)request->count - id;
        size_t length = 0;
        for (uint32_t i = 0; i < n; i++)
            length += http_request(id + i, room + length).n;
        connection_send(request->out, &conn, now += 200, CLIENT, TCP_PSH | TCP_ACK, slice_of(room, length));
        now += ROUND_TRIP_US;
        for (uint32_t i = 0; i < n; i++)
            connection_send(request->out, &conn, now += 100, SERVER, TCP_PSH | TCP_ACK, http_answer(id + i, room));
        connection_send(request->out, &conn, now += 40, CLIENT, TCP_ACK, nothing);
        id += n;
    }
    close_connection(request->out, &conn, now);
}

/* Asks for the one large answer; returns the length of its stream, head included. */
static uint64_t ask_large(struct frames *out, struct connection *conn, int64_t *now, uint64_t body,
                          struct stream *stream)
{
    uint8_t room[FRAME_DATA_MAX];
    int head = snprintf((char *)room, sizeof room, answer_head, "application/octet-stream", (unsigned long long)body);

    stream_fill(stream, slice_of(room, (size_t)head));
    connection_send(out, conn, *now += 120, CLIENT, TCP_PSH | TCP_ACK, http_request(0, room));
    *now += reaction_us(conn, SERVER) + 5000;
    return (uint64_t)head + body;
}

static void generate_bulk(const struct request *request)
{
    struct transfer *t = calloc(1, sizeof *t);
    struct stream *stream = malloc(sizeof *stream);
    int near = strcmp(request->variant, "receiver") == 0 ? CLIENT : SERVER;
    int64_t now = CAPTURE_START;
    struct connection conn = open_connection(request->out, &now, near, TRANSFER_BUFFER * FRAME_DATA_MAX);

    if (!t || !stream)
        err(2, NULL);
    t->out = request->out;
    t->conn = &conn;
    t->stream = stream;
    t->loss = request->extra;
    t->bytes = ask_large(request->out, &conn, &now, request->count, stream);
    t->now = now;
    transfer_run(t);
    close_connection(request->out, &conn, t->now);
    free(stream);
    free(t);
}

/* The order in which n segments come; to be freed. */
static uint32_t *make_order(uint32_t n, const char *variant)
{
    uint32_t *order = calloc(n, sizeof *order);
    uint64_t random = 1;

    if (!order)
        err(2, NULL);
    if (strcmp(variant, "alternate") == 0) {
        for (uint32_t i = 0; i < n; i++)
            order[i] = i < n / 2 ? 2 * i + 1 : 2 * (i - n / 2);
        return order;
    }
    for (uint32_t i = 0; i < n; i++)
        order[i] = n - 1 - i;
    for (uint32_t i = n; i > 1 && strcmp(variant, "random") == 0; i--) {
        uint32_t other = random_below(&random, i), swapped = order[other];
        order[other] = order[i - 1];
        order[i - 1] = swapped;
    }
    return order;
}

static void generate_disorder(const struct request *request)
{
    struct stream *stream = malloc(sizeof *stream);
    uint32_t n = (uint32_t)request->count, *order = make_order(n, request->variant);
    int64_t now = CAPTURE_START;
    struct connection conn = open_connection(request->out, &now, CLIENT, (n + 10) * DISORDER_SEGMENT);

    if (!stream)
        err(2, NULL);
    ask_large(request->out, &conn, &now, (uint64_t)n * DISORDER_SEGMENT, stream);
    uint32_t base = conn.ends[SERVER].next;
    uint16_t first_id = conn.ends[SERVER].ip_id;
    int64_t sent = now - ROUND_TRIP_US / 2;
    for (uint32_t i = 0; i < n; i++) { /* sent in order, seen in another */
        struct slice bytes = stream_at(stream, (uint64_t)order[i] * DISORDER_SEGMENT, DISORDER_SEGMENT);
        struct segment s = connection_next(&conn, sent + order[i], SERVER, TCP_ACK, bytes);
        s.seq = base + order[i] * DISORDER_SEGMENT;
        s.ip_id = (uint16_t)(first_id + order[i]);
        frames_put(request->out, now += 10, &conn, SERVER, &s);
    }
    conn.ends[SERVER].next = base + n * DISORDER_SEGMENT;
    connection_send(request->out, &conn, now += 40, CLIENT, TCP_ACK, nothing);
    close_connection(request->out, &conn, now);
    free(order);
    free(stream);
}

/* --- no connection at all --- */

static void generate_synflood(const struct request *request)
{
    uint64_t random = 1;
    int64_t now = CAPTURE_START;

    for (uint64_t i = 0; i < request->count; i++, now += 10) {
        struct connection conn = make_connection(0, 80, SERVER, &random);
        uint32_t source = 0x0b000000 + random_below(&random, 0xd4000000); /* 11.0.0.0 to 222.255.255.255 */
        conn.ends[CLIENT] = make_end(source, (uint16_t)(1024 + random_below(&random, 60000)), false, &random);
        connection_send(request->out, &conn, now, CLIENT, TCP_SYN, nothing);
    }
}

/* --- command line --- */

static const struct capture {
    const char *name;
    void (*generate)(const struct request *request);
    double count, extra;
    const char *variant;
    const char *usage;
} captures[] = {
    { "conns", generate_conns, 200e3, 5000, "", "FILE [N [OPEN]]: N HTTP connections of nine packets, OPEN at a time" },
    { "tls", generate_tls, 50e3, 5000, "", "FILE [N [OPEN]]: N TLS 1.2 connections" },
    { "keepalive", generate_keepalive, 100e3, 0, "", "FILE [N]: N HTTP transactions on one connection" },
    { "bulk", generate_bulk, 200e6, 0.005, "sender",
      "FILE [BYTES [LOSS [sender|receiver]]]: one transfer, captured beside one end" },
    { "disorder", generate_disorder, 100e3, 0, "random",
      "FILE [N [- [random|reverse|alternate]]]: N segments of one connection out of order" },
    { "synflood", generate_synflood, 1e6, 0, "", "FILE [N]: N unanswered SYNs from everywhere" },
};
#define N_CAPTURES (sizeof captures / sizeof *captures)

static void usage(void)
{
    fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < N_CAPTURES; i++)
        fprintf(stderr, "  generate %s %s\n", captures[i].name, captures[i].usage);
    exit(2);
}

/* "200000", "200k", "200M", "0.005"; "-" is the default. */
static double parse_number(const char *text, double otherwise)
{
    char *end;
    double value = strtod(text, &end);

    if (strcmp(text, "-") == 0)
        return otherwise;
    if (*end == 'k')
        value *= 1e3, end++;
    else if (*end == 'M')
        value *= 1e6, end++;
    else if (*end == 'G')
        value *= 1e9, end++;
    if (end == text || *end || value < 0 || value > 4e9)
        errx(2, "not a number from 0 to 4G: %s", text);
    return value;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 6)
        usage();
    for (size_t i = 0; i < N_CAPTURES; i++) {
        const struct capture *capture = &captures[i];
        if (strcmp(argv[1], capture->name) != 0)
            continue;
        struct frames out = frames_open(argv[2]);
        struct request request = {
            .out = &out,
            .count = (uint64_t)(argc > 3 ? parse_number(argv[3], capture->count) : capture->count),
            .extra = argc > 4 ? parse_number(argv[4], capture->extra) : capture->extra,
            .variant = argc > 5 ? argv[5] : capture->variant,
        };
        capture->generate(&request);
        frames_close(&out);
        return 0;
    }
    usage();
}
