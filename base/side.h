/* side: the two ends of a connection. Every per-direction thing is an array of two indexed by `enum side`. */
#ifndef TCPSLEUTH_BASE_SIDE_H
#define TCPSLEUTH_BASE_SIDE_H

enum side { CLIENT = 0, SERVER = 1 };

static inline enum side other_side(enum side s)
{
    return s == CLIENT ? SERVER : CLIENT;
}

static inline const char *side_name(enum side s)
{
    return s == CLIENT ? "client" : "server";
}

#endif
