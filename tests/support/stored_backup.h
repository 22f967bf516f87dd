/*
 * Backups of a store that is in use: what is restored from one is whole, goes on, and leaves the
 * original alone. Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_STORED_BACKUP_H
#define HERALD_TESTS_SUPPORT_STORED_BACKUP_H

#include <stdbool.h>

struct herald_context;
struct herald_database;

/* The functions fail the test if something does not work. Places belong to the test. */
struct stored_backup {
	/* A database on a place, which has at most a table of users. */
	struct herald_database *(*create)(void *place);
	/* Add a row with this number to the table of users, in the event's transaction. */
	bool (*write)(struct herald_context *ctx, unsigned number);
	/* How many rows with this number there are. */
	unsigned (*count)(void *place, unsigned number);
	/* Make a backup, and restore it to another place, which is empty. */
	void (*copy)(void *from, void *to);
	/* A transaction of the original may stay open meanwhile. */
	bool has_many_writers;
};

/* `copy` is made while the store is in use. In-flight files are in the folder. */
void stored_backup_check(const struct stored_backup *kind, void *original, void *restored,
			 const char *folder);

#endif
