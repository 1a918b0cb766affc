/* climbing: one run of `check`: the rungs in their order, joined from host/ (what this machine says of itself), probe/
 * (what the network says) and the packets that they exchange, which are captured and judged like any others. Private to
 * the files climb*.c and cmd_check.c.
 */
#ifndef TCPSLEUTH_SRC_CLIMBING_H
#define TCPSLEUTH_SRC_CLIMBING_H

#include "host/climb.h"
#include "host/echo.h"
#include "host/ruleset.h"
#include "host/rung_server.h"
#include "host/rungs.h"
#include "probe/claims.h"
#include "probe/engine.h"
#include "probe/target.h"
#include "report/report.h"
#include "src/options.h"
#include "src/own_traffic.h"

struct climbing {
    const struct options *o;
    struct target *target; /* its addresses are set by the rung of names */
    struct machine *machine;
    struct climb climb;
    struct echo *echo;
    struct probe_engine *engine; /* NULL: this user may not send crafted packets */
    char *engine_why;            /* then: why, and what to do */
    GPtrArray *results;          /* struct probe_result*, in the order of the addresses */
    GPtrArray *steps;            /* struct rung_step*, in the order of the ladder */
    struct rung_step *names;     /* the rung of names, climbed before its turn; NULL */
    enum rung only, until;       /* RUNGS: all */
    struct ruleset *rules;       /* NULL: this user may not read them */
    char *rules_why;             /* then: why */
    /* of a server's ladder (--server): what was read before rights were given up */
    struct service *service; /* NULL: it is a client's */
    GPtrArray *units, *logs; /* struct unit*, NULL: units_why says why; struct log_lines* */
    char *units_why, *logs_why;
    struct claims *claims;       /* NULL: this user may not ask for neighbours */
    struct own_traffic *traffic; /* NULL: this user may not see packets */
    unsigned more;               /* addresses of the target that are not tried: LIMIT_PROBE_ADDRESSES are */
    bool stopped;                /* by the user */
};

/* Reads what takes rights, which may be given up afterwards. */
gboolean climbing_open(struct climbing *c, GError **error);

/* Climbs from the first to the last rung that the options ask for; fills steps. */
void climbing_run(struct climbing *c);

/* Whether the ladder has that rung. */
gboolean climbing_has(const struct climbing *c, enum rung rung);

void climbing_clear(struct climbing *c);

/* --- climb_net.c: the rungs that send to the target --- */
typedef struct rung_step *climb_fn(struct climbing *c);
climb_fn climb_ping, climb_path_mtu, climb_port;

/* Whether an address is gone to: it is not left out, and there is a way. And how to ask it. */
bool climb_is_tried(const struct climbing *c, unsigned i);
struct probe_request climb_request(const struct climbing *c, unsigned i);

/* Connects to all at the same time, and adds the records; n: LIMIT_PROBE_ADDRESSES at most. ways: the numbers that the records get. */
void climb_connect(struct climbing *c, const struct probe_request *requests, const unsigned *ways, unsigned n, bool tls);

/* --- climb_app.c: what is said on the connection --- */
climb_fn climb_service, climb_tls, climb_application;

/* --- climb_server.c: the ladder of a server --- */
uint16_t climb_port_number(const char *text, GError **error);
gboolean climb_server_client(struct climbing *c, struct climb_address *out, GError **error);
gboolean climb_server_open(struct climbing *c, GError **error);
void climb_server_clear(struct climbing *c);
/* Whether answers get anywhere: the way to the client of --client, and the next hop; blamed on the step of routes. */
void climb_way_back(struct climbing *c, struct rung_step *s);
climb_fn climb_listening, climb_local_connect, climb_process, climb_unit, climb_firewall_in, climb_log;

/* --- climb_claims.c: who else has this host's addresses, and the next hop's; blamed on the step --- */
void climb_own_claims(struct climbing *c, struct rung_step *s);
void climb_hop_claims(struct climbing *c, struct rung_step *s);

/* --- climb_packets.c --- */

/* Before the first connection leaves, and behind the last. */
void climb_packets_begin(struct climbing *c);

/* Joins what the packets show with what the rungs found. */
void climb_packets_end(struct climbing *c);

/* What is broken only because a rung below it is: it is told, and not blamed. */
void climb_settle_consequences(struct climbing *c);

/* Rungs further up may know the cause of the port's failure: a rule of this host, no port left. */
void climb_join_causes(struct climbing *c);

#endif
