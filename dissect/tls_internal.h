/* tls_internal: what the files of the TLS dissector share. Nobody else includes this.
 *
 * app_tls.c judges the connection, tls_record.c walks the records, tls_hello.c reads ClientHello and ServerHello,
 * tls_fingerprint.c makes JA3 and JA4 of a ClientHello, tls_cert.c reads a certificate, tls_names.c names numbers.
 */
#ifndef TCPSLEUTH_DISSECT_TLS_INTERNAL_H
#define TCPSLEUTH_DISSECT_TLS_INTERNAL_H

#include "base/limits.h"
#include "dissect/app_tls.h"

/* RFC 8446 section 5.1 (heartbeat: RFC 6520); the last one is ours: an SSL 2.0 record in front. */
enum tls_content {
    TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT_RECORD = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION = 23, TLS_HEARTBEAT = 24,
    TLS_SSL2 = 128
};

/* RFC 8446 section 4, RFC 5246 section 7.4. */
enum tls_handshake_type {
    TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2, TLS_HELLO_RETRY_DRAFT = 6, TLS_CERTIFICATE = 11,
    TLS_SERVER_KEY_EXCHANGE = 12, TLS_CERTIFICATE_REQUEST = 13, TLS_SERVER_HELLO_DONE = 14
};

#define TLS_RECORD_HEADER 5
#define TLS_MESSAGE_HEADER 4
/* The longest record body: 2^14 and the 2048 bytes that encryption and compression may add (RFC 5246 section 6.2.3). */
#define TLS_RECORD_MAX (16384 + 2048)
/* An alert in clear is shorter, an encrypted one of TLS 1.2 and older never is. */
#define TLS_ENCRYPTED_ALERT_MIN 16

/* One direction: where its record walk stands, and what was seen of it. */
struct tls_half {
    uint8_t *message;       /* collected bytes of a handshake message that came in several pieces, or NULL */
    uint32_t message_have, message_room;
    uint32_t message_left;  /* bytes of the message that have not come yet */
    uint16_t body_len, body_left; /* of the current record, or of the last one */
    uint8_t type;           /* its content type */
    uint8_t head[TLS_RECORD_HEADER], n_head;
    uint8_t start[TLS_MESSAGE_HEADER], n_start; /* header of the current handshake message */
    uint8_t alert[2], n_alert;
    uint8_t last_alert;     /* description of the last alert in clear */
    bool in_body;           /* the current record's header is complete */
    bool body_clear;        /* its body can be read */
    bool collecting;        /* the current handshake message is one that is read */
    bool messages_lost;     /* a gap hid where handshake messages begin */
    bool lost;              /* the records are lost, or were none: nothing more is read */
    bool gapped;            /* bytes are missing */
    bool resync;            /* a gap ended outside a record: the next bytes may begin one */
    bool ended;
    bool change_cipher;     /* ChangeCipherSpec was sent */
    bool finished;          /* TLS 1.2 and older: an encrypted handshake record came behind it */
    bool flight;            /* TLS 1.3 server: sent protected records before the end of the handshake */
    bool answered;          /* TLS 1.3 client: sent protected records behind the server's flight */
    bool certified;         /* TLS 1.3 client: by their sizes, more than a Finished was in them: a certificate */
    bool finishing;         /* and the Finished is still to come */
    bool hidden;            /* sent application data records, whatever was in them */
    bool application;       /* sent application data */
    bool alert_noted;       /* the current record is in the list of alerts */
    uint8_t after;          /* TLS 1.3 server: protected records since the handshake was complete, 2 = more */
    enum app_ending how;    /* valid where ended */
    uint64_t records;
    uint64_t plain_packet;  /* what came first was no TLS: the packet; 0 = it was */
    uint64_t last_packet;   /* the last bytes: packet and time */
    int64_t last_ts_ns;
};

