/*
 * Which processes read a database now: they keep its WAL from being reused.
 */
#ifndef HERALD_SQLITE_READERS_H
#define HERALD_SQLITE_READERS_H

#include <stddef.h>

/* Limit of the readers that are written, each with a name of up to 15 bytes and a number. */
#define SQLITE_MAX_READERS 16
#define SQLITE_READERS_BYTES (SQLITE_MAX_READERS * (size_t)64)

/* Write the readers of the database with this -shm file as a text such as "process 123 (sqlite3)";
 * "" if there are none, or they cannot be found out. Returns how many there are. */
size_t herald__sqlite_readers(const char *shm_path, char out[SQLITE_READERS_BYTES]);

#endif
