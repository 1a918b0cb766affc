#include "compare/documents.h"

#include "base/text.h"
#include "compare/join.h"
#include "diagnose/judge.h"

#include <jansson.h>
#include <string.h>

G_DEFINE_QUARK(documents - error - quark, documents_error)

/* What of a flow is compared: members, and members of members. */
static const char *const compared[] = {
    "ip",
    "client.addr",
    "client.port",
    "server.addr",
    "server.port",
    "packets.client",
    "packets.server",
    "bytes.client",
    "bytes.server",
    "handshake.outcome",
    "handshake.syn",
    "handshake.synack",
    "handshake.client.mss",
    "handshake.client.wscale",
    "handshake.client.sack",
    "handshake.client.timestamps",
    "handshake.client.ecn",
    "handshake.server.mss",
    "handshake.server.wscale",
    "handshake.server.sack",
    "handshake.server.timestamps",
    "handshake.server.ecn",
    "teardown.outcome",
    "teardown.closed_first",
    "teardown.reset_by",
    "anomalies.client.retransmissions",
    "anomalies.client.out_of_order",
    "anomalies.client.lost_segments",
    "anomalies.client.zero_windows",
    "anomalies.server.retransmissions",
    "anomalies.server.out_of_order",
    "anomalies.server.lost_segments",
    "anomalies.server.zero_windows",
    "app.protocol",
    "verdict.code",
};

/* --- reading members --- */

/* The member of that path; NULL: there is none. */
static json_t *member(json_t *of, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);

    for (guint i = 0; names[i] && of; i++)
        of = json_object_get(of, names[i]);
    return of;
}

static const char *text_of(json_t *flow, const char *path)
{
    const char *text = json_string_value(member(flow, path));

    return text ? text : "";
}

static uint64_t number_of(json_t *flow, const char *path)
{
    json_int_t n = json_integer_value(member(flow, path));

    return n > 0 ? (uint64_t)n : 0;
}

/* DEL, which jansson leaves as it is, is the one control character that ASCII has besides; it stands in strings only.
 */
static char *json_text(json_t *value)
{
    char *raw = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    g_auto(GStrv) parts = g_strsplit(raw ? raw : "null", "\x7f", -1);

    free(raw);
    return g_strjoinv("\\u007f", parts);
}

static char *ends_of(json_t *flow)
{
    const char *client = text_of(flow, "client.addr"), *server = text_of(flow, "server.addr");

    return g_strdup_printf(strchr(client, ':') ? "[%.60s]:%u > [%.60s]:%u" : "%.60s:%u > %.60s:%u", client,
                           (unsigned)(number_of(flow, "client.port") & 0xffff), server,
                           (unsigned)(number_of(flow, "server.port") & 0xffff));
}

/* --- which flow is which --- */

/* What proves that two flows are one: the same addresses and ports; or the ports and the bytes, where a NAT changes
 * addresses. */
#define ENOUGH 20

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = mark_mix(hash, (unsigned char)*text);
    return mark_mix(hash, 0);
}

static void put(GArray *marks, guint owner, unsigned kind, uint8_t weight, uint64_t value)
{
    struct mark m = { mark_mix(value, kind + 1), owner, CLIENT, weight, (uint8_t)kind };

    g_array_append_val(marks, m);
}

/* What the client asked for first: a server name of TLS, or the host and target of a request; "" where the document
 * does not know. */
static char *request_of(json_t *flow)
{
    json_t *first = json_array_get(member(flow, "app.http"), 0);

    return g_strconcat(text_of(flow, "app.tls.sni"), text_of(first, "host"), text_of(first, "target"), NULL);
}

static void marks_of(GArray *marks, json_t *flow, guint owner)
{
    uint64_t ports = mark_mix(mark_mix(0, number_of(flow, "client.port")), number_of(flow, "server.port"));
    uint64_t bytes = mark_mix(mark_mix(0, number_of(flow, "bytes.client")), number_of(flow, "bytes.server"));
    g_autofree char *request = request_of(flow);

    put(marks, owner, 0, 20, mix_text(mix_text(ports, text_of(flow, "client.addr")), text_of(flow, "server.addr")));
    put(marks, owner, 1, 10, ports);
    if (number_of(flow, "bytes.client") && number_of(flow, "bytes.server"))
        put(marks, owner, 2, 10, bytes);
    if (*request)
        put(marks, owner, 3, 10, mix_text(0, request));
}

/* --- differences --- */

