#include "host/tcpext.h"

#include <string.h>

static bool take(const char *key, const char *number, uint64_t counted[KERNEL_COUNTERS])
{
    for (int c = 0; c < KERNEL_COUNTERS; c++)
        if (strcmp(key, kernel_counter_name((enum kernel_counter)c)) == 0)
            return g_ascii_string_to_unsigned(number, 10, 0, UINT64_MAX, &counted[c], NULL);
    return false;
}

/* Two lines that begin alike: names, then values. */
bool tcpext_parse(const char *text, uint64_t counted[KERNEL_COUNTERS])
{
    const char *names = strstr(text, "TcpExt:"), *values = names ? strstr(names + 1, "\nTcpExt:") : NULL;
    bool any = false;

    memset(counted, 0, sizeof *counted * KERNEL_COUNTERS);
    if (!values)
        return false;
    g_autofree char *first = g_strndup(names, strcspn(names, "\n")),
                    *second = g_strndup(values + 1, strcspn(values + 1, "\n"));
    g_auto(GStrv) keys = g_strsplit(first, " ", -1);
    g_auto(GStrv) numbers = g_strsplit(second, " ", -1);
    for (guint i = 0; keys[i] && numbers[i]; i++)
        any |= take(keys[i], numbers[i], counted);
    return any;
}

bool tcpext_read(uint64_t counted[KERNEL_COUNTERS])
{
    g_autofree char *text = NULL;

    memset(counted, 0, sizeof *counted * KERNEL_COUNTERS);
    return g_file_get_contents("/proc/net/netstat", &text, NULL, NULL) && tcpext_parse(text, counted);
}
