/* sentence: a step's line put together in place: bounded, without printf, copied out once. Texts from outside are
 * cleaned by the dissectors and are cut between characters.
 */
#ifndef TCPSLEUTH_DIAGNOSE_SENTENCE_H
#define TCPSLEUTH_DIAGNOSE_SENTENCE_H

#include "base/addr.h"

#include <stddef.h>
#include <stdint.h>

/* A line with two URLs fits; what does not is left out. */
#define SENTENCE_SIZE 240

/* Bytes shown of a URL, of a name and of another text from outside. */
#define SAY_URL 80
#define SAY_NAME 60
#define SAY_TEXT 40

/* Start with { 0 }. */
struct sentence {
    size_t n;
    char text[SENTENCE_SIZE];
};

void say(struct sentence *s, const char *text);                     /* the project's own words */
void say_outside(struct sentence *s, const char *text, size_t max); /* UTF-8; "..." where it is cut; NULL: nothing */
void say_number(struct sentence *s, uint64_t v);
void say_duration(struct sentence *s, int64_t ns); /* "0.05 ms", "1.7 ms", "16 ms", "2.0 s", "35 s", "5 min" */
void say_bytes(struct sentence *s, uint64_t v);    /* "302 bytes", "12.3 KB" */
void say_addr(struct sentence *s, const struct addr *a, unsigned version);
void say_end(struct sentence *s, const struct addr *a, uint16_t port,
             unsigned version); /* "192.0.2.1:80", "[2001:db8::1]:80" */

/* A copy of the line; free with g_free. */
char *sentence_dup(const struct sentence *s);

#endif
