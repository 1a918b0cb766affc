#include "report/words.h"
#include "report/number.h"

#include <string.h>

struct unit {
    uint64_t size;
    const char *name;
    bool tenths; /* quantities below 10 of it have one decimal place */
};

/* Ascending; the first serves what is smaller too. */
static const struct unit byte_units[] = {
    { 1, " B", false },          { 1000, " KB", true },          { 1000000, " MB", true },
    { 1000000000, " GB", true }, { 1000000000000, " TB", true },
};
static const struct unit short_units[] = {
    { 1, "", false },          { 1000, "K", true },          { 1000000, "M", true },
    { 1000000000, "G", true }, { 1000000000000, "T", true },
};
static const struct unit time_units[] = {
    { 1000, " us", false },
    { 1000000, " ms", true },
    { 1000000000, " s", true },
};

#define UNIT_FOR(units, v) unit_for(units, G_N_ELEMENTS(units), v)

static const struct unit *unit_for(const struct unit *units, size_t n, uint64_t v)
{
    while (n > 1 && v < units[n - 1].size)
        n--;
    return &units[n - 1];
}

char *words_number(char out[WORDS_ROOM], uint64_t v)
{
    *number_uint(out, v) = '\0';
    return out;
}

char *words_count(char out[WORDS_ROOM], uint64_t v)
{
    char digits[NUMBER_ROOM];
    const char *end = number_uint(digits, v);
    char *p = out;

    for (const char *d = digits; d < end; d++) {
        if (d > digits && (end - d) % 3 == 0)
            *p++ = ',';
        *p++ = *d;
    }
    *p = '\0';
    return out;
}

/* v in that unit, without its name. */
static char *quantity(char *p, uint64_t v, const struct unit *unit)
{
    if (!unit->tenths || v / unit->size >= 10)
        return number_uint(p, v / unit->size + (v % unit->size >= unit->size - unit->size / 2));
    uint64_t tenths = v / unit->size * 10 + (v % unit->size * 10 + unit->size / 2) / unit->size;
    p = number_uint(p, tenths / 10);
    *p++ = '.';
    return number_uint(p, tenths % 10);
}

static char *with_unit(char *out, uint64_t v, const struct unit *unit)
{
    strcpy(quantity(out, v, unit), unit->name);
    return out;
}

/* Both in the unit of the larger; one quantity where they look the same. */
static char *range(char *out, uint64_t low, uint64_t high, const struct unit *unit)
{
    char upper[NUMBER_ROOM];
    char *end = quantity(out, low, unit);
    size_t n = (size_t)(quantity(upper, high, unit) - upper);

    if (n != (size_t)(end - out) || memcmp(out, upper, n) != 0) {
        end = stpcpy(end, "..");
        memcpy(end, upper, n);
        end += n;
    }
    strcpy(end, unit->name);
    return out;
}

/* "2m05s": two units that follow each other. */
static char *long_duration(char *out, uint64_t seconds)
{
    static const struct {
        uint64_t large, small;
        char names[2];
    } steps[] = {
        { 86400, 3600, { 'd', 'h' } },
        { 3600, 60, { 'h', 'm' } },
        { 60, 1, { 'm', 's' } },
    };
    size_t i = seconds >= 86400 ? 0 : seconds >= 3600 ? 1 : 2;
    char *p = number_uint(out, seconds / steps[i].large);

    *p++ = steps[i].names[0];
    p = number_digits(p, seconds % steps[i].large / steps[i].small, 2);
    *p++ = steps[i].names[1];
    *p = '\0';
    return out;
}

/* Times in a file may run backwards. */
static uint64_t magnitude(char **p, int64_t ns)
{
    if (ns >= 0)
        return (uint64_t)ns;
    *(*p)++ = '-';
    return -(uint64_t)ns;
}

char *words_duration(char out[WORDS_ROOM], int64_t ns)
{
    char *p = out;

    if (ns == TIME_NONE || ns == 0)
        return strcpy(out, ns == 0 ? "0 s" : "-");
    uint64_t v = magnitude(&p, ns);
    if (v >= 120 * (uint64_t)NS_PER_S)
        long_duration(p, v / (uint64_t)NS_PER_S);
    else
        with_unit(p, v, UNIT_FOR(time_units, v));
    return out;
}

char *words_duration_range(char out[WORDS_ROOM], int64_t low_ns, int64_t high_ns)
{
    uint64_t low = (uint64_t)MAX(low_ns, 0), high = (uint64_t)MAX(high_ns, 0);

    return range(out, low, high, UNIT_FOR(time_units, high));
}

char *words_bytes(char out[WORDS_ROOM], uint64_t bytes)
{
    return with_unit(out, bytes, UNIT_FOR(byte_units, bytes));
}

char *words_bytes_range(char out[WORDS_ROOM], uint64_t low, uint64_t high)
{
    return range(out, low, high, UNIT_FOR(byte_units, high));
}

char *words_bytes_both(char out[WORDS_ROOM], const struct flow *f)
{
    uint64_t client = f->half[CLIENT].bytes, server = f->half[SERVER].bytes;

    with_unit(out, client, UNIT_FOR(short_units, client));
    char *end = stpcpy(out + strlen(out), "/");
    with_unit(end, server, UNIT_FOR(short_units, server));
    return out;
}