struct app_tls {
    struct tls_facts *facts;
    struct certs *certs;    /* shared with other connections; NULL: none */
    struct tls_half half[2];
    enum side client;       /* who plays the TLS client */
    uint8_t session_id[32], n_session_id; /* that the ClientHello offered */
    bool early_data;        /* 0-RTT data may come before the client's Finished */
    bool ssl2_hello;        /* the ClientHello had the SSL 2.0 form */
    bool ssl2;              /* SSL 2.0 was chosen: nothing behind the hellos is read */
    bool hello_done;        /* the server's ServerHelloDone, or what comes before it in a full handshake */
    bool any_fin;
    enum side first_fin;    /* who sent it; valid where any_fin */
    uint64_t hidden_alert_packet; /* the outcome is TLS_ALERT for an encrypted alert in this packet; 0 = it is not */
};

/* --- app_tls.c: what records mean --- */

/* Whether it is TLS 1.3 or one of its drafts. */
bool tls_is_13(uint16_t version);
/* A record of that side is complete (h->type, h->body_len), or, for application data, has begun. */
void tls_record_done(struct app_tls *t, const struct app_bytes *b);
void tls_application_begin(struct app_tls *t, const struct app_bytes *b);
/* An alert of that side in clear. */
void tls_clear_alert(struct app_tls *t, const struct app_bytes *b, uint8_t level, uint8_t description);
/* A handshake message: its header has come (whether the body is wanted); the body (whole, or what there is of it). */
bool tls_message_begin(struct app_tls *t, enum side from, uint8_t type, uint32_t length);
void tls_message(struct app_tls *t, const struct app_bytes *b, uint8_t type, struct slice body, bool whole);
/* What came is not a record. */
void tls_not_a_record(struct app_tls *t, const struct app_bytes *b);

/* --- tls_record.c --- */

void tls_records(struct app_tls *t, const struct app_bytes *b);
/* n bytes are missing. */
void tls_records_gap(struct app_tls *t, const struct app_bytes *where, uint64_t n);
/* Gives up a message that will never be complete: what there is of a ClientHello is still read. */
void tls_message_abandon(struct app_tls *t, enum side from);

/* --- tls_hello.c --- */

/* A ClientHello's parts, borrowed from its bytes; empty where absent. */
struct tls_client_hello {
    uint16_t version;         /* legacy_version */
    struct slice session_id, ciphers, extensions;
    struct slice groups, formats, signatures, versions, alpn, name; /* the lists inside; name: the first host_name */
    bool has_name, has_early_data;
    bool whole;               /* all of it was there and well-formed */
};

/* RFC 8701: 0x0A0A, 0x1A1A, ... 0xFAFA, sent to keep servers tolerant. */
bool tls_is_grease(uint16_t value);
/* The next extension; false at the end or where the rest is no extension (c->failed). */
bool tls_next_extension(struct cursor *c, uint16_t *type, struct slice *body);
void tls_client_hello_parse(struct tls_client_hello *hello, struct slice body);
/* Into t and its facts: b is where the message was completed. */
void tls_client_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice body, bool whole);
void tls_server_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice body, bool whole);
/* The SSL 2.0 forms, message type included. */
void tls_ssl2_client_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice message);
void tls_ssl2_server_hello_read(struct app_tls *t, const struct app_bytes *b, struct slice message);

/* --- tls_fingerprint.c --- */

/* Newly allocated. */
char *tls_ja3(const struct tls_client_hello *hello);
char *tls_ja4(const struct tls_client_hello *hello);

/* --- tls_cert.c --- */

/* Reads one certificate in DER. Never NULL: where it cannot be parsed, `unreadable` says so. */
struct tls_certificate *tls_certificate_read(struct slice der);
/* Whether one of its names is that of the host. */
bool tls_certificate_matches(const struct tls_certificate *c, const char *host);
/* Gives back one reference. */
void tls_certificate_free(struct tls_certificate *c);

#endif
