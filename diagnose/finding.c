#include "diagnose/finding.h"

#include "diagnose/ledger.h"

#include "diagnose/probes.h"

#include <string.h>

const char *status_name(enum status s)
{
    static const char *const names[] = { "ok", "unknown", "degraded", "broken" };
    return names[s];
}

const char *where_name(enum where w)
{
    static const char *const names[] = { NULL, "client", "server", "path", "capture" };
    return names[w];
}

const char *confidence_name(enum confidence c)
{
    static const char *const names[] = { "certain", "likely", "possible" };
    return names[c];
}

struct finding *finding_new(enum code code, enum where where, const char *format, ...)
{
    struct finding *f = g_new0(struct finding, 1);
    va_list args;

    f->code = code;
    f->status = (enum status)catalogue_row(code)->status;
    f->where = where;
    f->remedy = catalogue_row(code)->remedy;
    va_start(args, format);
    f->summary = g_strdup_vprintf(format, args);
    va_end(args);
    if (!g_utf8_validate(f->summary, -1, NULL)) { /* a precision (%.80s) cut a character in two */
        char *cut = f->summary;
        f->summary = g_utf8_make_valid(cut, -1);
        g_free(cut);
    }
    return f;
}

static void detail_clear(gpointer p)
{
    struct detail *d = p;

    g_free(d->text);
    g_free(d->addr[0]);
    g_free(d->addr[1]);
    g_strfreev(d->list);
}

void finding_free(struct finding *f)
{
    if (!f)
        return;
    g_free(f->summary);
    g_free(f->own_remedy);
    if (f->details)
        g_array_free(f->details, TRUE);
    g_free(f);
}

static void add_detail(struct finding *f, struct detail d)
{
    if (!f->details) {
        f->details = g_array_new(FALSE, FALSE, sizeof d);
        g_array_set_clear_func(f->details, detail_clear);
    }
    g_array_append_val(f->details, d);
}

static struct detail detail_copy(const struct detail *of)
{
    struct detail d = *of;

    d.text = g_strdup(d.text);
    d.list = g_strdupv(d.list);
    d.addr[0] = g_strdup(d.addr[0]);
    d.addr[1] = g_strdup(d.addr[1]);
    return d;
}

struct finding *finding_copy(const struct finding *f)
{
    struct finding *copy = g_memdup2(f, sizeof *f);

    copy->summary = g_strdup(f->summary);
    copy->own_remedy = g_strdup(f->own_remedy);
    if (f->own_remedy)
        copy->remedy = copy->own_remedy;
    copy->details = NULL;
    for (guint i = 0; f->details && i < f->details->len; i++)
        add_detail(copy, detail_copy(&g_array_index(f->details, struct detail, i)));
    return copy;
}

const struct detail *finding_detail(const struct finding *f, const char *key)
{
    for (guint i = 0; f->details && i < f->details->len; i++)
        if (g_str_equal(g_array_index(f->details, struct detail, i).key, key))
            return &g_array_index(f->details, struct detail, i);
    return NULL;
}

void finding_take_details(struct finding *f, const struct finding *from, const char *const *keys)
{
    for (; *keys; keys++) {
        const struct detail *d = finding_detail(from, *keys);
        if (d && !finding_detail(f, *keys))
            add_detail(f, detail_copy(d));
    }
}

void finding_add_evidence(struct finding *f, uint64_t packet)
{
    unsigned at = f->n_evidence;

    if (packet == 0)
        return;
    while (at > 0 && f->evidence[at - 1] >= packet) {
        if (f->evidence[at - 1] == packet)
            return;
        at--;
    }
    if (f->n_evidence == FINDING_EVIDENCE) { /* full: the last place is given up, so the first and the newest stay */
        if (at == FINDING_EVIDENCE) {
            f->evidence[at - 1] = packet;
            return;
        }
        f->n_evidence--;
    }
    memmove(f->evidence + at + 1, f->evidence + at, (f->n_evidence - at) * sizeof f->evidence[0]);
    f->evidence[at] = packet;
    f->n_evidence++;
}

void finding_detail_text(struct finding *f, const char *key, const char *text)
{
    add_detail(f, (struct detail){ .key = key, .kind = DETAIL_TEXT, .text = g_strdup(text) });
}

void finding_detail_number(struct finding *f, const char *key, int64_t number)
{
    add_detail(f, (struct detail){ .key = key, .kind = DETAIL_NUMBER, .number = number });
}

void finding_detail_seconds(struct finding *f, const char *key, int64_t ns)
{
    add_detail(f, (struct detail){ .key = key, .kind = DETAIL_SECONDS, .number = ns });
}

void finding_detail_list(struct finding *f, const char *key, const char *const *list)
{
    add_detail(f, (struct detail){ .key = key, .kind = DETAIL_LIST, .list = g_strdupv((char **)(uintptr_t)list) });
}

static char *place_text(unsigned version, const struct probe_place *p)
{
    char text[ADDR_TEXT_SIZE];

    return p->known ? g_strdup(addr_text(text, &p->addr, version)) : NULL;
}

void finding_detail_hop(struct finding *f, unsigned version, const struct probe_place *after, const struct probe_place *at)
{
    struct detail d = { .key = "hop", .kind = DETAIL_HOP, .ttl = { after->ttl, at->ttl } };

    d.addr[0] = place_text(version, after);
    d.addr[1] = place_text(version, at);
    add_detail(f, d);
}

/* Whether packets that the capture lost could make it up. */
static bool rests_on_absence(enum code code)
{
    switch (code) {
    case CODE_NEIGHBOR_UNANSWERED:
    case CODE_DNS_NO_ANSWER:
    case CODE_SYN_UNANSWERED:
    case CODE_HANDSHAKE_UNFINISHED:
    case CODE_IDLE_EXPIRED:
    case CODE_PMTU_BLACKHOLE:
    case CODE_PATH_WENT_DEAD:
    case CODE_ZERO_WINDOW_STALL:
    case CODE_TLS_NO_SERVER_HELLO:
    case CODE_RESPONSE_TRUNCATED:
    case CODE_SERVER_SILENT:
    case CODE_SLOW_SERVER:
    case CODE_PACKET_LOSS:
    case CODE_REORDERING:
    case CODE_HALF_CLOSE_LEAK: return true;
    default: return false;
    }
}

void finding_doubt(struct finding *f, uint64_t dropped)
{
    if (dropped == 0 || !rests_on_absence(f->code))
        return;
    char *sure = f->summary;
    f->summary = g_strdup_printf("%s The capture itself lost %" G_GUINT64_FORMAT
                                 " packets: what is missing here may be among them.",
                                 sure, dropped);
    g_free(sure);
    f->confidence = f->confidence == CONFIDENCE_CERTAIN ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    finding_detail_number(f, "capture_dropped", (int64_t)MIN(dropped, INT64_MAX));
}

const struct finding *finding_ok(void)
{
    static char summary[] = "Nothing wrong was seen.";
    static const struct finding ok = { .code = CODE_OK, .status = STATUS_OK, .summary = summary };
    return &ok;
}

const struct finding *judgement_verdict(const struct judgement *j)
{
    return j->verdict ? j->verdict : finding_ok();
}

void judgement_clear(struct judgement *j)
{
    finding_free(j->verdict);
    if (j->others)
        g_ptr_array_free(j->others, TRUE);
    ledger_free(j->ledger);
    *j = (struct judgement){ 0 };
}
