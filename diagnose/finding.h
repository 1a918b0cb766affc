/* finding: one thing that is right or wrong with a conversation, in the words of CONTRACT section 2 and 3: what, at which layer, on whose
 * side, how sure, proved by which packets, and what to do next. A verdict is the finding nearest to the root.
 */
#ifndef TCPSLEUTH_DIAGNOSE_FINDING_H
#define TCPSLEUTH_DIAGNOSE_FINDING_H

#include "diagnose/catalogue.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum status { STATUS_OK, STATUS_UNKNOWN, STATUS_DEGRADED, STATUS_BROKEN }; /* ascending: worse is larger */
enum where { WHERE_NONE, WHERE_CLIENT, WHERE_SERVER, WHERE_PATH, WHERE_CAPTURE };
enum confidence { CONFIDENCE_CERTAIN, CONFIDENCE_LIKELY, CONFIDENCE_POSSIBLE };

const char *status_name(enum status s);
const char *where_name(enum where w); /* NULL for WHERE_NONE */
const char *confidence_name(enum confidence c);

/* One member of "detail". */
enum detail_kind { DETAIL_TEXT, DETAIL_NUMBER, DETAIL_SECONDS, DETAIL_LIST, DETAIL_HOP };
struct detail {
    const char *key;          /* static */
    enum detail_kind kind;
    char *text;               /* DETAIL_TEXT: UTF-8, may come from outside: escape it */
    int64_t number;           /* DETAIL_NUMBER; DETAIL_SECONDS in nanoseconds */
    char **list;              /* DETAIL_LIST: NULL-terminated */
    unsigned ttl[2];          /* DETAIL_HOP: of the last hop that is passed (0: this host), and of where they die at the latest (0: not known); */
    char *addr[2];            /* the address of each; NULL: not known */
};

#define FINDING_EVIDENCE 12

struct finding {
    enum code code;
    enum status status;
    enum where where;
    enum confidence confidence;
    char *summary;            /* one sentence; texts from outside in it are already cleaned to UTF-8 and quoted */
    const char *remedy;       /* static, from the catalogue, or own_remedy */
    char *own_remedy;         /* NULL where the catalogue's serves */
    uint64_t evidence[FINDING_EVIDENCE]; /* packet numbers, ascending */
    unsigned n_evidence;
    GArray *details;          /* struct detail; NULL: none */
};

/* A new finding with the catalogue's status, confidence certain and the catalogue's remedy; summary by format. */
struct finding *finding_new(enum code code, enum where where, const char *format, ...) G_GNUC_PRINTF(3, 4);
void finding_free(struct finding *f); /* NULL-safe */

/* A deep copy. */
struct finding *finding_copy(const struct finding *f);

/* Adds a packet number; 0 and those already there are ignored; when full the last place is overwritten, so first and last stay. */
void finding_add_evidence(struct finding *f, uint64_t packet);
void finding_detail_text(struct finding *f, const char *key, const char *text);
void finding_detail_number(struct finding *f, const char *key, int64_t number);
void finding_detail_seconds(struct finding *f, const char *key, int64_t ns);
/* "hop": packets pass `after` and die at or before `at` (CONTRACT "verdict"). */
struct probe_place;
void finding_detail_hop(struct finding *f, unsigned version, const struct probe_place *after, const struct probe_place *at);
void finding_detail_list(struct finding *f, const char *key, const char *const *list);

/* The member with that key, valid until the next is added; NULL: none. */
const struct detail *finding_detail(const struct finding *f, const char *key);

/* Copies those of `from` with these keys (NULL-terminated) that f lacks. */
void finding_take_details(struct finding *f, const struct finding *from, const char *const *keys);

/* The capture itself lost packets. A finding that rests on what is not in the capture (a silence, a loss) becomes less sure and says why. */
void finding_doubt(struct finding *f, uint64_t dropped);

/* Static and shared, never freed: the verdict of a flow with nothing to report. */
const struct finding *finding_ok(void);

struct ledger; /* ledger.h */

/* What was judged of one flow. */
struct judgement {
    struct finding *verdict;  /* NULL: finding_ok() */
    GPtrArray *others;        /* struct finding*: further findings, worst first; NULL: none */
    struct ledger *ledger;    /* how it was reached; NULL: nobody asked */
};
const struct finding *judgement_verdict(const struct judgement *j);
void judgement_clear(struct judgement *j);

#endif
