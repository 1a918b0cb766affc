/* rules: one function a rule: from the facts of a flow to a finding, or NULL where the rule does not apply. A rule never changes a flow, keeps
 * nothing, and says "no" when the capture cannot tell. judge.c calls them all.
 */
#ifndef TCPSLEUTH_DIAGNOSE_RULES_H
#define TCPSLEUTH_DIAGNOSE_RULES_H

#include "diagnose/judge.h"

/* Silence counts only if the capture goes on for so long after the last unanswered packet, or that packet was repeated. */
#define SILENCE_NS (3 * NS_PER_S)

/* No byte of an answer for so long is a silence of the server. */
#define SILENT_NS (10 * NS_PER_S)

/* rules_connect.c: the connection does not come to be. */
struct finding *rule_unreachable(const struct flow *f, const struct judge_context *c);
struct finding *rule_syn_unanswered(const struct flow *f, const struct judge_context *c);
struct finding *rule_syn_refused(const struct flow *f, const struct judge_context *c);
struct finding *rule_port_reuse_refused(const struct flow *f, const struct judge_context *c);
struct finding *rule_accept_queue_full(const struct flow *f, const struct judge_context *c);
struct finding *rule_handshake_unfinished(const struct flow *f, const struct judge_context *c);

/* rules_end.c: it ends badly, or does not end. */
struct finding *rule_dead(const struct flow *f, const struct judge_context *c);
struct finding *rule_half_close_leak(const struct flow *f, const struct judge_context *c);

bool sent_in_vain(const struct flow *f, enum side s); /* what that side sends does not arrive any more, though the other end may still be heard */

/* rules_reset.c: who sent the RST, and what it cut off. */
struct finding *rule_reset(const struct flow *f, const struct judge_context *c);

bool reset_is_own(const struct flow *f); /* nothing says that another than its sender sent it */

/* rules_size.c: large packets do not get through. */
bool matter_of_size(const struct flow *f, enum side s); /* one of these two applies to what that side sends */
bool counted_hole(const struct flow *f); /* the server's bytes that never arrived are known from the number of a later packet without data */
struct finding *rule_pmtu_ignored(const struct flow *f, const struct judge_context *c);
struct finding *rule_pmtu_blackhole(const struct flow *f, const struct judge_context *c);

/* rules_quality.c: it works, badly. */
struct finding *rule_zero_window(const struct flow *f, const struct judge_context *c);
struct finding *rule_packet_loss(const struct flow *f, const struct judge_context *c);
struct finding *rule_reordering(const struct flow *f, const struct judge_context *c);
struct finding *rule_option_stripped(const struct flow *f, const struct judge_context *c);
struct finding *rule_ip_fragmented(const struct flow *f, const struct judge_context *c);

/* rules_app.c: what is said on top fails. */
struct finding *rule_http_to_tls(const struct flow *f, const struct judge_context *c);
struct finding *rule_tls(const struct flow *f, const struct judge_context *c);
struct finding *rule_tls_certificate(const struct flow *f, const struct judge_context *c);
struct finding *rule_http_status(const struct flow *f, const struct judge_context *c);
struct finding *rule_response_truncated(const struct flow *f, const struct judge_context *c);

/* rules_answer.c: no answer comes, or a late one. */
struct finding *rule_server_silent(const struct flow *f, const struct judge_context *c);
struct finding *rule_slow_server(const struct flow *f, const struct judge_context *c);

/* incomplete_capture: only where nothing else was found. */
struct finding *rule_incomplete(const struct flow *f, const struct judge_context *c);

/* --- rules_common.c: what several of them need --- */

/* The least by which a tunnel or link makes an MTU smaller: PPPoE. */
#define LEAST_STEP 8

/* Payload bytes of a segment that is about full: an MTU below the usual ones still carries it. */
#define FULL_SIZE 1000

#define END_TEXT_SIZE 64

/* "192.0.2.1:80", "[2001:db8::1]:80" into out; returns out. */
char *end_text(char out[END_TEXT_SIZE], const struct flow *f, enum side s);

/* "0.5 s", "20 ms", "35 s", "2 min" into out; returns out. */
char *duration_text(char out[32], int64_t ns);

/* Adds the notes of a kind on a side to the evidence; at most `most` of them, the first ones. side < 0: both. */
void add_notes(struct finding *d, const struct flow *f, int kind, int side, unsigned most);

/* The code that an ICMP error stands for; CODE_OK where it ends nothing. */
enum code icmp_code_of(unsigned version, uint8_t type, uint8_t code);

/* The finding of an ICMP error that ended the flow's attempt. */
struct finding *icmp_finding(const struct flow *f, const struct icmp_note *n);

/* The first ICMP error about packets of side `about` since then (TIME_NONE: at all) that ends an attempt; NULL: none. */
const struct icmp_note *icmp_since(const struct flow *f, enum side about, int64_t since_ns);

/* The HTTP transactions of the flow; i < flow_transactions(f). */
guint flow_transactions(const struct flow *f);
const struct http_transaction *flow_transaction(const struct flow *f, guint i);

/* What TLS said; NULL: none was spoken. */
const struct tls_facts *flow_tls(const struct flow *f);

/* "GET /index.html", "POST www.example.net/form"; `otherwise` where the request is not in the capture. To be freed. */
char *request_text(const struct http_transaction *h, bool with_host, const char *otherwise);

/* The first HTTP answer that the end of the connection cut short; NULL: none. */
const struct http_transaction *cut_answer(const struct flow *f);

/* Nothing that the client said after the handshake was ever acknowledged. */
bool data_ignored(const struct flow *f);

/* Whether both directions of the flow are in the capture. */
bool both_captured(const struct flow *f);

/* Whether the other end acknowledged bytes of side s that the capture does not hold: what s did not say may have been in them. */
bool capture_missed(const struct flow *f, enum side s);

/* The connection worked, and was then quiet for so long that something on the way may have forgotten it; the finding of that, with
 * the packet after it (0: none) and what became of it ("is answered with a RST"). */
bool idle_before(const struct flow *f, int64_t idle_ns);
struct finding *idle_finding(int64_t idle_ns, uint64_t first_after, const char *what);

/* Hops that a packet has come, from the initial TTL that it most likely had: 64, 128 or 255. */
unsigned ttl_hops(uint8_t ttl);

/* Whether packets with these TTLs may come from one host: the same TTL or the same number of hops, give or take a route change. */
bool same_distance(uint8_t a, uint8_t b);

/* Whether the first flight of an answer was lost: what arrived first of it was a repetition. */
bool flight_lost(const struct flow *f);

/* The server acknowledged what was asked and for 10 s or more, until the close, the RST or the end, sent no byte of an answer: how
 * long; -1: it is not so. */
int64_t silent_for_ns(const struct flow *f, const struct judge_context *c);

#endif
