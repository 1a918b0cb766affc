/* writer: the two formats behind capture_writer_*. Private to capture/. */
#ifndef TCPSLEUTH_CAPTURE_WRITER_H
#define TCPSLEUTH_CAPTURE_WRITER_H

#include "capture/capture.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

/* pcapng blocks to a file. Errors of the disk stay in the FILE (ferror). */
struct pcapng_writer;
struct pcapng_writer *pcapng_writer_new(FILE *file);
/* What descriptions of interfaces say from now on; 0: no limit. */
void pcapng_writer_set_snaplen(struct pcapng_writer *w, uint32_t snaplen);
/* comment: NULL where there is none; at most 65,535 bytes of it are written. False where the frame's link type has no number in files. */
bool pcapng_writer_add(struct pcapng_writer *w, const struct frame *frame, const char *comment);
/* Interface statistics: how long the capture went on, what it lost, and how many packets it gave, by which a reader tells whether the file
 * is still whole. */
void pcapng_writer_end(struct pcapng_writer *w, const struct capture_info *info);
/* Leaves the FILE open; NULL-safe. */
void pcapng_writer_free(struct pcapng_writer *w);

#endif
