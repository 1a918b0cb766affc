/* catalogue: one row for every verdict code of CONTRACT section 3 that a rule can give: name, layer, usual status, title, meaning, the source
 * that the rule follows, and the remedy. Adding a verdict starts with a row here.
 */
#ifndef TCPSLEUTH_DIAGNOSE_CATALOGUE_H
#define TCPSLEUTH_DIAGNOSE_CATALOGUE_H

enum layer { LAYER_NONE, LAYER_PHYSICAL, LAYER_LINK, LAYER_NETWORK, LAYER_NAME, LAYER_TRANSPORT, LAYER_TLS, LAYER_APPLICATION };
const char *layer_name(enum layer l); /* NULL for LAYER_NONE */

/* In order of rank: of two findings with the same status the one nearer to the top is nearer to the root. */
enum code {
    CODE_OK, CODE_INCOMPLETE_CAPTURE,
    CODE_NEIGHBOR_UNANSWERED,
    CODE_DNS_NXDOMAIN, CODE_DNS_SERVFAIL, CODE_DNS_REFUSED, CODE_DNS_NO_DATA, CODE_DNS_NO_ANSWER,
    CODE_NETWORK_UNREACHABLE, CODE_HOST_UNREACHABLE, CODE_ADMIN_PROHIBITED, CODE_PORT_UNREACHABLE, CODE_TTL_EXCEEDED,
    CODE_SYN_UNANSWERED, CODE_SYN_REFUSED_BY_MIDDLEBOX, CODE_PORT_REUSE_REFUSED, CODE_SYN_REFUSED, CODE_ACCEPT_QUEUE_FULL,
    CODE_HANDSHAKE_UNFINISHED,
    CODE_IDLE_EXPIRED, CODE_RESET_INJECTED, CODE_PMTU_IGNORED, CODE_PMTU_BLACKHOLE, CODE_PATH_WENT_DEAD, CODE_ZERO_WINDOW_STALL,
    CODE_RESET_BY_SERVER, CODE_RESET_BY_CLIENT,
    CODE_TLS_CERTIFICATE_EXPIRED, CODE_TLS_CERTIFICATE_NOT_YET_VALID, CODE_TLS_NAME_MISMATCH, CODE_TLS_SELF_SIGNED,
    CODE_TLS_NOT_SPOKEN, CODE_TLS_ALERT, CODE_TLS_NO_SERVER_HELLO, CODE_TLS_RESET,
    CODE_REDIRECT_LOOP, CODE_REDIRECT_BROKEN,
    CODE_RESPONSE_TRUNCATED, CODE_SERVER_SILENT, CODE_HTTP_SERVER_ERROR, CODE_HTTP_CLIENT_ERROR, CODE_SLOW_SERVER,
    CODE_OPTION_STRIPPED, CODE_PACKET_LOSS, CODE_REORDERING, CODE_IP_FRAGMENTED, CODE_HALF_CLOSE_LEAK,
    CODES
};

struct catalogue_row {
    const char *name;    /* the contract's code */
    enum layer layer;
    int status;          /* enum status it usually has */
    const char *title;   /* a few words, for tables: "no answer to SYN" */
    const char *meaning; /* a sentence: when it is given */
    const char *source;  /* RFC or document that the rule follows */
    const char *remedy;  /* one sentence: what to do next */
};

/* The row of a code. */
const struct catalogue_row *catalogue_row(enum code code);

#endif
