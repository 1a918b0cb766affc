/* measure: runs a command and prints what it cost: "STATUS USER_US SYSTEM_US MAXRSS_KB", STATUS as $? would be (152,
 * SIGXCPU, where the limit of CPU seconds ended it).  The command's own output is thrown away, its errors pass.
 *
 * A program of its own because the peak memory of a process includes that of the process it was forked from, and an
 * interpreter is larger than what is measured. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(char **command, rlim_t seconds)
{
    struct rlimit limit = { seconds, seconds + 5 }, no_core = { 0, 0 };
    int null = open("/dev/null", O_WRONLY);

    if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || setrlimit(RLIMIT_CPU, &limit) ||
        setrlimit(RLIMIT_CORE, &no_core))
        err(127, "measure");
    execvp(command[0], command);
    err(127, "%s", command[0]);
}

static long microseconds(struct timeval t)
{
    return (long)t.tv_sec * 1000000 + (long)t.tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status;

    if (argc < 3)
        errx(2, "usage: measure SECONDS COMMAND...");
    pid_t child = fork();
    if (child < 0)
        err(2, "fork");
    if (child == 0)
        run(argv + 2, (rlim_t)strtoul(argv[1], NULL, 10));
    if (wait4(child, &status, 0, &used) < 0)
        err(2, "wait4");
    printf("%d %ld %ld %ld\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
           microseconds(used.ru_utime), microseconds(used.ru_stime), used.ru_maxrss);
    return 0;
}