static void add_difference(GArray *to, const char *what, json_t *a, json_t *b)
{
    struct difference d = { .what = g_strdup(what) };

    if (a == b || (a && b && json_equal(a, b)) || ((!a || json_is_null(a)) && (!b || json_is_null(b)))) {
        g_free(d.what);
        return;
    }
    d.value[0] = json_text(a);
    d.value[1] = json_text(b);
    g_array_append_val(to, d);
}

static void clear_difference(gpointer user)
{
    struct difference *d = user;

    g_free(d->what);
    g_free(d->value[0]);
    g_free(d->value[1]);
}

static GArray *differences_new(void)
{
    GArray *d = g_array_new(FALSE, FALSE, sizeof(struct difference));

    g_array_set_clear_func(d, clear_difference);
    return d;
}

static json_t *step_of(json_t *ladder, const char *name)
{
    size_t i;
    json_t *step;

    json_array_foreach(ladder, i, step) if (g_str_equal(text_of(step, "step"), name)) return step;
    return NULL;
}

/* A ladder has a few dozen steps. */
#define STEPS 64

static GArray *compare_ladders(json_t *a, json_t *b)
{
    GArray *differences = differences_new();

    for (size_t i = 0; i < MIN(json_array_size(a), STEPS) && json_array_size(b) <= STEPS; i++) {
        const char *name = text_of(json_array_get(a, i), "step");
        json_t *other = step_of(b, name);
        if (other)
            add_difference(differences, name, member(json_array_get(a, i), "status"), member(other, "status"));
    }
    return differences;
}

/* --- what it tells --- */

static enum status status_of(json_t *flow)
{
    const char *name = text_of(flow, "verdict.status");

    for (int s = STATUS_BROKEN; s > STATUS_OK; s--)
        if (g_str_equal(name, status_name((enum status)s)))
            return (enum status)s;
    return STATUS_OK;
}

static enum code code_of(json_t *flow)
{
    const char *name = text_of(flow, "verdict.code");

    for (int c = CODE_OK; c < CODES; c++)
        if (g_str_equal(name, catalogue_row((enum code)c)->name))
            return (enum code)c;
    return CODE_INCOMPLETE_CAPTURE;
}

static struct finding *with_direction(struct finding *f, const char *direction)
{
    f->confidence = CONFIDENCE_LIKELY;
    finding_detail_text(f, "direction", direction);
    return f;
}

/* Each end was reset by the other one, as it sees it: then somebody else did it. */
static bool both_were_reset(json_t *client, json_t *server)
{
    return g_str_equal(text_of(client, "teardown.reset_by"), "server") &&
           g_str_equal(text_of(server, "teardown.reset_by"), "client");
}

/* What one view says by itself, and where the other one has its word. */
static struct finding *worse_of(json_t *client, json_t *server)
{
    json_t *worse = status_of(server) > status_of(client) ? server : client;
    const char *summary = text_of(worse, "verdict.summary");
    g_autofree char *clean = text_dup_utf8(slice_of(summary, strlen(summary)), 300);
    struct finding *f =
        finding_new(code_of(worse), WHERE_NONE, "%s", *clean ? clean : "This document tells nothing of it.");

    f->status = f->code == CODE_OK ? STATUS_OK : f->code == CODE_INCOMPLETE_CAPTURE ? STATUS_UNKNOWN : status_of(worse);
    if (f->status == STATUS_OK && f->code != CODE_OK)
        f->status = STATUS_UNKNOWN;
    f->confidence = CONFIDENCE_LIKELY;
    return f;
}

static struct finding *judge(json_t *client, json_t *server)
{
    const char *outcome = text_of(client, "handshake.outcome"), *there = text_of(server, "handshake.outcome");
    uint64_t sent_up = number_of(client, "bytes.client"), come_up = number_of(server, "bytes.client");
    uint64_t sent_down = number_of(server, "bytes.server"), come_down = number_of(client, "bytes.server");

