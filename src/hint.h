/* hint: what to try where a live capture sees nothing. */
#ifndef TCPSLEUTH_SRC_HINT_H
#define TCPSLEUTH_SRC_HINT_H

/* interfaces: those that are watched, NULL-terminated; filter may be NULL. The interface that leads to the filter's host, where it is another one, or that
 * the next hop to it does not answer; else what to look at. A clause, to follow "nothing seen on lo for 10 s: ". Free with g_free. */
char *hint_text(const char *const *interfaces, const char *filter);

#endif
