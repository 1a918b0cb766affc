/* read: the command that judges capture files (`tcpsleuth -r FILE`). */
#ifndef TCPSLEUTH_SRC_READ_H
#define TCPSLEUTH_SRC_READ_H

#include "src/options.h"

/* Returns the exit status; 2 with *error set where the work could not be done. */
int command_read(const struct options *o, GError **error);

#endif
