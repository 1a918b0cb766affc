/* names: look-ups put into groups, each for one name that a client wanted: its families (A, AAAA, HTTPS), the forms of
 * its search list, the resolvers that were asked in turn. A group answers two questions: which name led to this
 * connection, and did the name fail.
 */
#ifndef TCPSLEUTH_DIAGNOSE_NAMES_H
#define TCPSLEUTH_DIAGNOSE_NAMES_H

#include "diagnose/leg.h"

/* A connection begins within so long after the answer, or the answer is not what it began with: it came from a cache.
 */
#define LEAD_NS (30 * NS_PER_S)

/* Look-ups of one group. */
#define QUESTIONS_MOST 32

/* How one look-up ended. In order: of several the largest is told. */
enum name_outcome {
    NAME_IGNORED, /* no question for an address, or the capture cannot tell */
    NAME_GIVEN,   /* it gave an address */
    NAME_NXDOMAIN,
    NAME_NO_DATA,
    NAME_NO_ANSWER,
    NAME_REFUSED,
    NAME_SERVFAIL
};

struct question {
    char *name, *type;
    uint16_t type_number;
    enum name_outcome outcome;
    struct addr server;
    uint8_t version;
    uint64_t query_packet, last_query_packet, response_packet, icmp_packet;
    int64_t query_ns, last_ns; /* last_ns: of its last query or its answer */
    int64_t last_query_ns;
    unsigned retries;
    uint16_t id, client_port;
    struct addr elsewhere;     /* where an answer came from that bears its id and port, and that its asker did not take */
    uint64_t elsewhere_packet; /* 0: none */
    uint8_t icmp_type, icmp_code;
    struct addr icmp_from;
    struct step step;
};

struct given;

struct name_group {
    struct addr client;
    uint8_t version;
    bool given; /* a question of it gave an address */
    bool spent; /* the conversation that it led to has been handed out */
    unsigned refs;
    GArray *questions;         /* struct question, in order of arrival */
    int64_t first_ns, last_ns; /* of the first query; of the last query or answer */
    struct given *entries;     /* names.c: where it is found */
    struct chain *chain;       /* that it led to; NULL: none, or spent */
    struct leg *user;          /* the connection that uses it; valid while chain is set */
    struct attempt use;        /* of that, also when spent */
    struct hop *via;           /* the redirect whose target it failed to find; NULL: none */
    struct name_group *next;   /* of the chain's groups */
};

struct names;

struct names *names_new(void);
void names_free(struct names *n); /* NULL-safe */

/* Takes a look-up up. Returns its group where that is a new one, else NULL. */
struct name_group *names_lookup(struct names *n, const struct lookup *l);

/* Forgets a group: it is not found any more, and freed unless somebody holds it. */
void names_forget(struct names *n, struct name_group *g);

/* The group whose answer this connection began with, best fit first: its own name, a group that is not used yet, the
 * newest. NULL: none. */
struct name_group *names_behind(const struct names *n, const struct leg *l);

/* The newest group of this client for this name with a query at most LEAD_NS before ts_ns; NULL: none. */
struct name_group *names_find(const struct names *n, const struct addr *client, const char *name, int64_t ts_ns);

/* Whether the client was told, before ts_ns, that the name has that address. */
bool names_gave(const struct names *n, const struct addr *client, const char *name, const struct addr *address,
                int64_t ts_ns);

/* Whether the client is a name server itself: what it asks, it asks for others. */
bool names_asks_for_others(const struct names *n, const struct addr *client);

/* Whether the capture seems to hold queries only: several clients asked, and not a single answer is in it. */
bool names_sees_no_answers(const struct names *n);

/* --- name_group.c --- */

struct name_group *name_group_new(const struct lookup *l);
void name_group_add(struct name_group *g, const struct lookup *l);

/* Whether the look-up is only an answer from another address than the one that a question of the group was sent to, and its asker asked
 * again after it: a resolver takes no such answer (RFC 5452 section 9.1). The question remembers it. */
bool name_group_refused(struct name_group *g, const struct lookup *l);

/* Whether a look-up goes on with what the group is for. */
bool name_group_takes(const struct name_group *g, const struct lookup *l);

/* Whether a group is for that name: the name itself, or with a suffix of the search list. */
bool name_group_is(const struct name_group *g, const char *name);

struct name_group *name_group_hold(struct name_group *g);
void name_group_release(struct name_group *g); /* NULL-safe */

/* When a look-up was asked; where its query is not in the capture, when it was answered. */
int64_t lookup_start_ns(const struct lookup *l);

/* --- rules_name.c --- */

/* What counts as silence. */
struct silence {
    int64_t now_ns; /* it lasts until then */
    bool blind;     /* names_sees_no_answers: only a query that was repeated stayed without answer for sure */
};

/* Why the name failed; NULL where it did not, or the capture cannot tell. */
struct finding *rule_name(const struct name_group *g, const struct silence *s);

#endif
