#include "tests/lab/wire_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS INT64_C(1000000)

/* Words that stand alone. */
static bool read_word(struct rule *r, const char *word)
{
    static const struct {
        const char *word;
        unsigned flags, mask;
    } kinds[] = { { "syn", FLAG_SYN, FLAG_SYN | FLAG_ACK },
                  { "synack", FLAG_SYN | FLAG_ACK, FLAG_SYN | FLAG_ACK },
                  { "fin", FLAG_FIN, FLAG_FIN },
                  { "rst", FLAG_RST, FLAG_RST },
                  { "ack", FLAG_ACK, FLAG_ACK | FLAG_SYN | FLAG_FIN | FLAG_RST } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(word, kinds[i].word) == 0) {
            r->tcp = true;
            r->flags = kinds[i].flags;
            r->flags_mask = kinds[i].mask;
            r->bare = strcmp(word, "ack") == 0;
            return true;
        }
    }
    bool *flag = strcmp(word, "up") == 0        ? &r->ways[UP]
                 : strcmp(word, "down") == 0    ? &r->ways[DOWN]
                 : strcmp(word, "data") == 0    ? &r->data
                 : strcmp(word, "drop") == 0    ? &r->drop
                 : strcmp(word, "dup") == 0     ? &r->dup
                 : strcmp(word, "corrupt") == 0 ? &r->corrupt
                                                : NULL;
    if (flag)
        *flag = true;
    return flag != NULL;
}

/* A, A-B or A-: from and to. */
static bool read_range(const char *text, uint32_t *from, uint32_t *to)
{
    char *end;
    *from = *to = (uint32_t)strtoul(text, &end, 10);
    if (*end == '-') {
        const char *rest = end + 1;
        *to = *rest ? (uint32_t)strtoul(rest, &end, 10) : UINT32_MAX;
        end = *rest ? end : strchr(rest, '\0');
    }
    return *text >= '0' && *text <= '9' && *end == '\0' && *from <= *to;
}

static bool read_strip(struct rule *r, const char *value)
{
    static const struct {
        const char *word;
        uint8_t kinds[2];
    } options[] = { { "mss", { OPTION_MSS, 0 } },
                    { "wscale", { OPTION_WSCALE, 0 } },
                    { "sack", { OPTION_SACK_PERMITTED, OPTION_SACK } },
                    { "ts", { OPTION_TIMESTAMPS, 0 } } };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strcmp(value, options[i].word) == 0) {
            memcpy(r->strip, options[i].kinds, sizeof r->strip);
            return true;
        }
    }
    return false;
}

static bool read_number(struct rule *r, const char *key, double value)
{
    if (strcmp(key, "ip") == 0)
        r->family = (unsigned)value;
    else if (strcmp(key, "port") == 0)
        r->port = (unsigned)value;
    else if (strcmp(key, "min") == 0)
        r->min = (size_t)value;
    else if (strcmp(key, "max") == 0)
        r->max = (size_t)value;
    else if (strcmp(key, "every") == 0)
        r->every = (unsigned)value;
    else if (strcmp(key, "delay") == 0)
        r->delay_ns = (int64_t)(value * (double)NS_PER_MS);
    else if (strcmp(key, "hold") == 0)
        r->hold = (unsigned)value;
    else if (strcmp(key, "ttl") == 0)
        r->ttl_change = (int)value;
    else if (strcmp(key, "mss") == 0)
        r->mss = (uint16_t)value;
    else if (strcmp(key, "rst-ttl") == 0)
        r->forgery.ttl = (uint8_t)value;
    else if (strcmp(key, "rst-id") == 0)
        r->forgery.ip_id = (uint16_t)value;
    else if (strcmp(key, "rst-seq") == 0)
        r->forgery.seq_change = (int32_t)value;
    else if (strcmp(key, "rst-window") == 0)
        r->forgery.window = (uint16_t)value;
    else
        return false;
    return true;
}

static bool read_pair(struct rule *r, const char *key, const char *value)
{
    if (strcmp(key, "seq") == 0)
        return r->has_seq = r->data = read_range(value, &r->seq_from, &r->seq_to);
    if (strcmp(key, "n") == 0)
        return read_range(value, &r->n_from, &r->n_to);
    if (strcmp(key, "strip") == 0)
        return read_strip(r, value);
    if (strcmp(key, "rst") == 0) {
        r->has_forgery = true;
        r->forgery.back = strcmp(value, "back") == 0;
        return r->forgery.back || strcmp(value, "on") == 0;
    }
    char *end;
    double number = strtod(value, &end);
    return *value && *end == '\0' && number >= INT32_MIN && number <= INT32_MAX && read_number(r, key, number);
}

bool rule_read(struct rule *r, const char *text, const char **bad_word)
{
    static char words[256], bad[256];
    char *rest = words, *word;

    *r = (struct rule){ .max = SIZE_MAX, .every = 1, .n_from = 1, .n_to = UINT32_MAX, .forgery = { .ttl = 64 } };
    *bad_word = text;
    if (strlen(text) >= sizeof words)
        return false;
    strcpy(words, text);
    while ((word = strsep(&rest, " \t\n"))) {
        strcpy(bad, word);
        *bad_word = bad;
        char *value = strchr(word, '=');
        if (value)
            *value++ = '\0';
        if (*word && !(value ? read_pair(r, word, value) : read_word(r, word)))
            return false;
    }
    r->tcp |= r->data || r->has_seq || r->port || r->mss || r->strip[0] || r->has_forgery || r->corrupt;
    if (!r->ways[UP] && !r->ways[DOWN])
        r->ways[UP] = r->ways[DOWN] = true;
    return r->every > 0;
}

static bool looks_so(const struct rule *r, const struct wire_packet *p)
{
    if ((r->family && p->family != r->family) || p->ip_size < r->min || p->ip_size > r->max)
        return false;
    if (!r->tcp)
        return true;
    return p->is_tcp && (!r->port || p->source == r->port || p->target == r->port) &&
           (p->flags & r->flags_mask) == r->flags && (!r->data || p->data_size) && (!r->bare || !p->data_size);
}

/* Whether one of the bytes asked for is in the segment. */
static bool holds(const struct rule *r, const struct wire_packet *p, uint32_t start)
{
    uint32_t first = p->seq - start, last = first + (uint32_t)p->data_size - 1;
    return !r->has_seq || (first <= r->seq_to && last >= r->seq_from);
}

bool rule_matches(struct rule *r, const struct wire_packet *p, int way, uint32_t start)
{
    if (!r->ways[way] || !looks_so(r, p) || !holds(r, p, start))
        return false;
    unsigned n = ++r->seen[way];
    if (n < r->n_from || n > r->n_to || (n - r->n_from) % r->every != r->every - 1)
        return false;
    r->used++;
    return true;
}
