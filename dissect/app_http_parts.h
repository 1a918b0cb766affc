/* app_http_parts: what the files of the HTTP dissector share. app_http.c cuts a stream into messages,
 * app_http_message.c reads one message, app_http_pairs.c keeps requests and answers together. Nobody else includes
 * this.
 */
#ifndef TCPSLEUTH_DISSECT_APP_HTTP_PARTS_H
#define TCPSLEUTH_DISSECT_APP_HTTP_PARTS_H

#include "base/limits.h"
#include "dissect/app_http.h"

#include <http_parser.h>

/* Where a direction stands. */
enum http_phase {
    PHASE_START,      /* between messages, or in the first word of one */
    PHASE_HEAD,       /* start line and header fields */
    PHASE_BODY,       /* a body of known length, or chunks and their trailer */
    PHASE_UNTIL_CLOSE, /* a body that ends with the connection */
    PHASE_HOLDING,    /* the client asked for another protocol: its bytes wait for the answer */
    PHASE_LOST        /* framing lost: a piece that begins like a message ends it */
};

/* One direction. */
struct http_half {
    http_parser parser; /* data is the struct app_http */
    enum http_phase phase;
    GString *line;                     /* the line of the head that has begun; NULL until first needed, then reused */
    char word[LIMIT_HTTP_METHOD];      /* the first word of the message; no NUL */
    uint8_t n_word;                    /* bytes of it */
    bool start_line_known;
    bool parsing_field;                /* the field that was read last is one for the parser */
    bool ended;                        /* the parser has just come to the end of a message */
    bool in_chunk;                     /* between a chunk's size and its end */
    bool lossy;                        /* bytes were missing since the last message that was whole */
    enum app_protocol upgrade;         /* what its Upgrade field names */
    struct http_transaction *now;      /* whose message is being read; NULL where it is not kept */
    int64_t first_ts_ns, last_ts_ns;   /* of the first byte of the message; of the newest bytes or gap */
    uint64_t first_packet;             /* of the first byte of the message */
};

/* Bytes that the client sent before it knew whether its CONNECT or Upgrade is accepted. */
struct http_held {
    uint8_t *p;
    size_t n;
    int64_t ts_ns; /* of the first piece */
    uint64_t packet;
};

struct app_http {
    struct app_facts *facts;
    struct http_half half[2];       /* by enum side, which is enum http_parser_type too */
    const struct app_bytes *at;     /* the bytes being read */
    guint next;                     /* index in facts->http of the first transaction without a whole answer */
    uint64_t ahead, behind;         /* requests that are not kept and wait for an answer before and after that one */
    size_t text_bytes;              /* kept in the transactions */
    bool answering;                 /* an answer has begun and has not ended */
    bool pipelined;                 /* the client has sent a request before the answer to the one before began */
    bool release;                   /* the client's held bytes turned out to be HTTP */
    bool handed_over;
    enum app_protocol handed_to;
    struct http_held held;
};

/* --- app_http_message.c: one message --- */

/* Begins a message whose first word has been read: the request's method is in half->word. Wants h->at. */
void http_message_begin(struct app_http *h, enum side from);
/* Reads on; returns the bytes consumed. half->ended tells that the message is whole, half->phase PHASE_LOST that it
 * is not HTTP. */
size_t http_message_read(struct app_http *h, enum side from, struct slice s);
/* Bytes of the body that are still to come as far as it is known: of it all, or of the chunk. 0 = not known. */
uint64_t http_message_left(const struct http_half *half);
/* Counts n bytes of a body. */
void http_message_count(struct http_half *half, enum side from, uint64_t n);

/* Forgets what is held of a line of the head. */
void http_line_clear(struct http_half *half);

/* --- app_http_pairs.c: transactions --- */

/* A request begins: half[CLIENT].now becomes its transaction; it has ended whole at h->at. */
void http_request_begin(struct app_http *h);
void http_request_end(struct app_http *h);
/* An answer begins: half[SERVER].now becomes its transaction. */
void http_answer_begin(struct app_http *h);
/* The answer has ended: whole, or given up because the next one begins. An interim one leaves the transaction open. */
void http_answer_end(struct app_http *h, bool whole, bool interim, int64_t ts_ns);
/* Bytes of a direction are missing where no message can be pinned on them: marks the transactions that may be
 * concerned. */
void http_pairs_gap(struct app_http *h, enum side from);
/* Replaces *field, a text of t, by a clean copy of s, counting what is kept. */
void http_keep_text(struct app_http *h, struct http_transaction *t, char **field, struct slice s);

#endif
