#include "report/ids.h"
#include "report/number.h"

#include <string.h>

#define MORE ", ..."

static void insert(struct ids *s, unsigned at, uint64_t id)
{
    if (s->n == IDS_RANGES) {
        s->more = true;
        if (at == s->n)
            return;
        s->n--;
    }
    if (s->n == s->room) {
        s->room = (uint16_t)MIN(s->room ? s->room * 2 : 1, IDS_RANGES);
        s->ranges = g_renew(struct id_range, s->ranges, s->room);
    }
    memmove(s->ranges + at + 1, s->ranges + at, (s->n - at) * sizeof s->ranges[0]);
    s->ranges[at] = (struct id_range){ id, id };
    s->n++;
}

/* Below the highest range: from a flow that outlived many younger ones. */
static void add_late(struct ids *s, uint64_t id)
{
    unsigned at = s->n;
    while (at > 0 && s->ranges[at - 1].first > id)
        at--;
    bool below = at > 0 && s->ranges[at - 1].last + 1 == id, above = id + 1 == s->ranges[at].first;
    if (!below && !above) {
        insert(s, at, id);
    } else if (!below) {
        s->ranges[at].first = id;
    } else if (!above) {
        s->ranges[at - 1].last = id;
    } else {
        s->ranges[at - 1].last = s->ranges[at].last;
        s->n--;
        memmove(s->ranges + at, s->ranges + at + 1, (s->n - at) * sizeof s->ranges[0]);
    }
}

void ids_add(struct ids *s, uint64_t id)
{
    struct id_range *highest = s->n ? &s->ranges[s->n - 1] : NULL;

    if (highest && id < highest->first)
        add_late(s, id);
    else if (highest && id == highest->last + 1)
        highest->last = id;
    else if (!s->more) /* else it lies above some that were left out */
        insert(s, s->n, id);
}

void ids_append(GString *out, const struct ids *s, size_t max)
{
    char text[2 * NUMBER_ROOM];
    size_t start = out->len;

    for (unsigned i = 0; i < s->n; i++) {
        const struct id_range *r = &s->ranges[i];
        bool last = i + 1 == s->n && !s->more;
        char *p = number_uint(i > 0 ? stpcpy(text, ", ") : text, r->first);
        if (r->last > r->first)
            p = number_uint(stpcpy(p, "-"), r->last);
        if (out->len - start + (size_t)(p - text) + (last ? 0 : strlen(MORE)) > max && i > 0) {
            g_string_append(out, MORE);
            return;
        }
        g_string_append_len(out, text, p - text);
    }
    if (s->more)
        g_string_append(out, MORE);
}

void ids_clear(struct ids *s)
{
    g_free(s->ranges);
    *s = (struct ids){ 0 };
}
