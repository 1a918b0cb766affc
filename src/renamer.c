#include "src/renamer.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct renamer {
    pid_t process;
    int asks, answers; /* our ends of two pipes: a byte is the wish to rename, an int its errno */
};

/* Only what may be called after fork(2). Both pipes lie above the standard streams, which main keeps occupied. Nothing of ours stays open, so that nobody waits for this process at the other end of a pipe. */
static void serve(const char *from, const char *to, int asked, int answer)
{
    char wish;
    int failure;

    dup2(answer, STDOUT_FILENO);
    dup2(asked, STDIN_FILENO);
    close_range(STDERR_FILENO, ~0u, 0);
    while ((failure = (int)read(STDIN_FILENO, &wish, 1)) < 0 && errno == EINTR)
        ;
    failure = failure == 1 ? (rename(from, to) == 0 ? 0 : errno) : ECANCELED;
    if (failure)
        unlink(from);
    _exit(write(STDOUT_FILENO, &failure, sizeof failure) == sizeof failure ? 0 : 1);
}

/* Ctrl-C goes to all processes of a terminal; this one ends when the other one does. */
static pid_t start(const char *from, const char *to, const int asks[2], const int answers[2])
{
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t process = fork();
    if (process == 0)
        serve(from, to, asks[0], answers[1]);
    int why = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return process;
}

static void close_pair(const int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

struct renamer *renamer_start(const char *from, const char *to)
{
    int asks[2] = { -1, -1 }, answers[2] = { -1, -1 };
    pid_t process = -1;

    if (pipe2(asks, O_CLOEXEC) == 0 && pipe2(answers, O_CLOEXEC) == 0)
        process = start(from, to, asks, answers);
    if (process < 0) {
        int why = errno;
        close_pair(asks);
        close_pair(answers);
        errno = why;
        return NULL;
    }
    struct renamer *r = g_new(struct renamer, 1);
    *r = (struct renamer){ .process = process, .asks = asks[1], .answers = answers[0] };
    close(asks[0]);
    close(answers[1]);
    return r;
}

int renamer_finish(struct renamer *r, bool rename)
{
    int failure = EPIPE; /* somebody killed it */

    if (rename && write(r->asks, "r", 1) != 1)
        rename = false;
    close(r->asks);
    while (read(r->answers, &failure, sizeof failure) < 0 && errno == EINTR)
        ;
    close(r->answers);
    while (waitpid(r->process, NULL, 0) < 0 && errno == EINTR)
        ;
    g_free(r);
    return failure;
}
