/* Commands and options of the contract that this version cannot serve: it says so instead of guessing. */
#include "src/command.h"
#include "src/options.h"

#define RECORD_FIRST "record with `tcpdump -i IFACE -w FILE`, then `tcpsleuth -r FILE`"

static int not_yet(const char *name, const char *instead, GError **error)
{
    g_set_error(error, OPTIONS_ERROR, 0, "%s: not in this version, which reads capture files; %s", name, instead);
    return 2;
}

int command_check(const struct options *o, GError **error)
{
    (void)o;
    return not_yet("check", RECORD_FIRST, error);
}
