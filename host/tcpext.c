#include "host/tcpext.h"

#include <string.h>

/* Two lines that begin alike: names, then values. False: it is not among them. */
static bool find(const char *text, const char *name, uint64_t *value)
{
    const char *names = strstr(text, "TcpExt:"), *values = names ? strstr(names + 1, "\nTcpExt:") : NULL;

    if (!values)
        return false;
    g_autofree char *first = g_strndup(names, strcspn(names, "\n")),
                    *second = g_strndup(values + 1, strcspn(values + 1, "\n"));
    g_auto(GStrv) keys = g_strsplit(first, " ", -1);
    g_auto(GStrv) numbers = g_strsplit(second, " ", -1);
    for (guint i = 0; keys[i] && numbers[i]; i++)
        if (strcmp(keys[i], name) == 0)
            return g_ascii_string_to_unsigned(numbers[i], 10, 0, UINT64_MAX, value, NULL);
    return false;
}

uint64_t tcpext_value(const char *text, const char *name)
{
    uint64_t value = 0;

    return find(text, name, &value) ? value : 0;
}

uint64_t tcpext_now(const char *name)
{
    g_autofree char *text = NULL;

    return g_file_get_contents(TCPEXT_FILE, &text, NULL, NULL) ? tcpext_value(text, name) : 0;
}

bool tcpext_parse(const char *text, uint64_t counted[KERNEL_COUNTERS])
{
    bool any = false;

    memset(counted, 0, sizeof *counted * KERNEL_COUNTERS);
    for (int c = 0; c < KERNEL_COUNTERS; c++)
        any |= find(text, kernel_counter_name((enum kernel_counter)c), &counted[c]);
    return any;
}

bool tcpext_read(uint64_t counted[KERNEL_COUNTERS])
{
    g_autofree char *text = NULL;

    memset(counted, 0, sizeof *counted * KERNEL_COUNTERS);
    return g_file_get_contents(TCPEXT_FILE, &text, NULL, NULL) && tcpext_parse(text, counted);
}
