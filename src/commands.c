#include "src/command.h"

#include <stddef.h>

const struct command command_rows[COMMANDS] = {
    [COMMAND_READ] = { NULL, "-r", command_read, "judge capture files" },
    [COMMAND_WATCH] = { NULL, "-i", command_watch, "capture live, and judge as things happen" },
    [COMMAND_LIST] = { NULL, "-D", command_list, "list the interfaces" },
    [COMMAND_PROBE] = { "probe", "probe", command_probe,
                        "ask a host with packets of our own where the way to it breaks", "TARGET" },
    [COMMAND_EXPLAIN] = { "explain", "explain", command_explain, "tell what stands behind a verdict, or list them all",
                          "[CODE ...]" },
    [COMMAND_CHECK] = { "check", "check", command_check,
                        "climb the ladder from this host's network card to a service", "TARGET" },
    [COMMAND_COMPARE] = { "compare", "compare", command_compare,
                          "hold the captures of both ends of the same connections against each other", "CLIENT SERVER [FILTER]" },
};
