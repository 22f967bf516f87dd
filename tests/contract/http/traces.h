/*
 * The route of traces.c, for the probe's service.
 */
#ifndef HERALD_TESTS_CONTRACT_HTTP_TRACES_H
#define HERALD_TESTS_CONTRACT_HTTP_TRACES_H

#include <herald/route.h>

extern const struct herald_route contract_http_traced_route;

#endif
