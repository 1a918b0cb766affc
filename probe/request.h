/* request: an HTTP request by libcurl, with the redirects followed one by one, so that each has its own times. Needs no
 * rights. */
#ifndef TCPSLEUTH_PROBE_REQUEST_H
#define TCPSLEUTH_PROBE_REQUEST_H

#include "diagnose/probes.h"

/* Asks for url at the address of `request` (redirects go where they lead), and waits for the end, bounded in time and
 * size; the main context is served meanwhile, and *stop ends it. Free the record with probe_result_free. */
struct probe_result *request_ask(const struct probe_request *request, const char *url, const bool *stop);

#endif