    if (both_were_reset(client, server))
        return with_direction(
            finding_new(CODE_RESET_INJECTED, WHERE_PATH,
                        "Each end was reset by the other one, as it sees it: something between them forged both RSTs."),
            "both");
    if (g_str_equal(outcome, "no_answer") && g_str_equal(there, "unfinished"))
        return with_direction(finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                                          "The SYN reached the server, which answered; no answer reached the client."),
                              "to_client");
    if (g_str_equal(outcome, "no_answer") && g_str_equal(there, "no_answer"))
        return with_direction(
            finding_new(CODE_SYN_UNANSWERED, WHERE_SERVER, "The SYN reached the server, which sent no answer."),
            "to_server");
    if (g_str_equal(text_of(client, "verdict.code"), "path_went_dead") && sent_up > come_up)
        return with_direction(finding_new(CODE_PATH_WENT_DEAD, WHERE_PATH,
                                          "%" G_GUINT64_FORMAT " bytes that the client sent did not reach the server.",
                                          sent_up - come_up),
                              "to_server");
    if (g_str_equal(text_of(server, "verdict.code"), "path_went_dead") && sent_down > come_down)
        return with_direction(finding_new(CODE_PATH_WENT_DEAD, WHERE_PATH,
                                          "%" G_GUINT64_FORMAT " bytes that the server sent did not reach the client.",
                                          sent_down - come_down),
                              "to_client");
    return worse_of(client, server);
}

/* The ladder of a service looks at its host, and captures nothing: that a connection is not in it says nothing. */
static bool sees_no_packets(json_t *root)
{
    return json_array_size(member(root, "ladder")) > 0 && json_array_size(member(root, "flows")) == 0;
}

/* other: the document that has nothing of the flow. */
static struct finding *judge_lone(json_t *flow, unsigned file, json_t *other)
{
    if (file != 0 || sees_no_packets(other) || !g_str_equal(text_of(flow, "handshake.outcome"), "no_answer"))
        return NULL;
    struct finding *f = with_direction(
        finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                    "The SYN left the client, and the server's document has nothing of it (if it is of the "
                    "same time, and was to see it)."),
        "to_server");
    f->confidence = CONFIDENCE_POSSIBLE;
    return f;
}

/* --- the whole --- */

static void free_pair(gpointer user)
{
    struct document_pair *p = user;

    g_free(p->ends[0]);
    g_free(p->ends[1]);
    g_array_free(p->differences, TRUE);
    finding_free(p->verdict);
    g_free(p);
}

static void clear_lone(gpointer user)
{
    struct document_lone *l = user;

    g_free(l->ends);
    finding_free(l->finding);
}

static void add_pair(struct documents *d, json_t *a, json_t *b)
{
    struct document_pair *p = g_new0(struct document_pair, 1);
    json_t *flow[2] = { a, b };

    for (int i = 0; i < 2; i++) {
        p->flow[i] = number_of(flow[i], "id");
        p->ends[i] = ends_of(flow[i]);
    }
    p->differences = differences_new();
    for (size_t i = 0; i < G_N_ELEMENTS(compared); i++)
        add_difference(p->differences, compared[i], member(a, compared[i]), member(b, compared[i]));
    p->verdict = judge(a, b);
    g_ptr_array_add(d->pairs, p);
}

static void consider(struct documents *d, const struct finding *f)
{
    if (f && (!d->verdict || finding_compare(f, d->verdict) < 0)) {
        finding_free(d->verdict);
        d->verdict = finding_copy(f);
    }
}

static void add_lone(struct documents *d, json_t *flow, unsigned file, json_t *other)
{
    struct document_lone l = { file, number_of(flow, "id"), ends_of(flow), judge_lone(flow, file, other) };

    consider(d, l.finding);
    g_array_append_val(d->lone, l);
}

static void pair_flows(struct documents *d, json_t *const root[2])
{
    json_t *const flows[2] = { member(root[0], "flows"), member(root[1], "flows") };
    g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(struct mark)),
                      second = g_array_new(FALSE, FALSE, sizeof(struct mark));
    GArray *marks[2] = { first, second };
    g_autofree bool *taken_first = g_new0(bool, json_array_size(flows[0]) + 1);
    g_autofree bool *taken_second = g_new0(bool, json_array_size(flows[1]) + 1);
    bool *taken[2] = { taken_first, taken_second };

    for (int i = 0; i < 2; i++)
        for (size_t n = 0; n < json_array_size(flows[i]); n++)
            marks_of(marks[i], json_array_get(flows[i], n), (guint)n);
    g_autoptr(GArray) partners = join_marks(marks[0], marks[1], ENOUGH);
    for (guint i = 0; i < partners->len; i++) {
        const struct partner *p = &g_array_index(partners, struct partner, i);
        taken[0][p->a] = taken[1][p->b] = true;
        add_pair(d, json_array_get(flows[0], p->a), json_array_get(flows[1], p->b));
    }
    for (unsigned i = 0; i < 2; i++)
        for (size_t n = 0; n < json_array_size(flows[i]); n++)
            if (!taken[i][n])
                add_lone(d, json_array_get(flows[i], n), i, root[!i]);
}

