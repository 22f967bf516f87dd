/*
 * A VFS of SQLite over the usual one, for tests: it lets a call fail, and it records what is
 * written, so that a test can build the files as they might be after a power cut. One at a time, on
 * one thread at a time.
 */
#ifndef TEST_SQLITE_VFS_H
#define TEST_SQLITE_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/* Its name. */
#define SQLITE_VFS "herald-test"

void sqlite_vfs_register(void);
void sqlite_vfs_unregister(void);

/* Faults. */

/* Calls that can fail. */
enum vfs_call {
	VFS_OPEN,
	VFS_READ,
	VFS_WRITE,
	VFS_TRUNCATE,
	VFS_SYNC,
	VFS_LOCK, /* of the file or of shared memory */
	VFS_MAP,  /* shared memory */
	VFS_CALL_COUNT,
};

struct vfs_fault {
	unsigned calls; /* a bit for each kind that can fail: 1 << VFS_READ */
	long n;         /* which one fails, from 1; 0: none */
	int code;       /* the result; SQLITE_OK: a short read, whose buffer is zeroed */
	bool is_sticky; /* so do all later ones */
};

/* Set the fault, and begin to count. */
void sqlite_vfs_fail(const struct vfs_fault *fault);
/* No more faults; what has failed is still known. */
void sqlite_vfs_stop_failing(void);
/* Calls of these kinds since then. */
long sqlite_vfs_calls(void);
/* Whether a call has failed since then. */
bool sqlite_vfs_failed(void);
/* The kind of the last one that has. */
enum vfs_call sqlite_vfs_failed_call(void);

/* Recording. */

/* The files: the database and its WAL. */
#define VFS_FILES 2

enum vfs_change {
	VFS_CHANGE_WRITE,
	VFS_CHANGE_TRUNCATE,
	VFS_CHANGE_SYNC,
};

struct vfs_record {
	enum vfs_change change;
	int file;
	int64_t offset; /* or the size */
	size_t bytes;
	unsigned char *data;
};

/* Begin to record. */
void sqlite_vfs_record(void);
/* What was recorded so far. */
size_t sqlite_vfs_records(const struct vfs_record **out);
/* Forget it. */
void sqlite_vfs_forget(void);

/* A file in memory. */
struct vfs_image {
	unsigned char *data;
	size_t bytes;
	size_t capacity;
};

void vfs_image_load(struct vfs_image *image, const char *path);
void vfs_image_store(const struct vfs_image *image, const char *path);
void vfs_image_copy(struct vfs_image *to, const struct vfs_image *from);
void vfs_image_free(struct vfs_image *image);

/* Apply a part of a change: of a write, `bytes` bytes from `from` on. */
void vfs_image_apply(struct vfs_image *image, const struct vfs_record *record, size_t from,
		     size_t bytes);

#endif
