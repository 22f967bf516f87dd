/*
 * The lock file: a byte for each node, which its process locks for as long as it lives.
 */
#ifndef HERALD_SQLITE_LOCK_FILE_H
#define HERALD_SQLITE_LOCK_FILE_H

#include <stdbool.h>

#include <herald/status.h>

#include "shared.h"

/* A node of this process. */
struct sqlite_node {
	uint64_t id;
	int fd; /* has locked its byte of the lock file */
	struct sqlite_identity lock_file;
	char in_flight_path[SQLITE_PATH_BYTES * 2];
	struct sqlite_node *next;
};

/* Remember a node of this process; it now belongs to the database. */
void herald__lock_file_join(struct sqlite_database *database, struct sqlite_node *node);

/* Whether other processes still see the locks of this one. */
enum herald_status
herald__lock_file_check(struct sqlite_database *database, struct herald_error *error);

/* Forget a node of this process, which releases its lock. */
void herald__lock_file_leave(struct sqlite_database *database, uint64_t id);

/* Forget all of them. */
void herald__lock_file_leave_all(struct sqlite_database *database);

/* Open the file, and create it if it is missing. The caller closes *fd. */
enum herald_status herald__lock_file_open(const char *path, int *fd, struct herald_error *error);

/* Open the file to test locks, but do not create it. *fd is -1 if it is missing: then no process
 * has locked a byte. Else the caller closes it. */
enum herald_status herald__lock_file_look(const char *path, int *fd, struct herald_error *error);

/* Lock a byte. The lock ends when fd is closed, and with the process. *is_locked is false if
 * another descriptor has locked the byte, of this process or another one. */
enum herald_status
herald__lock_file_lock(int fd, int slot, bool *is_locked, struct herald_error *error);

/* Whether another descriptor has locked the byte. */
enum herald_status
herald__lock_file_test(int fd, int slot, bool *is_locked, struct herald_error *error);

#endif
