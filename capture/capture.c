#include "capture/capture.h"

#include "capture/filter.h"
#include "capture/source.h"

#include <string.h>

/* clang-format off */
G_DEFINE_QUARK(capture-error-quark, capture_error)
/* clang-format on */

/* A file that has a frame to give, in a heap with the earliest frame at its head. */
struct waiting {
    struct source *source;
    size_t order; /* of its path: the tie-break */
    struct frame frame;
};

struct capture {
    struct source **sources;
    size_t n_sources;
    struct waiting *heap; /* of n_waiting; NULL where there is one source only */
    size_t n_waiting;
    bool primed; /* the first frame of every source is in the heap, and the one at its head is still to be given */
    struct filter *filter; /* NULL: all frames */
    uint64_t frames;
    int last_dlt; /* of the frame before; -1 before the first */
    GHashTable *dlts_met;
    GString *problems;         /* of the sources that have ended */
    struct capture_info *info; /* apart, so that a reader of a const capture may bring it up to date */
};

static bool before(const struct waiting *a, const struct waiting *b)
{
    return a->frame.ts_ns < b->frame.ts_ns || (a->frame.ts_ns == b->frame.ts_ns && a->order < b->order);
}

/* Moves the entry at i down until none below it is earlier. */
static void sift_down(struct capture *c, size_t i)
{
    struct waiting moved = c->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= c->n_waiting)
            break;
        if (child + 1 < c->n_waiting && before(&c->heap[child + 1], &c->heap[child]))
            child++;
        if (!before(&c->heap[child], &moved))
            break;
        c->heap[i] = c->heap[child];
        i = child;
    }
    c->heap[i] = moved;
}

/* Keeps what a source that has ended has to say. */
static void note_end(struct capture *c, const struct source *s)
{
    if (!s->problem)
        return;
    if (c->problems->len > 0)
        g_string_append(c->problems, "; ");
    g_string_append(c->problems, s->problem);
    c->info->truncated = true;
    c->info->truncated_file = c->problems->str;
}

/* Asks every source for its first frame. */
static void prime(struct capture *c)
{
    for (size_t i = 0; i < c->n_sources; i++) {
        struct waiting *w = &c->heap[c->n_waiting];
        *w = (struct waiting){ .source = c->sources[i], .order = i };
        if (w->source->next(w->source, &w->frame))
            c->n_waiting++;
        else
            note_end(c, c->sources[i]);
    }
    for (size_t i = c->n_waiting / 2; i-- > 0;)
        sift_down(c, i);
    c->primed = true;
}

/* Replaces the frame given last, at the head of the heap, by the next one of its source. */
static void advance(struct capture *c)
{
    struct waiting *head = &c->heap[0];
    if (!head->source->next(head->source, &head->frame)) {
        note_end(c, head->source);
        *head = c->heap[--c->n_waiting];
    }
    if (c->n_waiting > 0)
        sift_down(c, 0);
}

static bool next_merged(struct capture *c, struct frame *frame)
{
    if (!c->primed)
        prime(c);
    else if (c->n_waiting > 0)
        advance(c);
    if (c->n_waiting == 0)
        return false;
    *frame = c->heap[0].frame;
    return true;
}

static inline bool next_frame(struct capture *c, struct frame *frame)
{
    if (G_UNLIKELY(c->heap))
        return next_merged(c, frame);
    struct source *s = c->sources[0];
    if (G_LIKELY(s->next(s, frame)))
        return true;
    if (!c->primed)
        note_end(c, s);
    c->primed = true;
    return false;
}

static void note_dlt(struct capture *c, int dlt)
{
    c->last_dlt = dlt;
    if (g_hash_table_add(c->dlts_met, GINT_TO_POINTER(dlt)))
        g_array_append_val(c->info->dlts, dlt);
}

/* The end of all input: a failure where there was not one frame and that because something is damaged. */
static enum capture_status finish(const struct capture *c, GError **error)
{
    for (size_t i = 0; i < c->n_sources && c->frames == 0; i++) {
        if (c->sources[i]->damaged) {
            g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_READ, "%s; capture or copy it again",
                        c->sources[i]->problem);
            return CAPTURE_FAILED;
        }
    }
    return CAPTURE_END;
}

static inline void number(struct capture *c, struct frame *frame)
{
    frame->number = ++c->frames;
    if (G_UNLIKELY(frame->dlt != c->last_dlt))
        note_dlt(c, frame->dlt);
}

