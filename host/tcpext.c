#include "host/tcpext.h"

#include <glib.h>
#include <string.h>

/* Two lines that begin alike: names, then values. */
bool tcpext_parse(const char *text, struct tcpext *out)
{
    const char *names = strstr(text, "TcpExt:"), *values = names ? strstr(names + 1, "\nTcpExt:") : NULL;

    *out = (struct tcpext){ 0 };
    if (!values)
        return false;
    g_autofree char *first = g_strndup(names, strcspn(names, "\n")),
                    *second = g_strndup(values + 1, strcspn(values + 1, "\n"));
    g_auto(GStrv) keys = g_strsplit(first, " ", -1);
    g_auto(GStrv) numbers = g_strsplit(second, " ", -1);
    for (guint i = 0; keys[i] && numbers[i]; i++)
        if (strcmp(keys[i], "ListenOverflows") == 0)
            return g_ascii_string_to_unsigned(numbers[i], 10, 0, UINT64_MAX, &out->listen_overflows, NULL);
    return false;
}

bool tcpext_read(struct tcpext *out)
{
    g_autofree char *text = NULL;

    *out = (struct tcpext){ 0 };
    return g_file_get_contents("/proc/net/netstat", &text, NULL, NULL) && tcpext_parse(text, out);
}
