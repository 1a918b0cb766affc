#include "diagnose/sentence.h"

#include "base/timens.h"

#include <glib.h>

static void put(struct sentence *s, const char *bytes, size_t n)
{
    if (n > SENTENCE_SIZE - s->n)
        return;
    memcpy(s->text + s->n, bytes, n);
    s->n += n;
}

void say(struct sentence *s, const char *text)
{
    put(s, text, strlen(text));
}

void say_outside(struct sentence *s, const char *text, size_t max)
{
    if (!text)
        return;
    size_t n = strnlen(text, max + 1);
    if (n <= max) {
        put(s, text, n);
        return;
    }
    for (n = max - 3; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;) /* not inside a character */
        n--;
    put(s, text, n);
    put(s, "...", 3);
}

void say_number(struct sentence *s, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    put(s, digits + at, sizeof digits - at);
}

/* v / unit with one decimal. */
static void say_tenths(struct sentence *s, uint64_t v, uint64_t unit)
{
    uint64_t tenths = v / unit * 10 + (v % unit * 10 + unit / 2) / unit;

    say_number(s, tenths / 10);
    say(s, ".");
    say_number(s, tenths % 10);
}

void say_duration(struct sentence *s, int64_t ns)
{
    uint64_t v = ns < 0 ? 0 : (uint64_t)ns;

    if (v < 95000) { /* hundredths of a millisecond */
        say(s, "0.0");
        say_number(s, (v + 5000) / 10000);
        say(s, " ms");
    } else if (v < 9950 * (uint64_t)NS_PER_US) {
        say_tenths(s, v, (uint64_t)NS_PER_MS);
        say(s, " ms");
    } else if (v < (uint64_t)NS_PER_S) {
        say_number(s, (v + (uint64_t)NS_PER_MS / 2) / (uint64_t)NS_PER_MS);
        say(s, " ms");
    } else if (v < 10 * (uint64_t)NS_PER_S) {
        say_tenths(s, v, (uint64_t)NS_PER_S);
        say(s, " s");
    } else {
        uint64_t seconds = (v + (uint64_t)NS_PER_S / 2) / (uint64_t)NS_PER_S;
        say_number(s, seconds < 180 ? seconds : seconds / 60);
        say(s, seconds < 180 ? " s" : " min");
    }
}

void say_bytes(struct sentence *s, uint64_t v)
{
    static const char *const units[] = {" KB", " MB", " GB", " TB"};
    uint64_t unit = 1000;
    size_t i = 0;

    if (v < 1000) {
        say_number(s, v);
        say(s, v == 1 ? " byte" : " bytes");
        return;
    }
    for (; i + 1 < G_N_ELEMENTS(units) && v / unit >= 1000; i++)
        unit *= 1000;
    say_tenths(s, v, unit);
    say(s, units[i]);
}

void say_addr(struct sentence *s, const struct addr *a, unsigned version)
{
    char text[ADDR_TEXT_SIZE];

    if (version != 4) {
        say(s, addr_text(text, a, version));
        return;
    }
    for (int i = 12; i < 16; i++) { /* the common case, without inet_ntop's sprintf */
        if (i > 12)
            say(s, ".");
        say_number(s, a->bytes[i]);
    }
}

void say_end(struct sentence *s, const struct addr *a, uint16_t port, unsigned version)
{
    say(s, version == 6 ? "[" : "");
    say_addr(s, a, version);
    say(s, version == 6 ? "]:" : ":");
    say_number(s, port);
}

char *sentence_dup(const struct sentence *s)
{
    return g_strndup(s->text, s->n);
}
