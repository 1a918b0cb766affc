/* talker: a TCP server or client that does what its steps say, however bad the manners are.
 *
 *     talker listen PORT [SETTING...] STEP...        each connection goes through the steps, in a process of its own
 *     talker connect HOST PORT [SETTING...] STEP...  exit status 0 if every step went as it should, 1 with the reason
 * if not
 *
 *     rcvbuf=N backlog=N from=PORT isn=N             settings: receive buffer, accept queue, the client's port and
 * first number full=N                                         a listener that accepts nothing and whose queue has room
 * for N more
 *
 *     request      reads up to an empty line            answer=N   a 200 with a body of N bytes
 *     read=N       reads N bytes                        head=N     the head of such an answer alone
 *     drain        reads up to the peer's FIN           send=N     N bytes
 *     sleep=S      does nothing for S seconds           get=PATH   a GET
 *     hold         does nothing any more, for a minute  fin        closes its own direction
 *     again        begins with the first step           reset      RST
 *
 * A mode is the name of a list of steps: the table below.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STEPS_MAX = 64, HOLD_S = 60, TIME_LIMIT_S = 120, BLOCK = 16384 };

static const struct {
    const char *name, *steps;
} modes[] = {
    { "silent", "request hold" },
    { "slow", "request sleep=1.5 answer=1000 drain" },
    { "never-reads", "rcvbuf=4096 hold" },
    { "reads-late", "rcvbuf=4096 sleep=2 drain" },
    { "resets-middle", "request head=100000 send=30000 sleep=0.2 reset" },
    { "closes-early", "request head=100000 send=30000 fin drain" },
    { "never-closes", "request answer=1000 drain hold" },
    { "resets-at-once", "reset" },
    { "closes-at-once", "fin drain" },
    { "keeps-alive", "request answer=1000 again" },
    { "big", "request answer=3000000 drain" },
};

struct talk {
    const char *steps[STEPS_MAX];
    int count;
    int64_t rcvbuf, backlog, from, full, isn;
};

static bool failed(const char *what)
{
    fprintf(stderr, "talker: %s: %s\n", what, errno ? strerror(errno) : "the connection ended");
    return false;
}

static void sleep_for(double seconds)
{
    struct timespec t = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

/* --- steps --- */

static bool send_all(int s, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(s, bytes, n, MSG_NOSIGNAL);
        if (sent < 0)
            return failed("send");
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool send_filler(int s, size_t n)
{
    static char block[BLOCK];
    memset(block, 'x', sizeof block);
    for (; n > 0; n -= n < sizeof block ? n : sizeof block)
        if (!send_all(s, block, n < sizeof block ? n : sizeof block))
            return false;
    return true;
}

static bool send_head(int s, size_t n)
{
    char head[128];
    int size =
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", n);
    return send_all(s, head, (size_t)size);
}

static bool send_get(int s, const char *path)
{
    char text[512];
    int size = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: www.upc.edu\r\nUser-Agent: talker\r\n\r\n", path);
    return send_all(s, text, (size_t)size);
}

/* Up to an empty line; false at the end of the stream. */
static bool read_request(int s)
{
    unsigned found = 0;
    char c;

    for (;;) {
        errno = 0;
        if (recv(s, &c, 1, 0) <= 0)
            return false;
        found = c == '\n' ? found + 1 : c == '\r' ? found : 0;
        if (found == 2)
            return true;
    }
}

/* n bytes, or with SIZE_MAX all until the end, which is an error before n. */
static bool read_bytes(int s, size_t n)
{
    char block[BLOCK];

    while (n > 0) {
        errno = 0;
        ssize_t got = recv(s, block, n < sizeof block ? n : sizeof block, 0);
        if (got <= 0)
            return got == 0 && n > SIZE_MAX / 2 ? true : failed("recv");
        n -= (size_t)got;
    }
    return true;
}

static bool reset(int s)
{
    struct linger at_once = { 1, 0 };
    setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* close() then sends RST */
    return true;
}

static bool step(int s, const char *text)
{
    const char *value = strchr(text, '=');
    size_t name = value ? (size_t)(value - text) : strlen(text);
    size_t number = value ? strtoul(value + 1, NULL, 10) : 0;

#define IS(word) (name == sizeof word - 1 && strncmp(text, word, name) == 0)
    if (IS("request"))
        return read_request(s);
    if (IS("read"))
        return read_bytes(s, number);
    if (IS("drain"))
        return read_bytes(s, SIZE_MAX);
    if (IS("answer"))
        return send_head(s, number) && send_filler(s, number);
    if (IS("head"))
        return send_head(s, number);
    if (IS("send"))
        return send_filler(s, number);
    if (IS("get") && value)
        return send_get(s, value + 1);
    if (IS("fin"))
        return shutdown(s, SHUT_WR) == 0 || failed("shutdown");
    if (IS("reset"))
        return reset(s);
    if (IS("sleep") || IS("hold")) {
        sleep_for(value ? strtod(value + 1, NULL) : HOLD_S);
        return true;
    }
#undef IS
    fprintf(stderr, "talker: there is no step %s\n", text);
    exit(2);
}

static bool go_through(const struct talk *t, int s)
{
    for (int i = 0; i < t->count; i++) {
        if (strcmp(t->steps[i], "again") == 0)
            i = -1;
        else if (!step(s, t->steps[i]))
            return false;
    }
    return true;
}

/* --- the command line --- */

static bool read_setting(struct talk *t, const char *word)
{
    const struct {
        const char *name;
        int64_t *value;
    } settings[] = { { "rcvbuf=", &t->rcvbuf },
                     { "backlog=", &t->backlog },
                     { "from=", &t->from },
                     { "full=", &t->full },
                     { "isn=", &t->isn } };

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        size_t n = strlen(settings[i].name);
        if (strncmp(word, settings[i].name, n) == 0) {
            *settings[i].value = strtoll(word + n, NULL, 10);
            return true;
        }
    }
    return false;
}

