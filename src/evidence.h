/* evidence: the packets that prove what is wrong, each with a comment that says what it proves, as a small pcapng file that Wireshark opens
 * (--evidence FILE).
 *
 * Which packets these are is known when a connection is judged, long after they came, and standard input is not read twice: all packets are put
 * aside in a spool (report/spool.h), and those that some finding names are taken out of it at the end.
 */
#ifndef TCPSLEUTH_SRC_EVIDENCE_H
#define TCPSLEUTH_SRC_EVIDENCE_H

#include "capture/capture.h"
#include "diagnose/finding.h"

struct evidence;

/* Makes the file. NULL and *error where that is not possible; free with evidence_free (NULL-safe). */
struct evidence *evidence_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void evidence_free(struct evidence *e);

/* A frame that may turn out to be evidence. */
void evidence_frame(struct evidence *e, const struct frame *frame);

/* What was found, of that flow (0: of none): its packets are evidence. Those beyond LIMIT_EVIDENCE are passed over. */
void evidence_finding(struct evidence *e, uint64_t flow, const struct finding *f);

/* Writes the file; no frame and no finding may follow. */
gboolean evidence_write(struct evidence *e, GError **error);

#endif
