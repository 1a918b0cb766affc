#include "src/options_table.h"

#include <stddef.h>

#define AT(member) offsetof(struct raw_options, member)
#define FLAG G_OPTION_ARG_NONE
#define NUMBER G_OPTION_ARG_INT64
#define TEXT G_OPTION_ARG_FILENAME /* any bytes */
#define TEXTS G_OPTION_ARG_FILENAME_ARRAY

/* clang-format off */
const struct option_row option_rows[] = {
    { FOR_FILES, "read", 'r', TEXTS, AT(o.files), "Read a capture (pcap, pcapng and others, also in gzip or zstd); - is standard input", "FILE" },
    { FOR_LIVE, "interface", 'i', TEXTS, AT(o.interfaces), NULL, "IFACE" },
    { FOR(COMMAND_LIST), "list-interfaces", 'D', FLAG, AT(list), NULL, NULL },
    { FOR_REPORTS, "format", 0, TEXT, AT(format), "Report as text (default), json or ndjson", "FORMAT" },
    { FOR_REPORTS, "json", 0, FLAG, AT(json), "The same as --format=json", NULL },
    { FOR_REPORTS, "output", 'o', TEXT, AT(o.output), "Write the report to FILE", "FILE" },
    { FOR_CAPTURES, "write", 'w', TEXT, AT(o.save), "Save the packets read (pcapng where FILE ends so)", "FILE" },
    { FOR_CAPTURES, "count", 'c', NUMBER, AT(count), "Stop after COUNT packets", "COUNT" },
    { FOR_CAPTURES, "duration", 0, NUMBER, AT(duration), NULL, "SECONDS" },
    { FOR_CAPTURES, "all", 'a', FLAG, AT(all), "List every flow, healthy ones too", NULL },
    { FOR_CAPTURES, "flow", 0, NUMBER, AT(flow), "Draw the packets of flow N as a ladder", "N" },
    { FOR_REPORTS, "verbose", 'v', FLAG, AT(verbose), "More detail", NULL },
    { FOR_REPORTS, "quiet", 'q', FLAG, AT(quiet), "Less: the verdicts only", NULL },
    { FOR_REPORTS, "color", 0, TEXT, AT(color), "auto (default), always or never", "WHEN" },
    { FOR_CAPTURES, "snapshot-length", 's', NUMBER, AT(snaplen), NULL, "BYTES" },
    { FOR_CAPTURES, "buffer-size", 'B', NUMBER, AT(buffer), NULL, "KIB" },
    { FOR_CAPTURES, "no-promiscuous-mode", 'p', FLAG, AT(o.no_promiscuous), NULL, NULL },
    { FOR_ALL, "no-names", 'n', FLAG, AT(ignored), NULL, NULL },
    { FOR_CAPTURES, "keylog", 0, TEXT, AT(o.keylog), NULL, "FILE" },
    { FOR_ALL, "passive", 0, FLAG, AT(o.passive), NULL, NULL },
    { FOR_CAPTURES, "confirm", 0, FLAG, AT(o.confirm), NULL, NULL },
    { FOR(COMMAND_CHECK), "server", 0, FLAG, AT(o.server), NULL, NULL },
    { FOR_ALL, "version", 'V', FLAG, AT(o.version), "Print the version", NULL },
    { FOR_ALL, "help", 'h', FLAG, AT(help), "Print this", NULL },
    { 0 },
};
/* clang-format on */

gboolean option_given(const struct option_row *row, const struct raw_options *r)
{
    const void *value = (const char *)r + row->at;

    switch (row->arg) {
    case FLAG: return *(const gboolean *)value;
    case NUMBER: return *(const gint64 *)value != NOT_GIVEN;
    default: return *(const void *const *)value != NULL;
    }
}
