#include "report/blocks.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

static guint n_steps(const struct conversation *c)
{
    return c->steps ? c->steps->len : 0;
}

static const struct step *step_at(const struct conversation *c, guint i)
{
    return &g_array_index(c->steps, struct step, i);
}

static struct block *block_at(GArray *blocks, guint i)
{
    return &g_array_index(blocks, struct block, i);
}

/* --- what reads alike --- */

/* Steps of healthy flows are told of some only (conversations_tell_healthy). */
static bool is_told(const struct conversation *c)
{
    if (!c->flows || c->flows->len == 0 || conversation_verdict(c)->status != STATUS_OK)
        return true;
    for (guint i = 0; i < n_steps(c); i++)
        if (step_at(c, i)->flow)
            return true;
    return false;
}

/* Whether it tells more than the lines and details of its flow do. */
static bool tells_more(const struct conversation *c)
{
    if (!c->flows || c->flows->len != 1)
        return n_steps(c) > 0;
    for (guint i = 0; i < n_steps(c); i++)
        if (step_at(c, i)->kind != STEP_TCP)
            return true;
    return false;
}

static uint64_t mix(uint64_t hash, uint64_t w)
{
    hash = (hash ^ w) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* Eight bytes at a time: every conversation passes here. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    uint64_t w = 0;

    for (; n >= sizeof w; text += sizeof w, n -= sizeof w) {
        memcpy(&w, text, sizeof w);
        hash = mix(hash, w);
    }
    w = n;
    for (; n > 0; n--)
        w = w << 8 | (unsigned char)*text++;
    return mix(hash, w);
}

/* Times and flows aside, what a reader sees. */
static guint hash_reading(const struct conversation *c)
{
    uint64_t hash = conversation_verdict(c)->code;

    for (guint i = 0; i < n_steps(c); i++)
        hash = hash_text(hash, step_at(c, i)->text);
    return (guint)(hash >> 32);
}

static bool read_alike(const struct conversation *a, const struct conversation *b)
{
    if (conversation_verdict(a)->code != conversation_verdict(b)->code || n_steps(a) != n_steps(b))
        return false;
    for (guint i = 0; i < n_steps(a); i++)
        if (step_at(a, i)->kind != step_at(b, i)->kind || g_strcmp0(step_at(a, i)->text, step_at(b, i)->text) != 0)
            return false;
    return true;
}

/* There are at most BLOCKS_OF_STATUS: a search through them is as good as any. */
static struct block *find_alike(GArray *blocks, const struct block *like)
{
    for (guint i = 0; i < blocks->len; i++)
        if (block_at(blocks, i)->reading == like->reading &&
            read_alike(block_at(blocks, i)->conversation, like->conversation))
            return block_at(blocks, i);
    return NULL;
}

/* --- order --- */

/* Conversations are in the order of their first packets, those of one packet in the order in which they came. */
static int compare_beginnings(uint64_t packet_a, uint64_t place_a, uint64_t packet_b, uint64_t place_b)
{
    if (packet_a != packet_b)
        return packet_a < packet_b ? -1 : 1;
    return (place_a > place_b) - (place_a < place_b);
}

static int compare_blocks(const void *a, const void *b)
{
    const struct block *x = a, *y = b;

    return compare_beginnings(x->conversation->packet, x->place, y->conversation->packet, y->place);
}

/* The first of those alike speaks for all. */
static void join(struct block *b, struct block *alike)
{
    b->alike++;
    if (compare_blocks(alike, b) < 0) {
        struct conversation *first = alike->conversation;
        alike->conversation = b->conversation;
        b->conversation = first;
        b->place = alike->place;
    }
    conversation_free(alike->conversation);
}

static int compare_pointers(const void *a, const void *b)
{
    return compare_blocks(*(struct block *const *)a, *(struct block *const *)b);
}

/* How many of the n blocks, which are in order, come before the conversation that begins there. */
static guint blocks_before(struct block *const *blocks, guint n, uint64_t packet, uint64_t place)
{
    guint low = 0, high = n;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (compare_beginnings(blocks[middle]->conversation->packet, blocks[middle]->place, packet, place) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A block's number counts it and all conversations that come before it, shown or not. */
static void number(const struct blocks *b, struct block **blocks, guint n)
{
    uint64_t so_far = 0;

    for (guint place = 0; place < b->packets->len; place++) {
        guint at = blocks_before(blocks, n, g_array_index(b->packets, uint64_t, place), place);
        if (at < n)
            blocks[at]->number++;
    }
    for (guint i = 0; i < n; i++) {
        so_far += blocks[i]->number;
        blocks[i]->number = blocks[i]->place < LIMIT_KEPT_FLOWS ? so_far : 0;
    }
}

/* --- all --- */

void blocks_start(struct blocks *b, bool all)
{
    *b = (struct blocks){ .all = all };
    for (int i = 0; i < 4; i++)
        b->of_status[i] = g_array_new(FALSE, FALSE, sizeof(struct block));
    b->packets = g_array_new(FALSE, FALSE, sizeof(uint64_t));
}

void blocks_end(struct blocks *b)
{
    for (int s = 0; s < 4; s++) {
        for (guint i = 0; i < b->of_status[s]->len; i++)
            conversation_free(block_at(b->of_status[s], i)->conversation);
        g_array_free(b->of_status[s], TRUE);
    }
    g_array_free(b->packets, TRUE);
}

/* Gives it a block of its own where there is room. */
static void append(GArray *blocks, const struct block *new, guint room, uint64_t *no_room)
{
    if (blocks->len < room) {
        g_array_append_vals(blocks, new, 1);
        return;
    }
    ++*no_room;
    conversation_free(new->conversation);
}

static void put_in(struct blocks *b, enum status status, struct block *new)
{
    GArray *blocks = b->of_status[status];

    if (b->all) {
        append(blocks, new, new->place < LIMIT_KEPT_FLOWS ? G_MAXUINT : 0, &b->forgotten);
        return;
    }
    new->reading = hash_reading(new->conversation);
    struct block *alike = find_alike(blocks, new);
    if (alike)
        join(alike, new);
    else
        append(blocks, new, status == STATUS_OK ? BLOCKS_OK : BLOCKS_OF_STATUS, &b->left_out);
}

/* Returns its place. */
static uint64_t count(struct blocks *b, uint64_t packet)
{
    if (b->come < LIMIT_KEPT_FLOWS)
        g_array_append_val(b->packets, packet);
    return b->come++;
}

void blocks_pass(struct blocks *b, uint64_t packet)
{
    count(b, packet);
    b->left_out++;
}

void blocks_add(struct blocks *b, struct conversation *c)
{
    struct block new = { .conversation = c, .place = count(b, c->packet) };

    if (b->all || (is_told(c) && tells_more(c))) {
        put_in(b, conversation_verdict(c)->status, &new);
        return;
    }
    b->left_out += !is_told(c);
    conversation_free(c);
}

void blocks_finish(struct blocks *b)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (int s = 0; s < 4; s++) {
        GArray *blocks = b->of_status[s];
        if (blocks->len > 1)
            qsort(blocks->data, blocks->len, sizeof(struct block), compare_blocks);
        for (guint i = 0; i < blocks->len; i++)
            g_ptr_array_add(all, block_at(blocks, i));
    }
    if (all->len > 1)
        qsort(all->pdata, all->len, sizeof(gpointer), compare_pointers);
    if (all->len > 0)
        number(b, (struct block **)all->pdata, all->len);
}
