/* app: what is said on top of TCP, read from the ordered bytes of both directions.
 *
 * flow/ hands each new piece of a stream exactly once, in order (app_data), says where bytes are missing for good (app_gap) and how a
 * direction ended (app_end). The application layer keeps facts, never the bytes: a dissector that needs more than one piece holds
 * a bounded buffer of its own. It never sees a flow, and it looks at no clock but the times it is handed.
 *
 * One `struct app` serves a connection. It recognises the protocol by content (app.c), then passes the bytes to one dissector; a protocol
 * that starts another one (STARTTLS, CONNECT, Upgrade) says so and the rest of the stream goes there.
 */
#ifndef TCPSLEUTH_DISSECT_APP_H
#define TCPSLEUTH_DISSECT_APP_H

#include "base/bytes.h"
#include "base/side.h"

#include <glib.h>
#include <stdbool.h>

enum app_protocol {
    APP_UNKNOWN = 0, /* nothing recognised (yet) */
    APP_HTTP, APP_TLS, APP_DNS, APP_HTTP2, APP_WEBSOCKET,
    APP_SSH, APP_SMTP, APP_FTP, APP_IMAP, APP_POP3, APP_POSTGRESQL, APP_MYSQL, APP_REDIS,
    APP_PROTOCOLS
};

/* "http", "tls", ...; NULL for APP_UNKNOWN. */
const char *app_protocol_name(enum app_protocol p);

/* A piece of one direction of a stream. */
struct app_bytes {
    enum side from;      /* who sent it */
    struct slice data;   /* borrowed for the call */
    int64_t ts_ns;       /* when the packet that completed it was captured */
    uint64_t packet;     /* that packet's number */
};

/* How a direction ended. */
enum app_ending { APP_END_FIN, APP_END_RST, APP_END_CAPTURE };

#define HTTP_ROOM 104 /* most transactions' texts fit */

/* One HTTP transaction: CONTRACT "app.http". Strings are UTF-8, owned, NULL where unknown; short ones stand in `room`. */
struct http_transaction {
    char *method, *host, *target, *version, *reason, *location;
    int status;                         /* 0 = no answer seen; of an interim answer (1xx) until the final one begins */
    uint64_t request_packet, response_packet; /* first packet of each; 0 = not seen */
    int64_t request_ts_ns, response_ts_ns;    /* of those packets; TIME_NONE */
    int64_t request_end_ts_ns;          /* when the request was complete; TIME_NONE */
    int64_t response_end_ts_ns;         /* when the answer was complete or ended; TIME_NONE */
    uint64_t request_bytes, response_bytes;   /* of the bodies, as they travelled (chunk framing not counted) */
    uint64_t announced_bytes;           /* Content-Length of the answer; UINT64_MAX where it announces none */
    bool request_complete, complete;    /* the request / the answer came to its proper end */
    bool truncated;                     /* the connection ended in the answer's header, before the announced length or the last chunk */
    bool tunnel;                        /* CONNECT or Upgrade accepted: what follows is another protocol */
    bool lossy;                         /* bytes of it are missing from the capture: what is not known of it may have been there */
    uint8_t room_used;
    char room[HTTP_ROOM];
};

/* The transactions of a connection in order of request. Most connections have one: it takes no memory of its own. */
struct http_list {
    guint len, room;                    /* how many; places in `more` */
    struct http_transaction **more;     /* the second and those behind it */
    struct http_transaction first;
};

/* i < l->len. */
static inline struct http_transaction *http_at(const struct http_list *l, guint i)
{
    return i ? l->more[i - 1] : (struct http_transaction *)(uintptr_t)&l->first;
}

/* An empty one; a new transaction at its end, everything in it unknown. It stays where it is. Free all with http_list_free (NULL-safe). */
struct http_list *http_list_new(void);
struct http_transaction *http_list_add(struct http_list *l);
void http_list_free(struct http_list *l);

/* Makes t unknown again. */
void http_transaction_reset(struct http_transaction *t);

/* Replaces a text of t, one of its first six members, by a copy of n bytes that are UTF-8 without NUL. */
void http_transaction_text(struct http_transaction *t, char **field, const char *text, size_t n);

enum tls_outcome {
    TLS_INCOMPLETE = 0, TLS_COMPLETE, TLS_ALERT, TLS_RESET, TLS_NO_SERVER_HELLO, TLS_CLOSED, TLS_NOT_TLS
};
/* "incomplete", "complete", ... as in the contract. */
const char *tls_outcome_name(enum tls_outcome o);

struct tls_alert {
    enum side from;
    bool fatal;
    bool encrypted;       /* seen by type and place only: level and description are not known */
    uint8_t description;  /* RFC 8446 section 6, where !encrypted */
    uint64_t packet;
    int64_t ts_ns;
};
/* "handshake_failure", ... (RFC 8446 names); "alert_NNN" in out for a number without a name. */
const char *tls_alert_name(uint8_t description, char out[16]);

/* The server's leaf certificate where it travelled in clear (TLS 1.2 and older). */
struct tls_certificate {
    char *subject, *issuer;         /* RFC 4514 strings */
    int64_t not_before_s, not_after_s; /* seconds since 1970 */
    char **names;                   /* subjectAltName DNS names and IP addresses (else the CN); NULL-terminated */
    bool names_cut;                 /* there were more than LIMIT_TLS_NAMES names */
    bool self_signed;               /* issuer equals subject and its own key verifies the signature */
    bool unreadable;                /* it was there and could not be parsed; the rest is empty */
    unsigned references;            /* beyond the first: connections share what was read of one certificate (certs.h) */
};

