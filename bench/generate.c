/* generate: the captures that the benchmarks read; the same bytes on every run.  Without arguments it lists them. */
#include "bench/captures.h"
#include "bench/connections.h"
#include "bench/tls_bytes.h"
#include "bench/transfer.h"

#define STARTS_PER_S 2000 /* connections begun each second */
#define DISORDER_SEGMENT 100 /* bytes */

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

static const struct capture captures[] = {
    { "conns", generate_conns, 200e3, 5000, "", "FILE [N [OPEN]]: N HTTP connections of nine packets, OPEN at a time" },
    { "tls", generate_tls, 50e3, 5000, "", "FILE [N [OPEN]]: N TLS 1.2 connections" },
    { "keepalive", generate_keepalive, 100e3, 0, "", "FILE [N]: N HTTP transactions on one connection" },
    { "bulk", generate_bulk, 200e6, 0.005, "sender",
      "FILE [BYTES [LOSS [sender|receiver]]]: one transfer, captured beside one end" },
    { "disorder", generate_disorder, 100e3, 0, "random",
      "FILE [N [- [random|reverse|alternate]]]: N segments of one connection out of order" },
};

int main(int argc, char **argv)
{
    return captures_main(argc, argv, captures, sizeof captures / sizeof *captures);
}
