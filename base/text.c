#include "base/text.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD in UTF-8 */

/* One step through untrusted text: a character, or a byte that belongs to none. */
struct piece {
    struct slice bytes; /* 1 to 4 of them */
    gunichar ch;        /* the character where valid, else the byte */
    bool valid;         /* well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF */
    bool printable;     /* valid, and it can be shown without moving, hiding or reordering what stands around it */
};

/* Format characters hold the bidirectional overrides and the invisible ones; the two separators break lines. */
static bool is_printable(gunichar ch)
{
    return g_unichar_isprint(ch) && ch != 0x2028 && ch != 0x2029;
}

/* Takes the next piece off *rest, which is not empty. */
static struct piece next_piece(struct slice *rest)
{
    struct piece piece = { { rest->p, 1 }, rest->p[0], false, false };
    if (piece.ch < 0x80) {
        piece.valid = true;
        piece.printable = piece.ch >= 0x20 && piece.ch != 0x7f;
    } else {
        gunichar ch = g_utf8_get_char_validated((const char *)rest->p, (gssize)MIN(rest->n, 4));
        /* (gunichar)-1 and -2: not UTF-8, and cut in the middle. */
        if (ch < (gunichar)-2) {
            piece.ch = ch;
            piece.bytes.n = (size_t)g_unichar_to_utf8(ch, NULL);
            piece.valid = true;
            piece.printable = is_printable(ch);
        }
    }
    *rest = slice_of(rest->p + piece.bytes.n, rest->n - piece.bytes.n);
    return piece;
}

static void append_bytes(GString *out, struct slice s)
{
    g_string_append_len(out, (const char *)s.p, (gssize)s.n);
}

/* The common case at once: takes the printable ASCII that s begins with, up to the first of the special characters, and
 * appends it as it is. */
static void append_plain(GString *out, struct slice *s, const char *special)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= 0x20 && s->p[n] < 0x7f && !strchr(special, s->p[n]))
        n++;
    if (n == 0)
        return;
    append_bytes(out, slice_of(s->p, n));
    *s = slice_of(s->p + n, s->n - n);
}

void text_append_terminal(GString *out, struct slice s)
{
    for (append_plain(out, &s, "\\"); s.n > 0; append_plain(out, &s, "\\")) {
        struct piece piece = next_piece(&s);
        if (piece.ch == '\\' && piece.valid) {
            g_string_append(out, "\\\\");
        } else if (piece.printable) {
            append_bytes(out, piece.bytes);
        } else {
            for (size_t i = 0; i < piece.bytes.n; i++)
                g_string_append_printf(out, "\\x%02x", piece.bytes.p[i]);
        }
    }
}

/* \uXXXX, as a surrogate pair above U+FFFF (RFC 8259 section 7). */
static void append_json_escape(GString *out, gunichar ch)
{
    if (ch > 0xffff) {
        ch -= 0x10000;
        g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800 + (ch >> 10), 0xdc00 + (ch & 0x3ff));
    } else {
        g_string_append_printf(out, "\\u%04x", ch);
    }
}

/* The two-character escapes; NULL where ch has none. */
static const char *json_short_escape(gunichar ch)
{
    switch (ch) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

void text_append_json(GString *out, struct slice s)
{
    for (append_plain(out, &s, "\"\\"); s.n > 0; append_plain(out, &s, "\"\\")) {
        struct piece piece = next_piece(&s);
        const char *escape = piece.valid ? json_short_escape(piece.ch) : REPLACEMENT;
        if (escape)
            g_string_append(out, escape);
        else if (piece.printable)
            append_bytes(out, piece.bytes);
        else
            append_json_escape(out, piece.ch); /* people look at JSON on terminals too */
    }
}

static const char *html_entity(gunichar ch)
{
    switch (ch) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void text_append_html(GString *out, struct slice s)
{
    for (append_plain(out, &s, "&<>\"'"); s.n > 0; append_plain(out, &s, "&<>\"'")) {
        struct piece piece = next_piece(&s);
        const char *entity = piece.printable ? html_entity(piece.ch) : REPLACEMENT;
        if (entity)
            g_string_append(out, entity);
        else
            append_bytes(out, piece.bytes);
    }
}

/* s cut to at most max bytes; a character that the cut would split is left out. */
static struct slice cut_between_characters(struct slice s, size_t max)
{
    if (s.n <= max)
        return s;
    size_t n = max;
    while (n > 0 && max - n < 4 && (s.p[n] & 0xc0) == 0x80)
        n--;
    /* Only where a character really stands across the cut: else the continuation bytes are just invalid. */
    struct slice across = slice_of(s.p + n, s.n - n);
    if (across.n > 0 && n < max && next_piece(&across).bytes.n > max - n)
        return slice_of(s.p, n);
    return slice_of(s.p, max);
}

char *text_dup_utf8(struct slice s, size_t max)
{
    s = cut_between_characters(s, max);
    GString *out = g_string_sized_new(s.n + 1);
    while (s.n > 0) {
        struct piece piece = next_piece(&s);
        if (piece.valid && piece.ch != 0)
            append_bytes(out, piece.bytes);
        else
            g_string_append(out, REPLACEMENT);
    }
    return g_string_free(out, FALSE);
}
