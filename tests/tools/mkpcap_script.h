/* mkpcap_script: a line of a packet script as tokens, the numbers, times and addresses in it, and the one way to fail:
 * "FILE:LINE: reason" and exit status 1. The language is described in tests/pcaps/README.md. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_SCRIPT_H
#define TCPSLEUTH_TESTS_MKPCAP_SCRIPT_H

#include "base/addr.h"
#include "base/timens.h"
#include "tests/tools/mkpcap_bytes.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum token_kind { TOKEN_WORD, TOKEN_STRING, TOKEN_OPTIONS };

/* text is NUL-terminated; n counts without it (a string may hold NULs). */
struct token {
    enum token_kind kind;
    const char *text;
    size_t n;
};

#define LINE_TOKENS 64

struct line {
    const char *file;
    unsigned number;
    struct token token[LINE_TOKENS];
    unsigned n, at; /* tokens, and the one to read next */
    char *pool;     /* their text */
};

/* Counters of the repeat blocks around a line. */
#define LINE_COUNTERS 8
struct counters {
    struct { char *name; long value; } at[LINE_COUNTERS];
    unsigned n;
};

static _Noreturn void fail(const struct line *l, const char *format, ...) G_GNUC_PRINTF(2, 3);

static _Noreturn void fail(const struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%u: ", l->file, l->number);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* --- tokens --- */

static inline char escaped(const struct line *l, const char **p)
{
    char c = *(*p)++;
    switch (c) {
    case 'r': return '\r';
    case 'n': return '\n';
    case 't': return '\t';
    case '0': return '\0';
    case '\\': case '"': return c;
    case 'x':
        if (g_ascii_isxdigit((*p)[0]) && g_ascii_isxdigit((*p)[1])) {
            int value = g_ascii_xdigit_value((*p)[0]) << 4 | g_ascii_xdigit_value((*p)[1]);
            *p += 2;
            return (char)value;
        }
        fail(l, "\\x wants two hexadecimal digits");
    default: fail(l, "unknown escape \\%c", c);
    }
}

static inline const char *read_string(struct line *l, const char *p, char **out)
{
    while (*p != '"') {
        if (!*p)
            fail(l, "the string has no closing quote");
        if (*p == '\\') {
            p++;
            *(*out)++ = escaped(l, &p);
        } else {
            *(*out)++ = *p++;
        }
    }
    return p + 1;
}

static inline const char *read_options(struct line *l, const char *p, char **out)
{
    const char *end = strchr(p, '>');
    if (!end)
        fail(l, "the option list has no closing >");
    memcpy(*out, p, (size_t)(end - p));
    *out += end - p;
    return end + 1;
}

static inline const char *read_token(struct line *l, const char *p, char **out)
{
    if (l->n == LINE_TOKENS)
        fail(l, "more than %d words", LINE_TOKENS);
    struct token *t = &l->token[l->n++];
    t->text = *out;
    if (*p == '"') {
        t->kind = TOKEN_STRING;
        p = read_string(l, p + 1, out);
    } else if (*p == '<' && p[1] && !g_ascii_isspace(p[1])) {
        t->kind = TOKEN_OPTIONS;
        p = read_options(l, p + 1, out);
    } else {
        t->kind = TOKEN_WORD;
        while (*p && !g_ascii_isspace(*p) && *p != '"' && *p != '#')
            *(*out)++ = *p++;
    }
    t->n = (size_t)(*out - t->text);
    *(*out)++ = '\0';
    return p;
}

/* Splits text (counters already put in) into l's tokens; free l->pool afterwards. */
static inline void line_split(struct line *l, const char *text)
{
    l->pool = g_malloc(2 * strlen(text) + 2); /* no token is longer than its source and a NUL */
    l->n = l->at = 0;
    char *out = l->pool;
    for (const char *p = text; *p;) {
        if (g_ascii_isspace(*p))
            p++;
        else if (*p == '#')
            break;
        else
            p = read_token(l, p, &out);
    }
}

static inline const struct token *peek(const struct line *l)
{
    return l->at < l->n ? &l->token[l->at] : NULL;
}

/* Takes the next token if it is this word. */
static inline bool take(struct line *l, const char *word)
{
    const struct token *t = peek(l);
    bool is = t && t->kind == TOKEN_WORD && strcmp(t->text, word) == 0;
    l->at += is;
    return is;
}

/* The next word; what says what is missing if there is none. */
static inline const char *word(struct line *l, const char *what)
{
    const struct token *t = peek(l);
    if (!t || t->kind != TOKEN_WORD)
        fail(l, "%s is missing", what);
    l->at++;
    return t->text;
}

static inline void expect(struct line *l, const char *text)
{
    if (!take(l, text))
        fail(l, "'%s' is missing%s%s", text, peek(l) ? " before " : "", peek(l) ? peek(l)->text : "");
}

static inline void expect_end(struct line *l)
{
    if (peek(l))
        fail(l, "do not know what to do with '%s'", peek(l)->text);
}

/* The next word without taking it; NULL where there is none. */
static inline const char *next_word(const struct line *l)
{
    const struct token *t = peek(l);
    return t && t->kind == TOKEN_WORD ? t->text : NULL;
}

/* --- values --- */

static inline uint32_t to_number(const struct line *l, const char *text, uint32_t max)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 0);
    if (!g_ascii_isdigit(*text) || *end || value > max)
        fail(l, "'%s' is not a number from 0 to %u", text, max);
    return (uint32_t)value;
}

