#include "capture/live_parts.h"

#include <string.h>

void held_add(struct held *h, const struct frame *frame)
{
    if (!h->frames) {
        h->frames = g_array_new(FALSE, FALSE, sizeof(struct held_frame));
        h->bytes = g_byte_array_new();
    }
    struct held_frame f = { frame->ts_ns, frame->caplen, frame->wirelen, h->bytes->len };
    g_array_append_val(h->frames, f);
    g_byte_array_append(h->bytes, frame->bytes, frame->caplen);
}

const struct held_frame *held_first(const struct held *h)
{
    return h->frames && h->first < h->frames->len ? &g_array_index(h->frames, struct held_frame, h->first) : NULL;
}

/* Moves what is left to the front. */
static void compact(struct held *h)
{
    gsize gone = held_first(h)->at;

    g_array_remove_range(h->frames, 0, h->first);
    g_byte_array_remove_range(h->bytes, 0, (guint)gone);
    for (guint i = 0; i < h->frames->len; i++)
        g_array_index(h->frames, struct held_frame, i).at -= gone;
    h->first = 0;
}

void held_drop(struct held *h)
{
    h->first++;
    if (h->first == h->frames->len) {
        g_array_set_size(h->frames, 0);
        g_byte_array_set_size(h->bytes, 0);
        h->first = 0;
    } else if (h->first >= 1024 && h->first > h->frames->len / 2) {
        compact(h);
    }
}

void held_clear(struct held *h)
{
    if (!h->frames)
        return;
    g_array_free(h->frames, TRUE);
    g_byte_array_free(h->bytes, TRUE);
    *h = (struct held){ NULL };
}
