#include "capture/filter.h"

#include "capture/capture.h"

#include <pcap/pcap.h>

/* The expression for one link type. */
struct program {
    int dlt;
    bool compiled; /* else nothing matches */
    struct bpf_program code;
};

struct filter {
    char *expression;
    GHashTable *programs;          /* link type -> struct program, for each link type met */
    const struct program *current; /* that of the frame before */
};

static void program_free(gpointer data)
{
    struct program *p = data;
    if (p->compiled)
        pcap_freecode(&p->code);
    g_free(p);
}

/* Compiles for dlt and keeps the outcome, that it does not compile too; then why gets libpcap's words unless it is
 * NULL. */
static const struct program *add_program(struct filter *f, int dlt, char **why)
{
    struct program *p = g_new0(struct program, 1);
    p->dlt = dlt;
    pcap_t *dead = pcap_open_dead(dlt, CAPTURE_WHOLE_FRAMES); /* the length means nothing here */
    if (dead) {
        p->compiled = pcap_compile(dead, &p->code, f->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
        if (!p->compiled && why)
            *why = g_strdup(pcap_geterr(dead));
        pcap_close(dead);
    }
    g_hash_table_insert(f->programs, GINT_TO_POINTER(dlt), p);
    return p;
}

/* The expression is good if it compiles for any of these: each understands something that the ones before do not. */
static bool compiles_for_some_link(struct filter *f, char **why)
{
    static const int dlts[] = { DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL2, DLT_IEEE802_11_RADIO,
                                DLT_PFLOG,  DLT_PPP, DLT_SUNATM,     DLT_MTP2 };
    for (size_t i = 0; i < G_N_ELEMENTS(dlts); i++) {
        if (add_program(f, dlts[i], i == 0 ? why : NULL)->compiled)
            return true;
    }
    return false;
}

void filter_refuse(const char *expression, const char *why, GError **error)
{
    g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_FILTER, "filter \"%s\": %s; pcap-filter(7) explains the syntax",
                expression, why);
}

struct filter *filter_new(const char *expression, GError **error)
{
    struct filter *f = g_new0(struct filter, 1);
    f->expression = g_strdup(expression);
    f->programs = g_hash_table_new_full(NULL, NULL, NULL, program_free);
    char *why = NULL;
    bool good = compiles_for_some_link(f, &why);
    if (!good) {
        filter_refuse(expression, why ? why : "no memory", error);
        filter_free(f);
        f = NULL;
    }
    g_free(why);
    return f;
}

static const struct program *find_program(struct filter *f, int dlt)
{
    const struct program *p = g_hash_table_lookup(f->programs, GINT_TO_POINTER(dlt));
    return p ? p : add_program(f, dlt, NULL);
}

bool filter_accepts(struct filter *f, const struct frame *frame)
{
    if (!f->current || f->current->dlt != frame->dlt)
        f->current = find_program(f, frame->dlt);
    const struct program *p = f->current;
    return p->compiled && bpf_filter(p->code.bf_insns, frame->bytes, frame->wirelen, frame->caplen) != 0;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    g_hash_table_destroy(f->programs);
    g_free(f->expression);
    g_free(f);
}
