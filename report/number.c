#include "report/number.h"
#include "base/timens.h"

#include <string.h>
#include <time.h>

/* "00" to "99": numbers are written two digits at a time. */
static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static unsigned count_digits(uint64_t v)
{
    unsigned n = 1;
    for (; v >= 10000; v /= 10000)
        n += 4;
    return n + (v >= 10) + (v >= 100) + (v >= 1000);
}

char *number_digits(char *p, uint64_t v, unsigned n)
{
    char *end = p + n;
    for (char *at = end; at > p;) {
        if (at - p == 1) {
            *--at = (char)('0' + v % 10);
            break;
        }
        at -= 2;
        memcpy(at, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    return end;
}

char *number_uint(char *p, uint64_t v)
{
    if (v < 10) {
        *p = (char)('0' + v);
        return p + 1;
    }
    return number_digits(p, v, count_digits(v));
}

char *number_int(char *p, int64_t v)
{
    if (v >= 0)
        return number_uint(p, (uint64_t)v);
    *p = '-';
    return number_uint(p + 1, -(uint64_t)v);
}

char *number_seconds(char *p, int64_t ns, unsigned decimals)
{
    uint64_t rest = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    uint64_t whole = 0;
    if (rest >= (uint64_t)NS_PER_S) {
        whole = rest / (uint64_t)NS_PER_S;
        rest %= (uint64_t)NS_PER_S;
    }
    for (unsigned i = decimals; i < 9; i++)
        rest /= 10;
    if (ns < 0 && (whole || rest))
        *p++ = '-';
    p = number_uint(p, whole);
    *p++ = '.';
    if (rest == 0) {
        *p = '0';
        return p + 1;
    }
    p = number_digits(p, rest, decimals);
    while (p[-1] == '0')
        p--;
    return p;
}

char *number_clock(char *p, uint32_t second)
{
    p = number_digits(p, second / 3600, 2);
    *p++ = ':';
    p = number_digits(p, second / 60 % 60, 2);
    *p++ = ':';
    return number_digits(p, second % 60, 2);
}

char *number_date(char *p, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    if (t != seconds || !gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
        return p;
    p = number_digits(p, (uint64_t)(tm.tm_year + 1900), 4);
    *p++ = '-';
    p = number_digits(p, (uint64_t)(tm.tm_mon + 1), 2);
    *p++ = '-';
    p = number_digits(p, (uint64_t)tm.tm_mday, 2);
    *p++ = 'T';
    return number_clock(p, (uint32_t)(tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec));
}

int64_t number_split_ns(int64_t ns, uint32_t *beyond)
{
    int64_t seconds = ns / NS_PER_S;
    int64_t rest = ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    *beyond = (uint32_t)rest;
    return seconds;
}

char *number_ipv4(char *p, const struct addr *a)
{
    for (unsigned i = 12; i < 16; i++) {
        if (i > 12)
            *p++ = '.';
        p = number_uint(p, a->bytes[i]);
    }
    return p;
}
