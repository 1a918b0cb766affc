/* conversation: the flows and name look-ups that serve one purpose of one client, in order (CONTRACT "conversation"). */
#ifndef TCPSLEUTH_DIAGNOSE_CONVERSATION_H
#define TCPSLEUTH_DIAGNOSE_CONVERSATION_H

#include "base/addr.h"
#include "diagnose/finding.h"
#include "flow/flow.h"

enum step_kind { STEP_ARP, STEP_DNS, STEP_TCP, STEP_TLS, STEP_HTTP, STEP_ICMP };
const char *step_kind_name(enum step_kind k);

struct step {
    enum step_kind kind;
    uint64_t flow;       /* id; 0: belongs to no flow */
    uint64_t packet;     /* where it begins */
    int64_t ts_ns;
    int64_t duration_ns; /* what the leg cost; TIME_NONE where not known */
    enum status status;
    char *text;          /* one line for a person; cleaned UTF-8 */
};

struct redirect {
    int status;
    char *from, *to;     /* URLs */
    uint64_t followed_by; /* flow id; 0: nothing in the capture */
};

struct conversation {
    uint64_t id;         /* 1, 2, ... in order of their first packet */
    struct addr client;
    unsigned version;    /* 4 or 6, of client */
    int64_t first_ns, last_ns;
    uint64_t packet;     /* its first packet */
    GArray *steps;       /* struct step; empty: not told (conversations_tell_healthy) */
    GArray *redirects;   /* struct redirect; NULL: none */
    GArray *flows;       /* uint64_t ids of its flows, in order */
    struct finding *verdict; /* NULL: finding_ok() */
};

void conversation_free(struct conversation *c); /* NULL-safe */
const struct finding *conversation_verdict(const struct conversation *c);

#endif
