/* text_parts: the parts of the text report, in the order in which text.c puts them together.
 */
#ifndef TCPSLEUTH_REPORT_TEXT_PARTS_H
#define TCPSLEUTH_REPORT_TEXT_PARTS_H

#include "report/blocks.h"
#include "report/healthy.h"
#include "report/page.h"
#include "report/report.h"

/* How much the default shows; --all shows everything. */
#define TEXT_FLOW_LINES 200      /* flows that are not ok, a line each */
#define TEXT_KEPT 5000           /* of one code are kept for that; the others are counted */
#define TEXT_DETAILS 50          /* blocks of details */
#define TEXT_ALIKE 3             /* more flows than this with one code at one server: one block for all */
#define TEXT_HEALTHY_LINES 50    /* groups of healthy flows */
#define TEXT_LADDER_FIRST 400    /* packets of a ladder: the first ones */
#define TEXT_LADDER_LAST 100     /* and the last ones; of conversations: blocks.h */

/* The writer. */
struct text {
    struct report_writer head;
    FILE *out;
    struct report *report;
    struct report_options options;
    GArray *kept;            /* struct judged_flow, in the end by id: not ok; with --all: every one, with --flow: that */
    uint64_t of_code[CODES]; /* flows that are not ok: how many there were of each code, kept or not */
    struct healthy *healthy; /* NULL where healthy flows are not told in groups */
    struct blocks blocks;    /* of conversations */
    GPtrArray *probes;       /* struct probe_result* */
    GPtrArray *steps;        /* struct rung_step* */
    /* in the end */
    struct page *page;
    GArray *listed;          /* const struct judged_flow*: those kept, worst first */
};

/* text.c: the row of report.c's table, and what the parts share */
extern const struct report_format text_format;
const struct judged_flow *text_listed(const struct text *t, guint i);
const struct judged_flow *text_flow_by_id(const struct text *t, uint64_t id); /* NULL: not kept */
enum status text_status(const struct judged_flow *f);
enum page_style text_status_style(enum status s);

/* text_live.c: struct report_format.event. */
void text_event(struct report_writer *w, const struct report_event *e);

/* text_head.c */
void text_head(struct text *t); /* what was read, and the verdict of the run */
void text_totals(struct text *t);

/* text_flows.c: the listed flows, a line each */
void text_flows(struct text *t);

/* text_details.c */
void text_details(struct text *t); /* of each listed flow the sentence, the evidence and what to do */
void text_one_flow(struct text *t, const struct judged_flow *f); /* the same and more of one flow, whatever its verdict */
/* Its sentence, evidence and remedy, indented; label: "" or what stands before the sentence. */
void text_finding(struct text *t, const struct finding *f, const char *label);

/* text_why.c: how a verdict was reached */
void text_why(struct text *t, const struct ledger *l);

/* text_healthy.c: those alike in one line */
void text_healthy_flows(struct text *t);

/* text_conversations.c */
void text_conversations(struct text *t);

/* text_probes.c */
void text_probes(struct text *t);

/* text_climb.c: the rungs of `check`, a line each */
void text_climb(struct text *t);

/* text_ladder.c: the packets of its log; nothing where it has none */
void text_ladder(struct text *t, const struct judged_flow *f);

#endif