/* Takes the middle out of text, so that at most max columns stay. */
static void take_middle(char *text, size_t max)
{
    size_t n = strlen(text);

    if (n <= max || max < 4)
        return;
    size_t head = (max - 2 + 1) / 2, tail = max - 2 - head;
    memcpy(text + head, "..", 2);
    memmove(text + head + 2, text + n - tail, tail + 1);
}

char *words_address(char out[WORDS_ROOM], const struct addr *a, uint16_t port, unsigned version, unsigned max)
{
    char address[ADDR_TEXT_SIZE], digits[NUMBER_ROOM];
    bool brackets = version == 6;

    addr_text(address, a, version);
    *number_uint(digits, port) = '\0';
    size_t around = strlen(digits) + (brackets ? 3 : 1);
    take_middle(address, max > around + 4 ? max - around : 4);
    char *p = out;
    if (brackets)
        *p++ = '[';
    p = stpcpy(p, address);
    if (brackets)
        *p++ = ']';
    *p++ = ':';
    strcpy(p, digits);
    return out;
}

char *words_end(char out[WORDS_ROOM], const struct flow *f, enum side s, unsigned max)
{
    return words_address(out, flow_addr(f, s), flow_port(f, s), f->key.version, max);
}

static const char *short_state(unsigned state)
{
    if (state == STATE_ESTABLISHED)
        return "ESTAB";
    if (state == STATE_SYN_RECEIVED)
        return "SYN-RECV";
    const char *name = tcp_state_name(state);
    return name ? name : "-";
}

char *words_states(char out[WORDS_ROOM], unsigned client, unsigned server)
{
    strcpy(stpcpy(stpcpy(out, short_state(client)), "/"), short_state(server));
    return out;
}

struct ending ending_of(const struct flow *f)
{
    enum side first = CLIENT;
    bool closed = flow_closed_first(f, &first);

    return (struct ending){ .teardown = (uint8_t)flow_teardown(f),
                            .first_fin = closed ? (uint8_t)(1 + first) : 0,
                            .reset_by = f->reset.packet ? (uint8_t)(1 + f->reset.by) : 0,
                            .time_wait = (uint8_t)flow_time_wait(f) };
}

/* Of 1 + enum side; 0 cannot occur where it is asked for, and is taken for the client. */
static enum side side_of(uint8_t who)
{
    return who == 1 + SERVER ? SERVER : CLIENT;
}

static char *orderly_ending(char *out, struct ending e)
{
    enum side first = side_of(e.first_fin);
    char *p = stpcpy(stpcpy(out, "closed by "), side_name(first));

    if (e.time_wait == 3)
        strcpy(p, ", TIME-WAIT at both");
    else if (e.time_wait == 1u << first)
        strcpy(p, ", TIME-WAIT there");
    else if (e.time_wait)
        strcpy(stpcpy(p, ", TIME-WAIT at "), side_name(other_side(first)));
    return out;
}

char *words_ending(char out[WORDS_ROOM], struct ending e)
{
    switch ((enum teardown_outcome)e.teardown) {
    case TEARDOWN_FIN:
        return orderly_ending(out, e);
    case TEARDOWN_HALF_CLOSED:
        strcpy(stpcpy(out, "half closed by "), side_name(side_of(e.first_fin)));
        return out;
    case TEARDOWN_FIN_UNACKED:
        return strcpy(out, "closing, a FIN not acknowledged");
    case TEARDOWN_RESET:
        strcpy(stpcpy(out, "reset by "), side_name(side_of(e.reset_by)));
        return out;
    case TEARDOWN_NONE:
        break;
    }
    return strcpy(out, "open at the end");
}

char *words_time(char out[WORDS_ROOM], int64_t ns, bool nanoseconds)
{
    uint32_t beyond;
    int64_t seconds = number_split_ns(ns, &beyond);
    char *p = ns == TIME_NONE ? out : number_date(out, seconds);

    if (p == out)
        return strcpy(out, "-");
    *strchr(out, 'T') = ' ';
    *p++ = '.';
    p = number_digits(p, nanoseconds ? beyond : beyond / 1000, nanoseconds ? 9 : 6);
    strcpy(p, " UTC");
    return out;
}

char *words_flags(char out[WORDS_ROOM], unsigned flags)
{
    static const struct {
        unsigned bit;
        char letter;
    } letters[] = {
        { TCP_FIN, 'F' }, { TCP_SYN, 'S' }, { TCP_RST, 'R' }, { TCP_PSH, 'P' }, { TCP_ACK, '.' },
        { TCP_URG, 'U' }, { TCP_ECE, 'E' }, { TCP_CWR, 'W' }, { TCP_AE, 'e' },
    };
    char *p = out;

    for (size_t i = 0; i < G_N_ELEMENTS(letters); i++)
        if (flags & letters[i].bit)
            *p++ = letters[i].letter;
    *p = '\0';
    if (p == out)
        strcpy(out, "none");
    return out;
}
