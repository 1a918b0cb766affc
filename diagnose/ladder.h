/* ladder: the rungs of `check`, from the network card to the page, and the record of one that was climbed (CONTRACT "ladder"): what host/ and
 * the probes fill, and report/ prints. The verdict of a climb is that of its first broken rung.
 */
#ifndef TCPSLEUTH_DIAGNOSE_LADDER_H
#define TCPSLEUTH_DIAGNOSE_LADDER_H

#include "diagnose/finding.h"

/* In the order of the contract: those of the client's end, then those that only a server has (`firewall` is on both). */
enum rung {
    RUNG_DEVICE, RUNG_DRIVER, RUNG_RFKILL, RUNG_WIFI, RUNG_LINK, RUNG_COUNTERS, RUNG_ADDRESS, RUNG_SELF_PING, RUNG_ROUTE_DEFAULT,
    RUNG_GATEWAY, RUNG_ROUTE_TARGET, RUNG_DNS, RUNG_PING, RUNG_PATH_MTU, RUNG_PORT, RUNG_SERVICE, RUNG_FIREWALL, RUNG_CONNECTIONS,
    RUNG_TLS, RUNG_APPLICATION,
    RUNG_LISTENING, RUNG_LOCAL_CONNECT, RUNG_PROCESS, RUNG_UNIT, RUNG_LOG,
    RUNGS
};

struct rung_row {
    const char *name;     /* the contract's step */
    enum layer layer;
    const char *question; /* what it asks */
    const char *reads;    /* what it reads or sends, and where */
    const char *why;      /* why it stands here, and what it cannot tell */
};
const struct rung_row *rung_row(enum rung rung);

/* RUNGS where there is none of that name. */
enum rung rung_find(const char *name);

enum step_status { STEP_OK, STEP_UNKNOWN, STEP_SKIPPED, STEP_DEGRADED, STEP_BROKEN };
const char *step_status_name(enum step_status s);

/* A rung that was climbed. All texts are UTF-8, may hold text from outside, and are escaped where they are printed. */
struct rung_step {
    enum rung rung;
    enum step_status status;
    char *subject;           /* what it is about: an interface, an address; NULL: none */
    char *text;              /* what was found, a line */
    char *evidence;          /* what was read, and from where; NULL: nothing was */
    char *remedy;            /* a command to type, or a sentence; NULL: nothing to do */
    GPtrArray *notes;        /* char*: more that was found, a line each; never NULL */
    struct finding *finding; /* of a rung that is degraded or broken; NULL else */
};

/* A step that is ok; text by format. Free with step_free. */
struct rung_step *step_new(enum rung rung, const char *format, ...) G_GNUC_PRINTF(2, 3);
void step_free(struct rung_step *s); /* NULL-safe */
typedef struct rung_step RungStep;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RungStep, step_free)

/* One that was left out, with the reason. */
struct rung_step *step_skip(enum rung rung, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* One more line below it. */
void step_note(struct rung_step *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
void step_evidence(struct rung_step *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
void step_subject(struct rung_step *s, const char *subject);

/* Makes it as bad as the finding, whose remedy it takes where it has none of its own; owns f. Of two the worse one stays, the
 * first of equals. */
void step_blame(struct rung_step *s, struct finding *f);

/* What to do: goes before the catalogue's. */
void step_remedy(struct rung_step *s, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What to do: its own command, else the finding's; NULL: nothing. Owned by s. */
const char *step_what_to_do(const struct rung_step *s);

/* The verdict of a climb: the finding of the first broken step, else of the first degraded one; NULL: nothing wrong. steps: struct rung_step*. */
struct finding *ladder_verdict(const GPtrArray *steps);

#endif
