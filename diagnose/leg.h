/* leg: what conversations keep of a flow that is over: whom it served, what it said, how it fared, and its steps, told
 * once. */
#ifndef TCPSLEUTH_DIAGNOSE_LEG_H
#define TCPSLEUTH_DIAGNOSE_LEG_H

#include "diagnose/conversation.h"
#include "diagnose/judge.h"
#include "diagnose/url.h"
#include "flow/lookup.h"

/* Redirects and requests kept of one flow, and transactions that are told as steps of their own. */
#define LEG_REDIRECTS 64
#define LEG_REQUESTS 64
#define LEG_TOLD 50

#define METHOD_SIZE 12 /* longer ones are cut */

struct leg;
struct chain;

/* A redirect that a request was answered with. */
struct hop {
    struct leg *leg; /* where */
    int status;
    char method[METHOD_SIZE],
        next_method[METHOD_SIZE]; /* of the request, and with which it is to be followed (RFC 9110 section 15.4) */
    char *from;
    uint64_t from_hash;
    struct url to;
    uint64_t response_packet;
    int64_t ts_ns;              /* of the answer */
    uint64_t followed_by;       /* flow; 0: nothing so far */
    struct leg *follower;       /* the leg of that; NULL: none, or this one */
    enum confidence confidence; /* that it is that one */
    bool resolved;              /* its target was asked for and answered by something other than a redirect */
};

/* A request of a leg. */
struct request {
    uint64_t url_hash;
    int64_t ts_ns;
    bool resolved; /* answered, and not by a redirect */
};

/* How far a connection came; of two that were tried for one purpose the larger was used. */
enum reach { REACH_FAILED, REACH_OPEN, REACH_USED };

/* Who a connection was made to, and how far it came. */
struct attempt {
    struct addr server;
    uint16_t port;
    uint8_t version;
    uint8_t reach; /* enum reach */
    int64_t start_ns, last_ns;
};

struct leg {
    uint64_t flow, packet; /* its id; its first packet */
    struct addr client;
    struct attempt to;
    uint16_t port;      /* that the client means: of the CONNECT request where there is one, else to.port */
    bool web;           /* speaks HTTP or TLS */
    bool secure;        /* TLS: what is asked cannot be read */
    bool proxied;       /* requests in absolute-form, or CONNECT: the name is not that of `server` */
    bool linked, loser; /* loser: another address was tried for the same purpose, and used */
    char *name;         /* that the client means: SNI or Host, lower case; NULL: not known */
    int64_t client_fin_ns, server_data_ns; /* TIME_NONE: none */
    GArray *steps;                         /* struct step, in order of time */
    GArray *hops;                          /* struct hop, in order; NULL: none */
    GArray *requests;                      /* struct request, in order; NULL: none */
    struct finding *verdict;               /* NULL: finding_ok() */
    struct hop *via;                       /* the redirect that it follows; NULL: none */
    struct chain *chain;                   /* chain.h */
    struct leg *next;                      /* of the chain */
};

/* tell: with its steps; else they stay empty. links: with what may link it to others: names, requests, redirects. */
struct leg *leg_new(const struct flow *f, const struct judgement *j, bool tell, bool links);
void leg_free(struct leg *l); /* NULL-safe */

/* About how many bytes it holds. */
size_t leg_bytes(const struct leg *l);

/* --- steps.c: what is told of it --- */

/* The first packet of a flow, of whichever side. */
uint64_t leg_first_packet(const struct flow *f);

/* All steps of a flow. */
GArray *steps_of_flow(const struct flow *f, const struct finding *verdict);

/* The step of a look-up; status is STATUS_OK. *out is overwritten; text is the caller's. */
void step_of_lookup(struct step *out, const struct lookup *l);

/* Adds what is only known once the flow has a place: `text` behind the first step of that kind. */
void steps_add_words(GArray *steps, enum step_kind kind, const char *text);

/* "http://www.upc.edu/" of a transaction into out; its length; 0: it has no URL. */
size_t transaction_url(char out[URL_ROOM], const struct flow *f, const struct http_transaction *h);

#endif