enum capture_status capture_next(struct capture *c, struct frame *frame, GError **error)
{
    do {
        if (G_UNLIKELY(!next_frame(c, frame)))
            return finish(c, error);
        number(c, frame);
    } while (c->filter && !filter_accepts(c->filter, frame));
    return CAPTURE_FRAME;
}

enum capture_status capture_batch(struct capture *c, struct frame *frames, size_t max, size_t *n, GError **error)
{
    struct source *s = c->sources[0];
    enum capture_status status = capture_next(c, &frames[0], error);
    *n = status == CAPTURE_FRAME;
    if (*n == 0 || c->heap || !s->more)
        return status;
    size_t come = s->more(s, frames + 1, max - 1);
    for (size_t i = 1; i <= come; i++) {
        number(c, &frames[i]);
        if (c->filter && !filter_accepts(c->filter, &frames[i]))
            continue;
        if (i != *n)
            frames[*n] = frames[i];
        ++*n;
    }
    return status;
}

/* How the capture ended that a file is from. (Of several files each ends for itself: then the last packet of all has to do.) */
static void add_end(struct capture_info *info, const struct source *s)
{
    info->drops_known = true;
    info->dropped = s->dropped;
    info->interface_dropped = s->interface_dropped;
    info->end_ns = s->end_ns;
}

const struct capture_info *capture_info(const struct capture *c)
{
    struct capture_info *info = c->info;
    bool all_known = true;
    info->bytes_read = info->bytes_total = 0;
    for (size_t i = 0; i < c->n_sources; i++) {
        const struct source *s = c->sources[i];
        uint64_t total = stream_bytes_total(s->stream);
        info->bytes_read += stream_bytes_read(s->stream);
        info->bytes_total += total;
        all_known = all_known && total > 0;
        info->nanoseconds |= s->nanoseconds;
    }
    if (c->n_sources == 1 && c->sources[0]->ends_known)
        add_end(info, c->sources[0]);
    if (!all_known)
        info->bytes_total = 0;
    return info;
}

static struct capture *capture_new(size_t n)
{
    struct capture *c = g_new0(struct capture, 1);
    c->sources = g_new0(struct source *, n);
    c->heap = n > 1 ? g_new0(struct waiting, n) : NULL;
    c->last_dlt = -1;
    c->dlts_met = g_hash_table_new(NULL, NULL);
    c->problems = g_string_new(NULL);
    c->info = g_new0(struct capture_info, 1);
    c->info->dlts = g_array_new(FALSE, FALSE, sizeof(int));
    c->info->end_ns = TIME_NONE;
    return c;
}

static bool stdin_only_once(const char *const *paths, size_t n, GError **error)
{
    size_t times = 0;
    for (size_t i = 0; i < n; i++)
        times += strcmp(paths[i], "-") == 0;
    if (times > 1)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_OPEN,
                    "standard input: it is named twice, and can be read once; name files");
    return times <= 1;
}

static bool open_sources(struct capture *c, const char *const *paths, size_t n, GError **error)
{
    for (; c->n_sources < n; c->n_sources++) {
        c->sources[c->n_sources] = source_open(paths[c->n_sources], error);
        if (!c->sources[c->n_sources])
            return false;
    }
    return true;
}

struct capture *capture_open_files(const char *const *paths, size_t n, const char *filter, GError **error)
{
    struct capture *c = capture_new(n);
    bool wanted = filter && filter[0] != '\0';
    /* The filter first: its mistake is found before a byte of a large input is read. */
    if (wanted)
        c->filter = filter_new(filter, error);
    if ((!wanted || c->filter) && stdin_only_once(paths, n, error) && open_sources(c, paths, n, error))
        return c;
    capture_free(c);
    return NULL;
}

bool capture_is_input(const struct capture *c, const char *path)
{
    for (size_t i = 0; i < c->n_sources; i++) {
        if (stream_is_file(c->sources[i]->stream, path))
            return true;
    }
    return false;
}

void capture_free(struct capture *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_sources; i++)
        source_free(c->sources[i]);
    filter_free(c->filter);
    g_free(c->sources);
    g_free(c->heap);
    g_hash_table_destroy(c->dlts_met);
    g_string_free(c->problems, TRUE);
    g_array_unref(c->info->dlts);
    g_free(c->info);
    g_free(c);
}