static void add_words(struct talk *t, char *words)
{
    for (char *word = strtok(words, " "); word && t->count < STEPS_MAX; word = strtok(NULL, " "))
        if (!read_setting(t, word))
            t->steps[t->count++] = word;
}

static struct talk read_steps(char **words)
{
    struct talk t = { .backlog = 64, .full = -1 };

    for (; *words; words++) {
        char *text = *words;
        for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
            if (strcmp(*words, modes[i].name) == 0)
                text = strdup(modes[i].steps); /* lives as long as the program */
        add_words(&t, text);
    }
    return t;
}

/* --- server and client --- */

static void set(int s, int level, int option, int value)
{
    if (setsockopt(s, level, option, &value, sizeof value))
        failed("setsockopt");
}

static int listener(const struct talk *t, int port)
{
    struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_any };
    int s = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    set(s, SOL_SOCKET, SO_REUSEADDR, 1);
    set(s, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (t->rcvbuf)
        set(s, SOL_SOCKET, SO_RCVBUF, (int)t->rcvbuf);
    if (bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, (int)t->backlog))
        exit(failed("listen") ? 0 : 2);
    return s;
}

/* The kernel's queue holds one more than the backlog says: connections of our own fill it until `full` places are left.
 */
static void fill_queue(const struct talk *t, int port)
{
    struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)port),
                               .sin6_addr = in6addr_loopback };

    for (int64_t i = t->full; i < t->backlog + 1; i++) {
        int s = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(s, (struct sockaddr *)&to, sizeof to))
            failed("connect to myself");
    }
    fprintf(stderr, "the queue is full\n");
    for (;;)
        pause();
}

static int serve(const struct talk *t, int port)
{
    int s = listener(t, port);

    signal(SIGCHLD, SIG_IGN);
    if (t->full >= 0)
        fill_queue(t, port);
    for (;;) {
        int c = accept4(s, NULL, NULL, SOCK_CLOEXEC);
        if (c >= 0 && fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            alarm(TIME_LIMIT_S);
            close(s);
            go_through(t, c);
            close(c);
            _exit(0);
        }
        if (c >= 0)
            close(c);
    }
}

/* The next connect() begins with this sequence number: only a socket in repair may be told one. */
static void set_first_number(int s, uint32_t isn)
{
    set(s, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON);
    set(s, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
    set(s, IPPROTO_TCP, TCP_QUEUE_SEQ, (int)isn);
    set(s, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
}

static int dial(const struct talk *t, const struct addrinfo *to)
{
    int s = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)t->from) };
    struct sockaddr_in6 from6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)t->from) };

    if (t->rcvbuf)
        set(s, SOL_SOCKET, SO_RCVBUF, (int)t->rcvbuf);
    set(s, SOL_SOCKET, SO_REUSEADDR, 1);
    bool four = to->ai_family == AF_INET;
    if (t->from && bind(s, four ? (void *)&from4 : (void *)&from6, four ? sizeof from4 : sizeof from6))
        failed("bind");
    if (t->isn)
        set_first_number(s, (uint32_t)t->isn);
    if (connect(s, to->ai_addr, to->ai_addrlen) == 0)
        return s;
    failed("connect");
    close(s);
    return -1;
}

static int ask(const struct talk *t, const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *to;
    int error = getaddrinfo(host, port, &hints, &to);

    if (error) {
        fprintf(stderr, "talker: %s: %s\n", host, gai_strerror(error));
        return 1;
    }
    alarm(TIME_LIMIT_S);
    int s = dial(t, to);
    bool good = s >= 0 && go_through(t, s);
    freeaddrinfo(to);
    if (s >= 0)
        close(s);
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "listen") == 0) {
        struct talk t = read_steps(argv + 3);
        return serve(&t, atoi(argv[2]));
    }
    if (argc >= 4 && strcmp(argv[1], "connect") == 0) {
        struct talk t = read_steps(argv + 4);
        return ask(&t, argv[2], argv[3]);
    }
    fprintf(stderr, "usage: talker listen PORT STEP... | talker connect HOST PORT STEP...\n");
    return 2;
}
