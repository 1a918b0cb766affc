/* words: quantities, ends and endings in a few words, for the text report. Each function fills out and returns it.
 * ASCII only.
 */
#ifndef TCPSLEUTH_REPORT_WORDS_H
#define TCPSLEUTH_REPORT_WORDS_H

#include "flow/flow.h"

#define WORDS_ROOM 128

char *words_number(char out[WORDS_ROOM], uint64_t v); /* "1204": ids, packet numbers */
char *words_count(char out[WORDS_ROOM], uint64_t v);  /* "1,204" */

/* "46 us", "1.7 ms", "45 ms", "3.0 s", "2m05s", "3h12m"; "-" for TIME_NONE. */
char *words_duration(char out[WORDS_ROOM], int64_t ns);
char *words_duration_range(char out[WORDS_ROOM], int64_t low_ns, int64_t high_ns); /* "1.7..24 ms" */

/* "812 B", "3.2 KB": powers of 1000. */
char *words_bytes(char out[WORDS_ROOM], uint64_t bytes);
char *words_bytes_range(char out[WORDS_ROOM], uint64_t low, uint64_t high);

/* What each side sent: "124/12.3K". */
char *words_bytes_both(char out[WORDS_ROOM], const struct flow *f);

/* "192.0.2.80:80", "[2001:db8::1]:443"; an address too long for max columns has ".." in its middle. */
char *words_address(char out[WORDS_ROOM], const struct addr *a, uint16_t port, unsigned version, unsigned max);
char *words_end(char out[WORDS_ROOM], const struct flow *f, enum side s, unsigned max);

/* Both TCP states after the last packet, short as ss(8) has them: "SYN-SENT/-". */
char *words_states(char out[WORDS_ROOM], unsigned client, unsigned server);

/* How a flow ended, as far as words_ending tells it. */
struct ending {
    uint8_t teardown;  /* enum teardown_outcome */
    uint8_t first_fin; /* 1 + enum side; 0: no FIN */
    uint8_t reset_by;  /* 1 + enum side; 0: no RST */
    uint8_t time_wait; /* flow_time_wait() */
};
struct ending ending_of(const struct flow *f);

/* "closed by client, TIME-WAIT there". */
char *words_ending(char out[WORDS_ROOM], struct ending e);

/* As tcpdump writes them: "S.", "none". */
char *words_flags(char out[WORDS_ROOM], unsigned flags);

/* "2023-03-15 14:46:57.366725 UTC"; nanoseconds: 9 digits. */
char *words_time(char out[WORDS_ROOM], int64_t ns, bool nanoseconds);

#endif
