/* The transactions of a connection, as everybody sees them (app.h). */
#include "base/timens.h"
#include "dissect/app.h"

#include <string.h>

static void transaction_init(struct http_transaction *t)
{
    memset(t, 0, offsetof(struct http_transaction, room));
    t->request_ts_ns = t->request_end_ts_ns = t->response_ts_ns = t->response_end_ts_ns = TIME_NONE;
    t->announced_bytes = UINT64_MAX;
}

static void text_free(const struct http_transaction *t, char *text)
{
    if (text && (text < t->room || text >= t->room + HTTP_ROOM))
        g_free(text);
}

static void transaction_clear(const struct http_transaction *t)
{
    char *const texts[] = { t->method, t->host, t->target, t->version, t->reason, t->location };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        text_free(t, texts[i]);
}

void http_transaction_reset(struct http_transaction *t)
{
    transaction_clear(t);
    transaction_init(t);
}

void http_transaction_text(struct http_transaction *t, char **field, const char *text, size_t n)
{
    char *old = *field;

    if (n < (size_t)(HTTP_ROOM - t->room_used)) {
        *field = t->room + t->room_used;
        t->room_used += (uint8_t)(n + 1);
    } else {
        *field = g_malloc(n + 1);
    }
    memcpy(*field, text, n);
    (*field)[n] = '\0';
    text_free(t, old);
}

struct http_list *http_list_new(void)
{
    struct http_list *l = g_new(struct http_list, 1);

    l->len = l->room = 0;
    l->more = NULL;
    return l;
}

struct http_transaction *http_list_add(struct http_list *l)
{
    struct http_transaction *t = l->len ? g_new(struct http_transaction, 1) : &l->first;

    transaction_init(t);
    if (l->len > l->room) {
        l->room = l->room ? 2 * l->room : 4;
        l->more = g_renew(struct http_transaction *, l->more, l->room);
    }
    if (l->len)
        l->more[l->len - 1] = t;
    l->len++;
    return t;
}

void http_list_free(struct http_list *l)
{
    if (!l)
        return;
    for (guint i = 0; i < l->len; i++)
        transaction_clear(http_at(l, i));
    for (guint i = 1; i < l->len; i++)
        g_free(http_at(l, i));
    g_free(l->more);
    g_free(l);
}
