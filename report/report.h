/* report: what was found, and the writers that print it. Nothing outside report/ prints results.
 *
 * A format is a writer: an object that is handed each flow, conversation and look-up once, as soon as it is final, in
 * the order in which they end, and owns it from then on. What a writer does not need for the end it frees at once: a
 * report in text or NDJSON takes memory for what is wrong and what is going on, not for the whole capture. The totals
 * of the run are kept by the caller.
 */
#ifndef TCPSLEUTH_REPORT_REPORT_H
#define TCPSLEUTH_REPORT_REPORT_H

#include "diagnose/conversation.h"
#include "diagnose/finding.h"
#include "diagnose/ladder.h"
#include "diagnose/probes.h"
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
    bool drops_known;           /* the next two hold */
    uint64_t dropped;           /* packets that the capture lost, those of the next included */
    uint64_t interface_dropped;
    int64_t first_ns, last_ns;  /* TIME_NONE: no packets */
    uint64_t time_jumps;        /* how often its time went back, or a day ahead (flow/clock.h): what was open then was judged as it stood */
    bool nanoseconds;           /* 9 digits, else 6; of an input whose interfaces differ it may turn true on the way */
    bool truncated;
    bool out_of_memory;         /* memory was at its end first: what followed was not read */
    uint64_t quic_packets;       /* QUIC is present and not looked into */
    uint64_t evicted_flows;     /* flows judged early because LIMIT_LIVE_FLOWS was reached */
    uint64_t reassembly_dropped; /* stream bytes that no dissector saw because LIMIT_REASSEMBLY_* was reached */
    /* In the totals, but not listed: LIMIT_KEPT_FLOWS or LIMIT_KEPT_LOOKUPS was reached; counted by the writer. */
    uint64_t forgotten_flows, forgotten_conversations, forgotten_lookups;
};

/* A flow and what was judged of it. */
struct judged_flow {
    struct flow *flow;
    struct judgement judgement;
};
void judged_flow_clear(struct judged_flow *f);

/* The totals. While things are handed out only capture.nanoseconds is up to date; all is final for end(). */
struct report {
    struct capture_summary capture;
    struct finding *verdict;    /* of the whole run; NULL: finding_ok() */
    const char *probed;         /* the target of a run that only probes, as the user wrote it: there is no capture; NULL: there is one */
    const char *climbed;        /* the target of `check`, as the user wrote it; NULL: it is none */
    uint64_t probe_packets;     /* crafted packets that were sent */
    uint64_t conversations_by_status[4]; /* index enum status */
    uint64_t flows_by_status[4];
    uint64_t flows_by_code[CODES];
};

/* A conversation counts; the verdict of the run is the worst of theirs, the first of equals. */
void report_weigh(struct report *r, const struct conversation *c);

/* All were weighed: where nothing is degraded or broken, ok where any conversation is, else unknown. */
void report_settle(struct report *r);

struct report_options {
    bool color;
    bool all;                   /* --all: no grouping, no cap on the lines */
    int verbose;                /* -v */
    bool quiet;                 /* -q */
    uint64_t flow;              /* --flow N: the ladder of this flow; 0: none */
    bool why;                   /* --why: judgements come with their ledger */
    bool live;                  /* tell what happens when it happens: format->event */
    FILE *told;                 /* live, text: where that goes (borrowed); NULL: nowhere */
    unsigned columns;           /* width of the terminal, 100 where unknown */
};

/* What a live capture tells while it goes on. */
enum event_kind {
    EVENT_OPENED,  /* flow: its first packet came; only its ends are there */
    EVENT_VERDICT, /* flow, judgement: it ended, or broke, or what was told of it before has changed */
    EVENT_BROKEN,  /* conversation: one without a flow is broken, a look-up that failed, a neighbour that does not answer; or it is so no more */
    EVENT_STATS    /* stats: now and then */
};

struct live_stats {
    uint64_t packets, tcp_packets;
    uint64_t flows_open, flows_judged; /* that go on; that ended or broke, each counted once */
    uint64_t dropped;
};

struct report_event {
    enum event_kind kind;
    int64_t at_ns;               /* time of the capture */
    const struct flow *flow;
    const struct judgement *judgement;
    bool over;                   /* the flow has ended */
    const struct conversation *conversation;
    const struct live_stats *stats;
};

/* The head of each format's own struct. */
struct report_writer {
    const struct report_format *format;
};

struct report_format {
    const char *name;           /* of --format */
    bool tells_some;            /* shows the steps of a few healthy conversations only, unless options->all */

    /* A writer to out. out and totals are borrowed and outlive it; of the totals it may raise capture.forgotten_*. */
    struct report_writer *(*open)(FILE *out, struct report *totals, const struct report_options *options);

    /* A thing is final. The writer owns it from now on: f->flow and f->judgement, c, l, p, s. */
    void (*flow)(struct report_writer *w, const struct judged_flow *f);
    void (*conversation)(struct report_writer *w, struct conversation *c);
    /* Whether it will draw f, before it is handed f: then f->flow->log is completed (tracker_complete_log). NULL: it draws none. */
    bool (*draws)(struct report_writer *w, const struct judged_flow *f);
    /* Where tells_some: a conversation that is ok and not among the few, known by its first packet only. */
    void (*untold)(struct report_writer *w, uint64_t packet);
    void (*lookup)(struct report_writer *w, struct lookup *l);
    void (*probe)(struct report_writer *w, struct probe_result *p);
    void (*step)(struct report_writer *w, struct rung_step *s);

    /* Live: tells it at once. NULL: this format tells nothing before the end. Everything in e is borrowed. */
    void (*event)(struct report_writer *w, const struct report_event *e);

    /* Nothing more comes and the totals are final: writes what is left to write. What could not be written to out stays
     * in ferror(out). Returns 0, or the errno of what else kept it from a complete report: the temporary file. */
    int (*end)(struct report_writer *w);

    /* NULL-safe, also without end(). */
    void (*free)(struct report_writer *w);
};

extern const struct report_format *const report_formats[]; /* ends with NULL */

/* NULL: there is no such format. */
const struct report_format *report_format_find(const char *name);

#endif
