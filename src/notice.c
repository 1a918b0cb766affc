#include "src/notice.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void append_printable(GString *line, const char *text)
{
    for (;;) {
        size_t n = strcspn(text, "\\");
        text_append_terminal(line, slice_of(text, n));
        if (!text[n])
            return;
        g_string_append_c(line, '\\');
        text += n + 1;
    }
}

void notice(const char *format, ...)
{
    g_autoptr(GString) line = g_string_new("tcpsleuth: ");
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    append_printable(line, text);
    g_string_append_c(line, '\n');
    fputs(line->str, stderr);
}
