/* blocks: the conversations that the text report shows, chosen as they come. Those that read alike are one block with a
 * count; beyond so many blocks of a status the rest is only counted, and of what is not shown nothing is kept but the
 * packet it begins with, for the numbers.
 */
#ifndef TCPSLEUTH_REPORT_BLOCKS_H
#define TCPSLEUTH_REPORT_BLOCKS_H

#include "diagnose/conversation.h"

/* How much the default shows; --all shows everything. */
#define BLOCKS_OF_STATUS 30 /* of each status */
#define BLOCKS_OK 10        /* of those that are ok */

/* A conversation that is shown, and how many read like it. */
struct block {
    struct conversation *conversation;
    uint64_t alike;
    uint64_t place;    /* when it came: 0, 1, ... of all conversations */
    uint64_t number;   /* after blocks_finish: the id it has in the JSON document; 0: not listed there */
    guint reading;     /* hash of what it reads */
};

struct blocks {
    bool all;               /* --all: each in a block of its own */
    GArray *of_status[4];   /* struct block; index enum status */
    GArray *packets;        /* uint64_t: where each conversation begins, in the order in which they came */
    uint64_t come;          /* conversations */
    uint64_t left_out;      /* that would be shown if there was room */
    uint64_t forgotten;     /* --all: beyond LIMIT_KEPT_FLOWS */
};

void blocks_start(struct blocks *b, bool all);
void blocks_end(struct blocks *b);

/* Takes c over. */
void blocks_add(struct blocks *b, struct conversation *c);

/* Another one, that begins with that packet and will not be shown. */
void blocks_pass(struct blocks *b, uint64_t packet);

/* No more come: orders the blocks of each status by their first packets, and numbers them. */
void blocks_finish(struct blocks *b);

#endif
