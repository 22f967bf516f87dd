/*
 * The contract of every database of stores (herald/adapter/database.h): each sentence of the header
 * is a case, and random sequences of calls have the same results as on the model
 * (support/model_database.h). A database's own test is:
 *
 *	static struct herald_database *create(void *place);
 *	static const struct contract_store database = {.name = "name", .create = create, ...};
 *	int main(void) { return contract_store_main(&database); }
 */
#ifndef HERALD_TESTS_CONTRACT_STORE_SUITE_H
#define HERALD_TESTS_CONTRACT_STORE_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <herald/adapter/database.h>

/* The functions fail the test if something does not work. A handle is as from
 * herald_database_ops::handle(). */
struct contract_store {
	const char *name;
	/* An empty place for a database, such as the name of a new file, and its end. */
	void *(*place_create)(void);
	void (*place_destroy)(void *place);
	/* A database on it, not open yet, as in one process. Several may be open at once. */
	struct herald_database *(*create)(void *place);

	/* A connection of a user's, to the place where `database` is open. */
	void *(*connect)(void *place, struct herald_database *database);
	void (*disconnect)(void *handle);
	void (*begin)(void *handle);
	void (*commit)(void *handle);
	void (*rollback)(void *handle);
	/* Add a row with this number to a table of the user's in the same database, which the first
	 * call creates if necessary. */
	void (*write)(void *handle, unsigned number);
	/* How many rows with this number are committed. */
	unsigned (*count)(void *place, unsigned number);

	/* A number that grows with the rows or pages that the session with this handle looks at.
	 * NULL: it is not counted. */
	uint64_t (*reads)(void *place, void *handle);

	/* A second process is refused by node_join() while the first one is alive. */
	bool is_exclusive;
	/* 100,000 rows would take minutes. */
	bool is_small;
};

int contract_store_main(const struct contract_store *kind);

/* What a case needs; where it is missing, the case is left out. */
enum contract_store_needs {
	NEEDS_NOTHING,
	NEEDS_TWO_NODES, /* two processes at once */
	NEEDS_LEASES,
};

/* A case, with an empty database. */
struct contract_store_case {
	const char *name;
	void (*run)(const struct contract_store *kind);
	enum contract_store_needs needs;
};

/* The cases, by the file they are in. */
#define CONTRACT_STORE_PARTS(X)                                                                    \
	X(events)                                                                                  \
	X(keys)                                                                                    \
	X(runs)                                                                                    \
	X(seen)                                                                                    \
	X(transactions)                                                                            \
	X(nodes)                                                                                   \
	X(deliveries)                                                                              \
	X(operations)                                                                              \
	X(purges)                                                                                  \
	X(interrupts)                                                                              \
	X(degraded)                                                                                \
	X(random)

#define CONTRACT_STORE_DECLARE_(NAME)                                                              \
	extern const struct contract_store_case contract_store_##NAME[];                           \
	extern const size_t contract_store_##NAME##_count;
CONTRACT_STORE_PARTS(CONTRACT_STORE_DECLARE_)

#endif
