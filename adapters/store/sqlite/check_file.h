/*
 * Where the database's file is, and whether SQLite can work there.
 */
#ifndef HERALD_SQLITE_CHECK_FILE_H
#define HERALD_SQLITE_CHECK_FILE_H

#include "shared.h"

/*
 * Find the file: sets database->path and lock_path. Refuses what SQLite would refuse with a message
 * that says less, and what it would not refuse: file systems of a network.
 */
enum herald_status herald__sqlite_check_file(struct sqlite_database *database, bool must_exist,
					     struct herald_error *error);

/* The name of a file system that several machines may share, such as "NFS"; NULL if it is another
 * one. `magic` is statfs.f_type; `type` is the name in mountinfo, for file systems in user space;
 * NULL if it is not known. */
const char *herald__sqlite_network_name(uint64_t magic, const char *type);

/* What the file at the path is now. false: there is none, and *out is all zeros. */
bool herald__sqlite_identify(const char *path, struct sqlite_identity *out);

/* Whether the file at the path is this one. A file that is not there is the one of zeros. */
bool herald__sqlite_is_at(const char *path, const struct sqlite_identity *identity);

/* Write a folder's entries to the disk, so that a new file in it survives a crash. */
enum herald_status herald__sqlite_sync_folder(const char *path, struct herald_error *error);

#endif
