#include "report/json.h"
#include "base/text.h"
#include "base/timens.h"
#include "report/number.h"

void json_start(struct json *j, FILE *out, bool nanoseconds)
{
    j->out = out;
    j->handed = 0;
    j->failed = false;
    json_set_precision(j, nanoseconds);
    j->depth = 0;
    j->date[0] = '\0';
    j->escaped = NULL;
    j->p = j->buffer;
}

static void hand_over(struct json *j, size_t n)
{
    if (!j->failed && fwrite(j->buffer, 1, n, j->out) != n)
        j->failed = true;
    j->handed += n;
}

/* The last byte stays: it may be a comma to take back. */
void json_flush(struct json *j)
{
    size_t n = (size_t)(j->p - j->buffer);
    if (n < 2)
        return;
    hand_over(j, n - 1);
    j->buffer[0] = j->p[-1];
    j->p = j->buffer + 1;
}

void json_end_line(struct json *j)
{
    if (j->p > j->buffer && j->p[-1] == ',')
        j->p--;
    json_put(j, "\n", 1);
    hand_over(j, (size_t)(j->p - j->buffer));
    j->p = j->buffer;
}

bool json_finish(struct json *j)
{
    hand_over(j, (size_t)(j->p - j->buffer));
    j->p = j->buffer;
    if (j->escaped)
        g_string_free(j->escaped, TRUE);
    j->escaped = NULL;
    return !j->failed && j->depth == 0;
}

static void open_with(struct json *j, char opener, char closer)
{
    if (j->depth == JSON_DEPTH) {
        j->failed = true;
        return;
    }
    j->closers[j->depth++] = closer;
    json_put(j, &opener, 1);
}

void json_open_object(struct json *j)
{
    open_with(j, '{', '}');
}

void json_open_array(struct json *j)
{
    open_with(j, '[', ']');
}

void json_close(struct json *j)
{
    if (j->depth == 0) {
        j->failed = true;
        return;
    }
    if (j->p > j->buffer && j->p[-1] == ',')
        j->p--;
    char ending[2] = { j->closers[--j->depth], ',' };
    json_put(j, ending, 2);
}

void json_break(struct json *j)
{
    json_put(j, "\n", 1);
}

void json_write_null(struct json *j)
{
    json_put(j, "null,", 5);
}

void json_write_bool(struct json *j, bool v)
{
    if (v)
        json_put(j, "true,", 5);
    else
        json_put(j, "false,", 6);
}

void json_write_uint(struct json *j, uint64_t v)
{
    json_room(j, NUMBER_ROOM);
    j->p = number_uint(j->p, v);
    *j->p++ = ',';
}

void json_write_int(struct json *j, int64_t v)
{
    json_room(j, NUMBER_ROOM);
    j->p = number_int(j->p, v);
    *j->p++ = ',';
}

void json_write_number_or_null(struct json *j, uint64_t v)
{
    if (v)
        json_write_uint(j, v);
    else
        json_write_null(j);
}

void json_write_seconds(struct json *j, int64_t ns)
{
    if (ns == TIME_NONE) {
        json_write_null(j);
        return;
    }
    json_room(j, NUMBER_ROOM);
    j->p = number_seconds(j->p, ns, j->decimals);
    *j->p++ = ',';
}

#define DAY_S 86400
#define CLOCK_AT (sizeof "2023-03-15T" - 1)

/* Whether the second can be written; then it is in j->date. Packets come many to the second, and days are long. */
static bool have_date(struct json *j, int64_t seconds)
{
    if (j->date[0] && j->date_s == seconds)
        return true;
    uint64_t into_day = (uint64_t)seconds - (uint64_t)j->day_s;
    j->date_s = seconds;
    if (j->date[0] && into_day < DAY_S) {
        number_clock(j->date + CLOCK_AT, (uint32_t)into_day);
        return true;
    }
    *number_date(j->date, seconds) = '\0';
    if (j->date[0])
        j->day_s = seconds - (seconds % DAY_S + DAY_S) % DAY_S;
    return j->date[0] != '\0';
}

#define DATE_LENGTH (sizeof j->date - 1)

void json_write_time(struct json *j, int64_t ns)
{
    uint32_t beyond;
    int64_t seconds = number_split_ns(ns, &beyond);
    if (ns == TIME_NONE || !have_date(j, seconds)) {
        json_write_null(j);
        return;
    }
    json_room(j, NUMBER_ROOM);
    char *p = j->p;
    *p++ = '"';
    memcpy(p, j->date, DATE_LENGTH);
    p += DATE_LENGTH;
    *p++ = '.';
    p = number_digits(p, j->decimals == 9 ? beyond : beyond / 1000, j->decimals);
    memcpy(p, "Z\",", 3);
    j->p = p + 3;
}

void json_write_date(struct json *j, int64_t seconds)
{
    if (!have_date(j, seconds)) {
        json_write_null(j);
        return;
    }
    json_put(j, "\"", 1);
    json_put(j, j->date, DATE_LENGTH);
    json_put(j, "Z\",", 3);
}

void json_write_addr(struct json *j, const struct addr *a, unsigned version)
{
    json_room(j, NUMBER_ROOM);
    *j->p++ = '"';
    if (version == 4) {
        j->p = number_ipv4(j->p, a);
    } else {
        addr_text(j->p, a, version);
        j->p += strlen(j->p);
    }
    memcpy(j->p, "\",", 2);
    j->p += 2;
}

/* Whether eight bytes stand for themselves in JSON and on a terminal (0x20 to 0x7e without quote and backslash): none
 * has its high bit set, and none of these differences goes below zero. */
static bool are_plain(const char *s)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t w;

    memcpy(&w, s, sizeof w);
    uint64_t bad =
        w | (w - ones * 0x20) | ((w ^ ones * 0x7f) - ones) | ((w ^ ones * '"') - ones) | ((w ^ ones * '\\') - ones);
    return (bad & ones * 0x80) == 0;
}

#define PART 4096

/* Copies first and looks then: what stands behind it in the buffer may be written over. False: something has to be
 * escaped; nothing was put. */
static bool put_plain(struct json *j, const char *s, size_t n)
{
    json_room(j, n + 8);
    memcpy(j->p, s, n);
    memset(j->p + n, ' ', 8);
    for (size_t i = 0; i < n; i += 8)
        if (!are_plain(j->p + i))
            return false;
    j->p += n;
    return true;
}

/* By the one function that knows the rules; the result goes through the buffer piece by piece. */
static void put_escaped(struct json *j, const char *s, size_t n)
{
    if (!j->escaped)
        j->escaped = g_string_new(NULL);
    g_string_truncate(j->escaped, 0);
    text_append_json(j->escaped, slice_of(s, n));
    for (gsize at = 0, part; at < j->escaped->len; at += part) {
        part = MIN(j->escaped->len - at, PART);
        json_put(j, j->escaped->str + at, part);
    }
}

/* What is between the quotes. */
static void put_text(struct json *j, const char *s)
{
    size_t n = strlen(s);

    if (n > PART || !put_plain(j, s, n))
        put_escaped(j, s, n);
}

void json_write_string(struct json *j, const char *s)
{
    if (!s) {
        json_write_null(j);
        return;
    }
    json_put(j, "\"", 1);
    put_text(j, s);
    json_put(j, "\",", 2);
}

void json_key_of(struct json *j, const char *name)
{
    json_put(j, "\"", 1);
    put_text(j, name);
    json_put(j, "\":", 2);
}

void json_write_strings(struct json *j, char *const *list)
{
    json_open_array(j);
    for (; list && *list; list++)
        json_write_string(j, *list);
    json_close(j);
}