static bool is_a_sound_ladder(json_t *root)
{
    return json_array_size(member(root, "ladder")) > 0 &&
           g_str_equal(text_of(root, "verdict.status"), status_name(STATUS_OK));
}

/* What the ladder of an end says, where it was climbed: the nearest to the root of all. What does not get through
 * between two ends that are both in order is lost between them. */
static void consider_ladder(struct documents *d, json_t *root, enum side end, json_t *other)
{
    if (json_array_size(member(root, "ladder")) == 0 || status_of(root) <= STATUS_UNKNOWN)
        return;
    struct finding *f = worse_of(root, root);
    char *sentence = f->summary;

    bool sound = is_a_sound_ladder(other), between = sound && f->code == CODE_SYN_UNANSWERED;
    f->summary = g_strdup_printf("At the %s: %s%s%s", side_name(end), sentence,
                                 sound ? " The other end's ladder finds nothing wrong there" : "",
                                 between ? ": look between them."
                                 : sound ? "."
                                         : "");
    f->where = between ? WHERE_PATH : end == CLIENT ? WHERE_CLIENT : WHERE_SERVER;
    g_free(sentence);
    consider(d, f);
    finding_free(f);
}

/* well: both ends found nothing wrong by themselves. */
static void settle_verdict(struct documents *d, bool well)
{
    for (guint i = 0; i < d->pairs->len; i++) {
        const struct finding *f = ((const struct document_pair *)g_ptr_array_index(d->pairs, i))->verdict;
        well |= f->status == STATUS_OK;
        if (f->status > STATUS_UNKNOWN)
            consider(d, f);
    }
    if (!d->verdict && well)
        d->verdict = finding_new(CODE_OK, WHERE_NONE, "Nothing wrong was seen at either end.");
    if (!d->verdict)
        d->verdict = finding_new(CODE_INCOMPLETE_CAPTURE, WHERE_CAPTURE, "%s",
                                 d->pairs->len ? "Neither document can tell how these connections fared."
                                               : "No connection is in both documents: they cannot be compared.");
}

static struct documents *compare_documents(const char *const sources[2], json_t *const root[2])
{
    struct documents *d = g_new0(struct documents, 1);

    for (int i = 0; i < 2; i++) {
        d->source[i] = g_strdup(sources[i]);
        d->flows[i] = json_array_size(member(root[i], "flows"));
    }
    d->pairs = g_ptr_array_new_with_free_func(free_pair);
    d->lone = g_array_new(FALSE, FALSE, sizeof(struct document_lone));
    g_array_set_clear_func(d->lone, clear_lone);
    d->ladder = compare_ladders(member(root[0], "ladder"), member(root[1], "ladder"));
    pair_flows(d, root);
    consider_ladder(d, root[0], CLIENT, root[1]);
    consider_ladder(d, root[1], SERVER, root[0]);
    settle_verdict(d, is_a_sound_ladder(root[0]) && is_a_sound_ladder(root[1]));
    return d;
}

static json_t *parse(const char *source, const char *text, size_t size, GError **error)
{
    json_error_t why;
    json_t *root = json_loadb(text, size, 0, &why);

    if (root && json_integer_value(member(root, "schema")) == 1 && json_is_array(member(root, "flows")))
        return root;
    g_set_error(error, DOCUMENTS_ERROR, 0, "%s: %s; write it with `tcpsleuth -r FILE --json -o %s`", source,
                root ? "not a document of tcpsleuth with the flows of a capture" : "not JSON, or damaged", source);
    json_decref(root);
    return NULL;
}

struct documents *documents_parse(const char *const sources[2], const char *const texts[2], const size_t sizes[2],
                                  GError **error)
{
    json_t *root[2] = { parse(sources[0], texts[0], sizes[0], error), NULL };
    struct documents *d = NULL;

    root[1] = root[0] ? parse(sources[1], texts[1], sizes[1], error) : NULL;
    if (root[1])
        d = compare_documents(sources, root);
    json_decref(root[0]);
    json_decref(root[1]);
    return d;
}

void documents_free(struct documents *d)
{
    if (!d)
        return;
    g_free(d->source[0]);
    g_free(d->source[1]);
    g_ptr_array_free(d->pairs, TRUE);
    g_array_free(d->lone, TRUE);
    g_array_free(d->ladder, TRUE);
    finding_free(d->verdict);
    g_free(d);
}
