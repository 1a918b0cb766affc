/* text: the one place where untrusted bytes become text. Report writers print nothing from outside in any other way. */
#ifndef TCPSLEUTH_BASE_TEXT_H
#define TCPSLEUTH_BASE_TEXT_H

#include "base/bytes.h"

#include <glib.h>

/* Appends s for a terminal: printable UTF-8 as it is; control characters (C0, DEL, C1), bidirectional overrides, other
 * invisible format characters, line separators and bytes that are not UTF-8 as \xNN; a backslash as \\. */
void text_append_terminal(GString *out, struct slice s);

/* Appends s as the inside of a JSON string (RFC 8259): quote and backslash escaped, everything that is not printable as
 * \uNNNN (short forms where JSON has one), bytes that are not valid UTF-8 as U+FFFD. */
void text_append_json(GString *out, struct slice s);

/* Appends s for HTML text and attribute values: & < > " ' as entities, what is not printable and invalid bytes as
 * U+FFFD. */
void text_append_html(GString *out, struct slice s);

/* A newly allocated NUL-terminated copy of s that is valid UTF-8 without NUL: what a dissector keeps of a name. Invalid
 * bytes and NUL become U+FFFD; at most max bytes of s are looked at, and a character that this limit splits is left out. Free
 * with g_free. */
char *text_dup_utf8(struct slice s, size_t max);

#endif
