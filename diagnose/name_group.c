#include "diagnose/names.h"

#define TYPE_A 1
#define TYPE_AAAA 28

/* The same name again: another family, or the next resolver after one that failed. */
#define SAME_NAME_NS (5 * NS_PER_S)
/* After a time-out the resolver goes on with the next server or the next form of the search list. */
#define TIMEOUT_NS (15 * NS_PER_S)
/* After an answer a resolver goes on with the next form of the search list at once; this is generous to a loaded
 * machine. */
#define NEXT_FORM_NS (1 * NS_PER_S)
/* Forms that only share their first labels are taken for one search list only where they follow each other as fast as
 * one process can ask; another program needs longer to start. */
#define SAME_PROCESS_NS (5 * NS_PER_MS)

int64_t lookup_start_ns(const struct lookup *l)
{
    return l->query_ns != TIME_NONE ? l->query_ns : l->response_ns;
}

/* --- outcome --- */

static enum name_outcome outcome_of(const struct lookup *l)
{
    if (l->rcode && l->rcode_number == 0 && l->addresses && l->addresses->len)
        return NAME_GIVEN;
    if (!l->query_packet || l->flavour != DNS_UNICAST || (l->type_number != TYPE_A && l->type_number != TYPE_AAAA) ||
        l->truncated)
        return NAME_IGNORED;
    if (!l->rcode)
        return NAME_NO_ANSWER;
    switch (l->rcode_number) {
    case 0:
        return NAME_NO_DATA;
    case 2:
        return NAME_SERVFAIL;
    case 3:
        return NAME_NXDOMAIN;
    case 5:
        return NAME_REFUSED;
    default:
        return NAME_IGNORED;
    }
}

static bool failed(const struct question *q)
{
    return q->outcome > NAME_GIVEN;
}

/* --- names --- */

/* "www" and "www.upc.edu": the second is the first with a suffix of the search list. */
static bool is_suffixed(const char *name, const char *longer)
{
    size_t n = strlen(name);
    return n > 0 && strncmp(name, longer, n) == 0 && longer[n] == '.';
}

/* How many bytes of whole labels both begin with. */
static size_t common_labels(const char *a, const char *b)
{
    size_t common = 0;

    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '.')
            common = i + 1;
    return common;
}

static bool is_parent(const char *domain, const char *of)
{
    size_t n = strlen(domain), m = strlen(of);
    return n > 0 && m > n && of[m - n - 1] == '.' && strcmp(of + m - n, domain) == 0;
}

/* How soon a look-up of `next` must follow one of `name` that failed to be the next form of the same search list; -1:
 * it is none. */
static int64_t form_within_ns(const char *name, const char *next)
{
    size_t common = common_labels(name, next);

    if (is_suffixed(name, next) || is_suffixed(next, name))
        return 2 * NEXT_FORM_NS;
    if (common == 0)
        return -1;
    return is_parent(next + common, name + common) || is_parent(name + common, next + common) ? NEXT_FORM_NS
                                                                                              : SAME_PROCESS_NS;
}

bool name_group_is(const struct name_group *g, const char *name)
{
    for (guint i = 0; i < g->questions->len; i++) {
        const char *asked = g_array_index(g->questions, struct question, i).name;
        if (strcmp(asked, name) == 0 || is_suffixed(name, asked))
            return true;
    }
    return false;
}

/* --- which look-ups belong together --- */

static bool goes_on(const struct name_group *g, const struct question *q, const struct lookup *l)
{
    int64_t since_ns = lookup_start_ns(l) - q->last_ns;
    bool timed_out = q->outcome == NAME_NO_ANSWER;

    if (strcmp(q->name, l->name) == 0) {
        if (q->type_number != l->type_number)
            return ABS(lookup_start_ns(l) - q->query_ns) <= SAME_NAME_NS;
        return failed(q) && since_ns <= (timed_out ? TIMEOUT_NS : SAME_NAME_NS);
    }
    if (g->given || !failed(q))
        return false;
    int64_t within_ns = form_within_ns(q->name, l->name);
    return within_ns >= 0 && since_ns >= 0 &&
           lookup_start_ns(l) - g->last_ns <= (timed_out && within_ns >= NEXT_FORM_NS ? TIMEOUT_NS : within_ns);
}

