/* report: what was found, and the writers that print it. One struct in, one writer a format; nothing outside report/ prints results.
 *
 * A streaming format (ndjson) is handed each object as soon as it is final (flow, conversation, dns) and the run's summary at the
 * end; the others are handed everything at the end. In both cases the writer sees the same structs.
 */
#ifndef TCPSLEUTH_REPORT_REPORT_H
#define TCPSLEUTH_REPORT_REPORT_H

#include "diagnose/conversation.h"
#include "diagnose/finding.h"
#include "flow/flow.h"
#include "flow/lookup.h"

#include <stdio.h>

/* CONTRACT "capture". */
struct capture_summary {
    char *source;               /* the file names, joined by ", " */
    GPtrArray *linktypes;       /* char* */
    uint64_t packets, tcp_packets;
    uint64_t undecoded;         /* sum of the next */
    uint64_t undecoded_by[UNDECODED_REASONS];
    int64_t first_ns, last_ns;  /* TIME_NONE: no packets */
    bool nanoseconds;           /* 9 digits, else 6 */
    bool truncated;
    uint64_t evicted_flows;     /* flows judged early because LIMIT_LIVE_FLOWS was reached */
    uint64_t forgotten_flows;   /* flows beyond LIMIT_KEPT_FLOWS: in the totals, not in the list */
    uint64_t reassembly_dropped; /* stream bytes that no dissector saw because LIMIT_REASSEMBLY_* was reached */
};

/* A flow and what was judged of it. */
struct judged_flow {
    struct flow *flow;
    struct judgement judgement;
};

struct report {
    struct capture_summary capture;
    GArray *flows;              /* struct judged_flow, by id; empty for a streaming format */
    GPtrArray *conversations;   /* struct conversation*, by id; empty for a streaming format */
    GPtrArray *lookups;         /* struct lookup*, by query packet; empty for a streaming format */
    struct finding *verdict;    /* of the whole run; NULL: finding_ok() */
    uint64_t conversations_by_status[4]; /* counted in every format; index enum status */
    uint64_t flows_by_code[CODES];
};

struct report_options {
    bool color;
    bool all;                   /* --all: no grouping, no cap on the lines */
    int verbose;                /* -v */
    bool quiet;                 /* -q */
    uint64_t flow;              /* --flow N: the ladder of this flow; 0: none */
    unsigned columns;           /* width of the terminal, 100 where unknown */
};

struct report_format {
    const char *name;           /* of --format */
    bool streaming;
    void (*flow)(FILE *out, const struct judged_flow *f, const struct report *so_far);           /* streaming only */
    void (*conversation)(FILE *out, const struct conversation *c, const struct report *so_far);  /* streaming only */
    void (*lookup)(FILE *out, const struct lookup *l, const struct report *so_far);              /* streaming only */
    void (*end)(FILE *out, const struct report *report, const struct report_options *options);
};

/* NULL: there is no such format. */
const struct report_format *report_format_find(const char *name);

#endif
