#include "diagnose/ladder.h"

#include <string.h>

const char *step_status_name(enum step_status s)
{
    static const char *const names[] = { "ok", "unknown", "skipped", "degraded", "broken" };
    return names[s];
}

enum rung rung_find(const char *name)
{
    for (int i = 0; i < RUNGS; i++)
        if (strcmp(rung_row((enum rung)i)->name, name) == 0)
            return (enum rung)i;
    return RUNGS;
}

/* Text by format, as valid UTF-8: a precision may have cut a character in two. */
static char *text_of(const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);

    return g_utf8_make_valid(text, -1);
}

static struct rung_step *step_of(enum rung rung, enum step_status status, char *text)
{
    struct rung_step *s = g_new0(struct rung_step, 1);

    s->rung = rung;
    s->status = status;
    s->text = text;
    s->notes = g_ptr_array_new_with_free_func(g_free);
    return s;
}

struct rung_step *step_new(enum rung rung, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    struct rung_step *s = step_of(rung, STEP_OK, text_of(format, args));
    va_end(args);
    return s;
}

struct rung_step *step_skip(enum rung rung, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    struct rung_step *s = step_of(rung, STEP_SKIPPED, text_of(format, args));
    va_end(args);
    return s;
}

void step_free(struct rung_step *s)
{
    if (!s)
        return;
    g_free(s->subject);
    g_free(s->text);
    g_free(s->evidence);
    g_free(s->remedy);
    g_ptr_array_free(s->notes, TRUE);
    finding_free(s->finding);
    g_free(s);
}

void step_note(struct rung_step *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(s->notes, text_of(format, args));
    va_end(args);
}

static void set(char **where, const char *format, va_list args)
{
    g_free(*where);
    *where = text_of(format, args);
}

void step_evidence(struct rung_step *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(&s->evidence, format, args);
    va_end(args);
}

void step_remedy(struct rung_step *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(&s->remedy, format, args);
    va_end(args);
}

void step_subject(struct rung_step *s, const char *subject)
{
    g_free(s->subject);
    s->subject = subject ? g_utf8_make_valid(subject, -1) : NULL;
}

static enum step_status status_of(enum status s)
{
    static const enum step_status as[] = { STEP_OK, STEP_UNKNOWN, STEP_DEGRADED, STEP_BROKEN };
    return as[s];
}

void step_blame(struct rung_step *s, struct finding *f)
{
    if (s->finding && s->finding->status >= f->status) {
        step_note(s, "%s", f->summary);
        finding_free(f);
        return;
    }
    if (s->finding)
        step_note(s, "%s", s->finding->summary);
    finding_free(s->finding);
    s->finding = f;
    s->status = status_of(f->status);
}

const char *step_what_to_do(const struct rung_step *s)
{
    if (s->remedy || !s->finding)
        return s->remedy;
    return s->finding->own_remedy ? s->finding->own_remedy : s->finding->remedy;
}

/* What to do is said once: the step's own command goes before the catalogue's sentence. */
static struct finding *finding_of(const struct rung_step *s)
{
    struct finding *f = finding_copy(s->finding);

    if (s->remedy) {
        g_free(f->own_remedy);
        f->own_remedy = g_strdup(s->remedy);
        f->remedy = f->own_remedy;
    }
    finding_detail_text(f, "step", rung_row(s->rung)->name);
    return f;
}

struct finding *ladder_verdict(const GPtrArray *steps)
{
    const struct rung_step *worst = NULL;

    for (guint i = 0; i < steps->len; i++) {
        const struct rung_step *s = g_ptr_array_index(steps, i);
        if (s->finding && s->status >= STEP_DEGRADED && (!worst || s->status > worst->status))
            worst = s;
    }
    return worst ? finding_of(worst) : NULL;
}