/* Another question about the name was repeated later than this one was asked: the resolver is still at it, and repeats what was
 * answered along with what was not (glibc asks for A and AAAA in pairs). */
static bool still_asking(const struct name_group *g, const struct lookup *l)
{
    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *q = &g_array_index(g->questions, struct question, i);
        if (q->outcome == NAME_NO_ANSWER && q->type_number != l->type_number && strcmp(q->name, l->name) == 0 &&
            q->last_query_ns >= lookup_start_ns(l))
            return true;
    }
    return false;
}

/* The question was answered: to ask it again is another purpose. */
static bool has_answer(const struct name_group *g, const struct lookup *l)
{
    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *q = &g_array_index(g->questions, struct question, i);
        if (q->outcome == NAME_GIVEN && q->type_number == l->type_number && strcmp(q->name, l->name) == 0)
            return true;
    }
    return false;
}

bool name_group_takes(const struct name_group *g, const struct lookup *l)
{
    bool asking = still_asking(g, l);

    if (g->questions->len >= QUESTIONS_MOST || (!asking && has_answer(g, l)))
        return false;
    if ((g->chain || g->spent) && lookup_start_ns(l) > g->use.start_ns)
        return false;
    if (asking)
        return true;
    for (guint i = g->questions->len; i-- > 0;)
        if (goes_on(g, &g_array_index(g->questions, struct question, i), l))
            return true;
    return false;
}

/* --- life --- */

void name_group_add(struct name_group *g, const struct lookup *l)
{
    struct question q = {
        .outcome = outcome_of(l), .type_number = l->type_number, .server = l->server, .version = (uint8_t)l->version};

    q.name = g_strdup(l->name);
    q.type = g_strdup(l->type);
    q.query_packet = l->query_packet;
    q.last_query_packet = l->last_query_packet;
    q.response_packet = l->response_packet;
    q.icmp_packet = l->icmp_packet;
    q.icmp_type = l->icmp_type;
    q.icmp_code = l->icmp_code;
    q.icmp_from = l->icmp_from;
    q.query_ns = lookup_start_ns(l);
    q.last_query_ns = l->last_query_ns != TIME_NONE ? l->last_query_ns : q.query_ns;
    q.last_ns = l->response_ns != TIME_NONE ? l->response_ns : q.last_query_ns;
    q.retries = l->retries;
    q.id = l->id;
    q.client_port = l->client_port;
    step_of_lookup(&q.step, l);
    g_array_append_val(g->questions, q);
    g->given |= q.outcome == NAME_GIVEN;
    g->first_ns = MIN(g->first_ns, q.query_ns);
    g->last_ns = MAX(g->last_ns, q.last_ns);
}

bool name_group_refused(struct name_group *g, const struct lookup *l)
{
    for (guint i = 0; !l->query_packet && i < g->questions->len; i++) {
        struct question *q = &g_array_index(g->questions, struct question, i);
        if (q->outcome != NAME_NO_ANSWER || q->id != l->id || q->client_port != l->client_port ||
            q->type_number != l->type_number || strcmp(q->name, l->name) != 0 || q->last_query_packet < l->response_packet)
            continue;
        q->elsewhere = l->server;
        q->elsewhere_packet = l->response_packet;
        return true;
    }
    return false;
}

struct name_group *name_group_new(const struct lookup *l)
{
    struct name_group *g = g_new0(struct name_group, 1);

    g->refs = 1;
    g->client = l->client;
    g->version = (uint8_t)l->version;
    g->questions = g_array_sized_new(FALSE, FALSE, sizeof(struct question), 2);
    g->first_ns = g->last_ns = lookup_start_ns(l);
    name_group_add(g, l);
    return g;
}

struct name_group *name_group_hold(struct name_group *g)
{
    g->refs++;
    return g;
}

void name_group_release(struct name_group *g)
{
    if (!g || --g->refs)
        return;
    for (guint i = 0; i < g->questions->len; i++) {
        struct question *q = &g_array_index(g->questions, struct question, i);
        g_free(q->name);
        g_free(q->type);
        g_free(q->step.text);
    }
    g_array_free(g->questions, TRUE);
    g_free(g);
}
