/*
 * The routes of own_answers.c, for the probe's service.
 */
#ifndef HERALD_TESTS_CONTRACT_HTTP_OWN_ANSWERS_H
#define HERALD_TESTS_CONTRACT_HTTP_OWN_ANSWERS_H

#include <herald/route.h>

#define CONTRACT_HTTP_OWN_ROUTES 2

extern const struct herald_route contract_http_own_routes[CONTRACT_HTTP_OWN_ROUTES];

#endif
