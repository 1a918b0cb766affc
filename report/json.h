/* json: a streaming JSON writer (RFC 8259). No tree, no allocation per value: everything goes straight into one buffer.
 *
 * A value is an item of the array that is open, or follows json_key in the object that is open. The error is sticky:
 * after a failed write nothing more happens and json_finish says so.
 *
 * The names keep clear of jansson's, which programs use beside this to read JSON.
 *
 * Every value is written with the comma behind it, and the end of an object or array takes the last one back.
 */
#ifndef TCPSLEUTH_REPORT_JSON_H
#define TCPSLEUTH_REPORT_JSON_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define JSON_BUFFER (64u << 10)
#define JSON_DEPTH 16 /* the documents of tcpsleuth need 7 */

struct json {
    FILE *out;
    uint64_t handed;           /* bytes handed to out */
    bool failed;
    unsigned decimals;         /* of a second: 6 or 9 */
    unsigned depth;            /* objects and arrays that are open */
    char closers[JSON_DEPTH];  /* '}' or ']' of each */
    int64_t date_s, day_s;     /* the second that date holds, and the first one of its day */
    char date[20];             /* "2023-03-15T14:46:57"; "" where nothing was printed yet */
    GString *escaped;          /* room for texts that are not plain ASCII; NULL until there is one */
    char *p;                   /* where the next byte goes */
    char buffer[JSON_BUFFER];
};

/* Begins on out (borrowed). nanoseconds: times with 9 digits, else 6. */
void json_start(struct json *j, FILE *out, bool nanoseconds);

/* The digits of the times from here on. */
static inline void json_set_precision(struct json *j, bool nanoseconds)
{
    j->decimals = nanoseconds ? 9 : 6;
}

/* A document, or a line of NDJSON, is over: ends it with a new line and hands it to out. The next one may follow. */
void json_end_line(struct json *j);

/* Hands over what is left and frees what j holds. False where something could not be written, or an object or array was
 * left open. */
bool json_finish(struct json *j);

/* How many bytes there are, with the comma behind the last value. */
static inline uint64_t json_position(const struct json *j)
{
    return j->handed + (uint64_t)(j->p - j->buffer);
}

void json_open_object(struct json *j);
void json_open_array(struct json *j);
void json_close(struct json *j); /* of the innermost object or array */

/* A new line in front of an item or a key: for people and for diff. */
void json_break(struct json *j);

/* A key that comes from a table; json_key is for those written in the code. */
void json_key_of(struct json *j, const char *name);

void json_write_null(struct json *j);
void json_write_bool(struct json *j, bool v);
void json_write_uint(struct json *j, uint64_t v);
void json_write_int(struct json *j, int64_t v);
void json_write_number_or_null(struct json *j, uint64_t v); /* 0 gives null: packet numbers, ids */
void json_write_string(struct json *j, const char *s);      /* any bytes: text_append_json escapes; NULL gives null */
void json_write_strings(struct json *j, char *const *list); /* an array; NULL gives [] */
void json_write_seconds(struct json *j, int64_t ns);        /* a duration; TIME_NONE gives null */
void json_write_time(struct json *j, int64_t ns);           /* RFC 3339, 6 or 9 digits; TIME_NONE gives null */
void json_write_date(struct json *j, int64_t seconds);      /* RFC 3339, none; null outside the years 0000 to 9999 */
void json_write_addr(struct json *j, const struct addr *a, unsigned version);

/* Makes room for n bytes (n far below JSON_BUFFER). */
void json_flush(struct json *j);
static inline void json_room(struct json *j, size_t n)
{
    if (G_UNLIKELY((size_t)(j->buffer + JSON_BUFFER - j->p) < n))
        json_flush(j);
}

static inline void json_put(struct json *j, const char *bytes, size_t n)
{
    json_room(j, n);
    memcpy(j->p, bytes, n);
    j->p += n;
}

/* json_key(j, "id"): the name is a string literal without anything to escape. */
#define json_key(j, name) json_put((j), "\"" name "\":", sizeof "\"" name "\":" - 1)

/* json_member(j, "id", uint, f->id): a key and its value. */
#define json_member(j, name, type, ...) (json_key(j, name), json_write_##type(j, __VA_ARGS__))

#endif
