/*
 * PostgreSQL for the contract of databases: a place is a schema of one server.
 */
#ifndef HERALD_TESTS_SUPPORT_POSTGRES_PLACE_H
#define HERALD_TESTS_SUPPORT_POSTGRES_PLACE_H

#include "contract/store/suite.h"
#include "support/postgres_server.h"

/* How databases are created on a place. */
struct postgres_places {
	const struct postgres_server *server;
	const char *dsn; /* of the stores; the tests use the server's */
	bool is_pooled;
	uint32_t outcome_timeout_ms; /* 0: the default */
};

/* There is one, for the whole program. */
extern struct postgres_places postgres_places;

extern const struct contract_store postgres_contract;

#endif