#define TLS_ALERTS_KEPT 8
#define TLS_VERSIONS_KEPT 8

struct tls_facts {
    enum tls_outcome outcome;
    uint16_t version;                 /* negotiated, 0x0303 = TLS 1.2 (a retry says it too); 0 = no (whole) ServerHello */
    uint16_t client_versions[TLS_VERSIONS_KEPT]; /* offered, GREASE left out, highest first */
    unsigned n_client_versions;
    uint16_t cipher;                  /* chosen; valid where version is neither 0 nor SSL 2.0 */
    char *sni, *alpn;                 /* alpn: chosen, NULL where hidden or none */
    char *ja3, *ja4;                  /* ja3: MD5 in hex */
    bool resumed, hello_retry, client_hello, server_hello;
    bool certificate_requested;       /* CertificateRequest seen in clear */
    bool client_data;                 /* the client sent application data */
    bool application_data;            /* some application data followed from the server (TLS 1.3, where tickets look like data: a
                                       * record of it behind data of the client) */
    struct tls_certificate *certificate; /* NULL: not visible */
    bool certificate_matches;         /* one of its names is the SNI (RFC 6125); true where none was sent */
    struct tls_alert alerts[TLS_ALERTS_KEPT];
    unsigned n_alerts;
    uint64_t client_hello_packet, server_hello_packet, certificate_packet, finished_packet, not_tls_packet;
    int64_t client_hello_ts_ns, server_hello_ts_ns, finished_ts_ns; /* TIME_NONE */
    uint64_t client_hello_bytes;      /* size of the ClientHello message */
    unsigned remarks;                 /* alerts that end it, answers that are not TLS, certificates with a fault */
};
/* "TLS1.2", "SSL3.0", ...; "0xNNNN" in out for others. */
const char *tls_version_name(uint16_t version, char out[16]);
/* The IANA name of a cipher suite, or "0xNNNN" in out. */
const char *tls_cipher_name(uint16_t cipher, char out[16]);

/* One message of DNS over TCP. */
struct dns_message;
struct dns_said {
    enum side from;
    int64_t ts_ns;               /* of the packet that completed it */
    uint64_t packet;
    struct dns_message *message; /* dns.h; owned */
};

/* All that is known of the application layer of one connection. Owned by the struct app. */
struct app_facts {
    enum app_protocol protocol;  /* the protocol nearest to TCP */
    enum app_protocol inner;     /* what runs inside it behind CONNECT, Upgrade or STARTTLS; APP_UNKNOWN where nothing, or not known */
    char *greeting;              /* the server's first line (SSH, SMTP, ...), UTF-8, bounded; or NULL */
    struct http_list *http;      /* NULL where none */
    uint64_t http_dropped;       /* transactions beyond LIMIT_HTTP_TRANSACTIONS, counted only */
    struct tls_facts *tls;       /* NULL where there is no TLS */
    struct tls_alert http_alert; /* the alert with which a TLS server answered HTTP without TLS; packet 0: none */
    GArray *dns;                 /* struct dns_said, in order; NULL: none */
    unsigned remarks;            /* how often something was said that may be evidence: an error status, and tls_facts.remarks */
    bool redirects;              /* an answer sends the client elsewhere: a 3xx with Location */
    bool closing_only[2];        /* the last bytes of that side are a TLS closing alert (in clear or by its size): nothing of value was in them */
};

struct app;
struct certs;

/* A new one for a connection to server_port (a weak hint, never a decision). Free with app_free (NULL-safe). */
struct app *app_new(uint16_t server_port);
void app_free(struct app *a);

/* Certificates that a reads are shared with others through c (certs.h), which must outlive it. Without it, each reads its own. */
void app_share(struct app *a, struct certs *c);

/* Bytes for it come soon: two steps fetch what they will need into the cache, without waiting where the one before was made some time ago.
 * a may be NULL in the first. Only speed depends on them. */
void app_expect(const struct app *a);
void app_warm(const struct app *a);

/* The next bytes of a direction. */
void app_data(struct app *a, const struct app_bytes *bytes);

/* n bytes of a direction are missing for good; what follows continues behind them. */
void app_gap(struct app *a, enum side from, uint64_t n, int64_t ts_ns, uint64_t packet);

/* A direction ended at ts_ns. */
void app_end(struct app *a, enum side from, enum app_ending how, int64_t ts_ns);

/* Whether the bytes of that direction are still of use; where not, flow/ keeps no out-of-order bytes for it. It can turn from false to
 * true: what the other direction says may name the protocol of both. Bytes handed in all the same do no harm. */
bool app_wants(const struct app *a, enum side from);

/* What is known so far. */
const struct app_facts *app_facts(const struct app *a);

/* What app_finish would hand out if both directions ended now, and nothing ends by it. */
struct app_preview {
    struct app_facts facts;
    struct tls_facts tls;
    struct http_transaction cut; /* the answer that would be cut, as it would be then */
    struct http_list http;       /* with it, where one is cut */
};

/* how: by enum side. Returns &p->facts, or NULL where nothing was recognised so far. What it points to is a's: valid until a is handed
 * more. End it with app_preview_end in any case. */
const struct app_facts *app_preview(const struct app *a, const enum app_ending how[2], struct app_preview *p);
void app_preview_end(struct app_preview *p);

/* Hands the facts out and frees the rest of a; NULL where nothing was recognised. Free with app_facts_free (NULL-safe). */
struct app_facts *app_finish(struct app *a);
void app_facts_free(struct app_facts *f);

#endif