static inline uint32_t number(struct line *l, const char *what, uint32_t max)
{
    return to_number(l, word(l, what), max);
}

/* "on" or "off". */
static inline bool to_switch(const struct line *l, const char *text)
{
    bool on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0)
        fail(l, "'%s' is neither on nor off", text);
    return on;
}

/* One word for both sides, or two with a slash between: "64" or "64/57". Free with g_strfreev. */
static inline char **pair(struct line *l, const char *what)
{
    const char *text = word(l, what);
    char **two = g_strsplit(text, "/", 2);
    if (!two[1]) {
        g_strfreev(two);
        two = g_new0(char *, 3);
        two[0] = g_strdup(text);
        two[1] = g_strdup(text);
    }
    return two;
}

static inline void number_pair(struct line *l, const char *what, uint32_t max, uint32_t out[2])
{
    g_auto(GStrv) two = pair(l, what);
    for (int i = 0; i < 2; i++)
        out[i] = to_number(l, two[i], max);
}

/* Seconds with any number of decimals, or with a unit: 0.02 20ms 50us 7ns. */
static inline int64_t to_duration(const struct line *l, const char *text)
{
    int64_t whole = 0, fraction = 0, unit = NS_PER_S, scale = 1;
    const char *p = text;
    for (; g_ascii_isdigit(*p) && whole < 1000000000; p++)
        whole = whole * 10 + (*p - '0');
    if (p != text && *p == '.')
        for (p++; g_ascii_isdigit(*p) && scale < NS_PER_S; p++, scale *= 10)
            fraction = fraction * 10 + (*p - '0');
    if (strcmp(p, "ms") == 0)
        unit = NS_PER_MS;
    else if (strcmp(p, "us") == 0)
        unit = NS_PER_US;
    else if (strcmp(p, "ns") == 0)
        unit = 1;
    else if (p == text || (*p && strcmp(p, "s") != 0))
        fail(l, "'%s' is not a time such as 0.020, 20ms or 50us", text);
    return whole * unit + fraction * unit / scale;
}

static inline int64_t duration(struct line *l, const char *what)
{
    return to_duration(l, word(l, what));
}

/* Either version; returns 4 or 6. */
static inline unsigned to_addr(const struct line *l, const char *text, struct addr *out)
{
    uint8_t raw[16];
    if (inet_pton(AF_INET, text, raw) == 1) {
        *out = addr_v4(raw);
        return 4;
    }
    if (inet_pton(AF_INET6, text, raw) != 1)
        fail(l, "'%s' is not an IP address", text);
    *out = addr_v6(raw);
    return 6;
}

static inline unsigned address(struct line *l, const char *what, struct addr *out)
{
    return to_addr(l, word(l, what), out);
}

