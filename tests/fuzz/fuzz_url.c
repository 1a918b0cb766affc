#include "diagnose/url.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line of a Host field, a line of a request target, and a Location: as the HTTP dissector hands them on, valid UTF-8. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_utf8_make_valid((const char *)data, (gssize)MIN(size, LIMIT_HTTP_VALUE));
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    char base[URL_ROOM] = "http://h/";
    struct url url;

    if (g_strv_length(lines) < 3)
        return 0;
    url_of_request(base, false, lines[0], lines[1]);
    url_resolve(&url, base, lines[2]);
    g_assert_true(g_utf8_validate(url.text, -1, NULL) && (!url.host || url.hash));
    url_clear(&url);
    return 0;
}
