/* documents: two reports (`tcpsleuth ... --json`) of the same connections, from both ends, held against each other:
 * what is left to do where the captures themselves are not at hand. Packets cannot be compared, so nothing is located
 * packet by packet; what differs between the views is told.
 *
 * The documents come from outside: they are read by jansson, are bounded by LIMIT_DOCUMENT_BYTES, and whatever they
 * hold is data.
 */
#ifndef TCPSLEUTH_COMPARE_DOCUMENTS_H
#define TCPSLEUTH_COMPARE_DOCUMENTS_H

#include "diagnose/finding.h"

/* A member that is not the same in both views. */
struct difference {
    char *what;     /* "packets.client" */
    char *value[2]; /* JSON text in ASCII; "null" where there is none */
};

/* One connection in both documents. */
struct document_pair {
    uint64_t flow[2];    /* its id in each */
    char *ends[2];       /* "10.0.0.2:40000 > 192.0.2.80:80"; text from outside */
    GArray *differences; /* struct difference */
    struct finding *verdict;
};

/* One that only one document has. */
struct document_lone {
    unsigned file;
    uint64_t flow;
    char *ends;
    struct finding *finding; /* NULL: it tells nothing */
};

struct documents {
    char *source[2];
    uint64_t flows[2];
    GPtrArray *pairs; /* struct document_pair* */
    GArray *lone;     /* struct document_lone */
    GArray *ladder;   /* struct difference: the steps of `check` whose status differs */
    struct finding *verdict;
};

#define DOCUMENTS_ERROR documents_error_quark()
GQuark documents_error_quark(void);

/* Whether the file begins like such a document, and not like a capture. */
gboolean documents_are_at(const char *path);

/* What lies there, of *size bytes. NULL and *error where it cannot be read or is too large. Free with g_free. */
char *documents_text(const char *path, size_t *size, GError **error);

/* Compares the client's document and the server's; the sources are names for messages. NULL and *error where one is none. Free with documents_free
 * (NULL-safe). */
void documents_free(struct documents *d);
struct documents *documents_parse(const char *const sources[2], const char *const texts[2], const size_t sizes[2],
                                  GError **error);

#endif
