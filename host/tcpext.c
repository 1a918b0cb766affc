#include "host/tcpext.h"

#include <string.h>

/* Two lines that begin alike: names, then values. False: they are not there. Free both with g_strfreev. */
static bool split(const char *text, char ***names, char ***values)
{
    const char *first = strstr(text, "TcpExt:"), *second = first ? strstr(first + 1, "\nTcpExt:") : NULL;

    if (!second)
        return false;
    g_autofree char *head = g_strndup(first, strcspn(first, "\n")),
                    *tail = g_strndup(second + 1, strcspn(second + 1, "\n"));
    *names = g_strsplit(head, " ", -1);
    *values = g_strsplit(tail, " ", -1);
    return true;
}

/* False: it is not among them. */
static bool find(char *const *names, char *const *values, const char *name, uint64_t *value)
{
    for (guint i = 0; names[i] && values[i]; i++)
        if (strcmp(names[i], name) == 0)
            return g_ascii_string_to_unsigned(values[i], 10, 0, UINT64_MAX, value, NULL);
    return false;
}

uint64_t tcpext_value(const char *text, const char *name)
{
    g_auto(GStrv) names = NULL, values = NULL;
    uint64_t value = 0;

    return split(text, &names, &values) && find(names, values, name, &value) ? value : 0;
}

uint64_t tcpext_now(const char *name)
{
    g_autofree char *text = NULL;

    return g_file_get_contents(TCPEXT_FILE, &text, NULL, NULL) ? tcpext_value(text, name) : 0;
}

bool tcpext_parse(const char *text, uint64_t counted[KERNEL_COUNTERS])
{
    g_auto(GStrv) names = NULL, values = NULL;
    bool any = false;

    memset(counted, 0, sizeof *counted * KERNEL_COUNTERS);
    if (!split(text, &names, &values))
        return false;
    for (int c = 0; c < KERNEL_COUNTERS; c++)
        any |= find(names, values, kernel_counter_name((enum kernel_counter)c), &counted[c]);
    return any;
}

bool tcpext_read(uint64_t counted[KERNEL_COUNTERS])
{
    g_autofree char *text = NULL;

    memset(counted, 0, sizeof *counted * KERNEL_COUNTERS);
    return g_file_get_contents(TCPEXT_FILE, &text, NULL, NULL) && tcpext_parse(text, counted);
}
