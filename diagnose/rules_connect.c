#include "diagnose/rules.h"

struct finding *rule_unreachable(const struct flow *f, const struct judge_context *c)
{
    (void)c;
    if (flow_handshake(f) != HANDSHAKE_UNREACHABLE)
        return NULL;
    const struct icmp_note *n = icmp_since(f, CLIENT, TIME_NONE);
    if (!n)
        return NULL;
    struct finding *d = icmp_finding(f, n);
    finding_add_evidence(d, f->first_syn_packet);
    finding_add_evidence(d, f->syn_packet);
    return d;
}

struct finding *rule_syn_unanswered(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE], waited[32];
    enum handshake_outcome o = flow_handshake(f);

    if (o != HANDSHAKE_NO_ANSWER && !(o == HANDSHAKE_UNREACHABLE && !icmp_since(f, CLIENT, TIME_NONE)))
        return NULL;
    if (f->half[SERVER].packets || (f->reset.packet && f->syns < 2))
        return NULL; /* a SYN and its own RST: a scanner that lost interest */
    if (f->syns < 2 && c->now_ns - f->syn_ns < SILENCE_NS)
        return NULL;

    int64_t silence_ns = MAX(c->now_ns - f->first_ns, 0);
    struct finding *d;
    if (f->syns > 1)
        d = finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                        "%u SYNs to %s within %s got no answer: neither SYN-ACK nor RST nor ICMP.", f->syns,
                        end_text(server, f, SERVER), duration_text(waited, f->last_ns - f->first_ns));
    else
        d = finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                        "One SYN to %s got no answer in the %s that the capture goes on.", end_text(server, f, SERVER),
                        duration_text(waited, silence_ns));
    d->confidence = f->syns > 1 ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    finding_add_evidence(d, f->first_syn_packet);
    add_notes(d, f, NOTE_SYN, CLIENT, FINDING_EVIDENCE - 2);
    finding_add_evidence(d, f->syn_packet);
    finding_detail_number(d, "syns", f->syns);
    return d;
}

struct finding *rule_syn_refused(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE];

    (void)c;
    if (flow_handshake(f) != HANDSHAKE_REFUSED)
        return NULL;
    struct finding *d = finding_new(CODE_SYN_REFUSED, WHERE_SERVER,
                                    "%s answers the SYN with RST: nothing listens there, or a filter rejects.",
                                    end_text(server, f, SERVER));
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, f->first_syn_packet);
    finding_add_evidence(d, f->syn_packet);
    finding_add_evidence(d, f->reset.packet);
    finding_detail_number(d, "rst_ttl", f->reset.ttl);
    return d;
}

struct finding *rule_handshake_unfinished(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE];

    (void)c;
    if (flow_handshake(f) != HANDSHAKE_UNFINISHED || f->synacks < 2)
        return NULL;
    struct finding *d = finding_new(CODE_HANDSHAKE_UNFINISHED, WHERE_PATH,
                                    "%s sends its SYN-ACK %u times; the client's ACK of it is not in the capture.",
                                    end_text(server, f, SERVER), f->synacks);
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, f->syn_packet);
    finding_add_evidence(d, f->synack_packet);
    add_notes(d, f, NOTE_SYNACK, SERVER, FINDING_EVIDENCE - 3);
    finding_detail_number(d, "synacks", f->synacks);
    return d;
}
