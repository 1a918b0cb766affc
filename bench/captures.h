/* captures: the command line of the programs that make captures: which one, into which file, how much of it. */
#ifndef TCPSLEUTH_BENCH_CAPTURES_H
#define TCPSLEUTH_BENCH_CAPTURES_H

#include "bench/frames.h"

/* What the command line asks for; each capture has its own meaning for count and extra. */
struct request {
    struct frames *out;
    uint64_t count;
    double extra;
    const char *variant;
};

struct capture {
    const char *name;
    void (*generate)(const struct request *request);
    double count, extra;
    const char *variant;
    const char *usage;
};

static inline void captures_usage(const struct capture *captures, size_t n)
{
    fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "  %s %s\n", captures[i].name, captures[i].usage);
    exit(2);
}

/* "200000", "200k", "200M", "0.005"; "-" is the default. */
static inline double parse_number(const char *text, double otherwise)
{
    char *end;
    double value = strtod(text, &end);

    if (strcmp(text, "-") == 0)
        return otherwise;
    if (*end == 'k')
        value *= 1e3, end++;
    else if (*end == 'M')
        value *= 1e6, end++;
    else if (*end == 'G')
        value *= 1e9, end++;
    if (end == text || *end || value < 0 || value > 4e9)
        errx(2, "not a number from 0 to 4G: %s", text);
    return value;
}

static inline int captures_main(int argc, char **argv, const struct capture *captures, size_t n)
{
    const struct capture *end = captures + n;

    if (argc < 3 || argc > 6)
        captures_usage(captures, n);
    for (const struct capture *capture = captures; capture < end; capture++) {
        if (strcmp(argv[1], capture->name) != 0)
            continue;
        struct frames out = frames_open(argv[2]);
        struct request request = {
            .out = &out,
            .count = (uint64_t)(argc > 3 ? parse_number(argv[3], capture->count) : capture->count),
            .extra = argc > 4 ? parse_number(argv[4], capture->extra) : capture->extra,
            .variant = argc > 5 ? argv[5] : capture->variant,
        };
        capture->generate(&request);
        frames_close(&out);
        return 0;
    }
    captures_usage(captures, n);
    return 2;
}

#endif