/* 192.0.2.1:80 or [2001:db8::1]:80. */
static inline unsigned endpoint(struct line *l, struct addr *addr, uint16_t *port)
{
    const char *text = word(l, "ADDRESS:PORT");
    const char *colon = strrchr(text, ':');
    if (!colon)
        fail(l, "'%s' has no port", text);
    g_autofree char *host = g_strndup(text, (size_t)(colon - text));
    size_t n = strlen(host);
    bool brackets = n > 2 && host[0] == '[' && host[n - 1] == ']';
    if (brackets)
        host[n - 1] = '\0';
    unsigned version = to_addr(l, host + brackets, addr);
    if (version == 6 && !brackets)
        fail(l, "write an IPv6 address with a port as [%s]:%s", host, colon + 1);
    *port = (uint16_t)to_number(l, colon + 1, 65535);
    return version;
}

static inline void to_mac(const struct line *l, const char *text, uint8_t mac[6])
{
    char rest;
    unsigned b[6];
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &rest) != 6)
        fail(l, "'%s' is not a MAC address", text);
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)b[i];
}

/* Hexadecimal digits, in pairs, appended to out. */
static inline void to_hex(const struct line *l, const char *text, GByteArray *out)
{
    for (const char *p = text; *p; p += 2) {
        if (!g_ascii_isxdigit(p[0]) || !g_ascii_isxdigit(p[1]))
            fail(l, "'%s' is not a row of pairs of hexadecimal digits", text);
        put_u8(out, (unsigned)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1])));
    }
}

/* --- counters: $i and $(1 + $i * 1460) --- */

static inline long counter_value(const struct line *l, const struct counters *c, const char **p)
{
    size_t n = strspn(*p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    for (unsigned i = c->n; i-- > 0;) {
        if (n && strlen(c->at[i].name) == n && strncmp(*p, c->at[i].name, n) == 0) {
            *p += n;
            return c->at[i].value;
        }
    }
    fail(l, "no repeat around this line has a counter '$%.*s'", (int)n, *p);
}

static inline long expression(const struct line *l, const struct counters *c, const char **p);

static inline void skip_blanks(const char **p)
{
    while (**p == ' ')
        ++*p;
}

static inline long in_brackets(const struct line *l, const struct counters *c, const char **p)
{
    ++*p;
    long value = expression(l, c, p);
    if (**p != ')')
        fail(l, "a ) is missing in the expression");
    ++*p;
    return value;
}

static inline long factor(const struct line *l, const struct counters *c, const char **p)
{
    skip_blanks(p);
    long value;
    if (**p == '(') {
        value = in_brackets(l, c, p);
    } else if (g_ascii_isdigit(**p)) {
        value = strtol(*p, (char **)p, 10);
    } else {
        *p += **p == '$';
        value = counter_value(l, c, p);
    }
    skip_blanks(p);
    return value;
}

static inline long product(const struct line *l, const struct counters *c, const char **p)
{
    long value = factor(l, c, p);
    while (**p == '*' || **p == '/' || **p == '%') {
        char op = *(*p)++;
        long right = factor(l, c, p);
        if (op != '*' && right == 0)
            fail(l, "division by zero");
        value = op == '*' ? value * right : op == '/' ? value / right : value % right;
    }
    return value;
}

static inline long expression(const struct line *l, const struct counters *c, const char **p)
{
    long value = product(l, c, p);
    while (**p == '+' || **p == '-') {
        char op = *(*p)++;
        long right = product(l, c, p);
        value = op == '+' ? value + right : value - right;
    }
    return value;
}

/* The text with every counter and expression replaced by its value; $$ is a dollar. Free with g_free. */
static inline char *counters_expand(const struct line *l, const struct counters *c, const char *text)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p;) {
        if (*p != '$') {
            g_string_append_c(out, *p++);
        } else if (*++p == '$') {
            g_string_append_c(out, *p++);
        } else {
            g_string_append_printf(out, "%ld", *p == '(' ? in_brackets(l, c, &p) : counter_value(l, c, &p));
        }
    }
    return g_string_free(out, FALSE);
}

#endif
