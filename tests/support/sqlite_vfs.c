/*
 * The VFS: a call fails if the test says so, or is passed on to the usual VFS, and what it writes
 * is recorded. It owns the record; what a power cut loses is decided by the tests.
 */
#include "support/sqlite_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The file of the usual VFS follows it in memory. */
struct file {
	sqlite3_file base;
	int number; /* of the files that are recorded; -1: another one */
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *usual;
	struct vfs_fault fault;
	long calls;
	bool has_failed;
	enum vfs_call failed_call;
	bool is_recording;
	struct vfs_record *records;
	size_t records_count;
	size_t records_capacity;
} self;

static sqlite3_file *
usual(sqlite3_file *file)
{
	return (sqlite3_file *)((struct file *)file + 1);
}

/* Faults. */

/* Whether this call fails. */
static bool
fails(enum vfs_call call)
{
	if (self.fault.n == 0 || !(self.fault.calls >> call & 1))
		return false;
	self.calls++;
	if (self.calls != self.fault.n && !(self.fault.is_sticky && self.calls > self.fault.n))
		return false;
	self.has_failed = true;
	self.failed_call = call;
	return true;
}

void
sqlite_vfs_fail(const struct vfs_fault *fault)
{
	self.fault = *fault;
	self.calls = 0;
	self.has_failed = false;
}

void
sqlite_vfs_stop_failing(void)
{
	self.fault.n = 0;
}

long
sqlite_vfs_calls(void)
{
	return self.calls;
}

bool
sqlite_vfs_failed(void)
{
	return self.has_failed;
}

enum vfs_call
sqlite_vfs_failed_call(void)
{
	return self.failed_call;
}

/* Recording. */

static void
record(const struct file *file, enum vfs_change change, const void *data, size_t bytes,
       int64_t offset)
{
	if (!self.is_recording || file->number < 0)
		return;
	if (self.records_count == self.records_capacity) {
		self.records_capacity = self.records_capacity ? 2 * self.records_capacity : 1024;
		self.records =
			realloc(self.records, self.records_capacity * sizeof(self.records[0]));
		assert_non_null(self.records);
	}
	struct vfs_record *one = &self.records[self.records_count++];
	*one = (struct vfs_record){
		.change = change, .file = file->number, .offset = offset, .bytes = bytes};
	if (bytes > 0) {
		one->data = malloc(bytes);
		assert_non_null(one->data);
		memcpy(one->data, data, bytes);
	}
}

void
sqlite_vfs_record(void)
{
	sqlite_vfs_forget();
	self.is_recording = true;
}

size_t
sqlite_vfs_records(const struct vfs_record **out)
{
	*out = self.records;
	return self.records_count;
}

void
sqlite_vfs_forget(void)
{
	for (size_t i = 0; i < self.records_count; i++)
		free(self.records[i].data);
	free(self.records);
	self.records = NULL;
	self.records_count = self.records_capacity = 0;
	self.is_recording = false;
}

/* Files. */

static int
vfs_close(sqlite3_file *file)
{
	int rc = usual(file)->pMethods->xClose(usual(file));

	file->pMethods = NULL;
	return rc;
}

static int
vfs_read(sqlite3_file *file, void *data, int bytes, sqlite3_int64 offset)
{
	if (!fails(VFS_READ))
		return usual(file)->pMethods->xRead(usual(file), data, bytes, offset);
	if (self.fault.code != SQLITE_OK)
		return self.fault.code;
	memset(data, 0, (size_t)bytes);
	return SQLITE_IOERR_SHORT_READ;
}

static int
vfs_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 offset)
{
	if (fails(VFS_WRITE)) {
		/* A write that fails may have written something. */
		(void)usual(file)->pMethods->xWrite(usual(file), data, bytes / 2, offset);
		return self.fault.code;
	}
	record((struct file *)file, VFS_CHANGE_WRITE, data, (size_t)bytes, offset);
	return usual(file)->pMethods->xWrite(usual(file), data, bytes, offset);
}

static int
vfs_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
	if (fails(VFS_TRUNCATE))
		return self.fault.code;
	record((struct file *)file, VFS_CHANGE_TRUNCATE, NULL, 0, bytes);
	return usual(file)->pMethods->xTruncate(usual(file), bytes);
}

/* The test plays the disk: a real sync would only take time. */
static int
vfs_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	if (fails(VFS_SYNC))
		return self.fault.code;
	record((struct file *)file, VFS_CHANGE_SYNC, NULL, 0, 0);
	return SQLITE_OK;
}

static int
vfs_size(sqlite3_file *file, sqlite3_int64 *bytes)
{
	return usual(file)->pMethods->xFileSize(usual(file), bytes);
}

static int
vfs_lock(sqlite3_file *file, int level)
{
	if (fails(VFS_LOCK))
		return self.fault.code;
	return usual(file)->pMethods->xLock(usual(file), level);
}

static int
vfs_unlock(sqlite3_file *file, int level)
{
	return usual(file)->pMethods->xUnlock(usual(file), level);
}

static int
vfs_check_lock(sqlite3_file *file, int *out)
{
	return usual(file)->pMethods->xCheckReservedLock(usual(file), out);
}

static int
vfs_control(sqlite3_file *file, int what, void *data)
{
	return usual(file)->pMethods->xFileControl(usual(file), what, data);
}

static int
vfs_sector(sqlite3_file *file)
{
	return usual(file)->pMethods->xSectorSize(usual(file));
}

static int
vfs_device(sqlite3_file *file)
{
	return usual(file)->pMethods->xDeviceCharacteristics(usual(file));
}

static int
vfs_shm_map(sqlite3_file *file, int page, int bytes, int extend, void volatile **out)
{
	if (fails(VFS_MAP))
		return self.fault.code;
	return usual(file)->pMethods->xShmMap(usual(file), page, bytes, extend, out);
}

static int
vfs_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	if (!(flags & SQLITE_SHM_UNLOCK) && fails(VFS_LOCK))
		return self.fault.code;
	return usual(file)->pMethods->xShmLock(usual(file), offset, count, flags);
}

static void
vfs_shm_barrier(sqlite3_file *file)
{
	usual(file)->pMethods->xShmBarrier(usual(file));
}

static int
vfs_shm_unmap(sqlite3_file *file, int deletes)
{
	return usual(file)->pMethods->xShmUnmap(usual(file), deletes);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = vfs_close,
	.xRead = vfs_read,
	.xWrite = vfs_write,
	.xTruncate = vfs_truncate,
	.xSync = vfs_sync,
	.xFileSize = vfs_size,
	.xLock = vfs_lock,
	.xUnlock = vfs_unlock,
	.xCheckReservedLock = vfs_check_lock,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector,
	.xDeviceCharacteristics = vfs_device,
	.xShmMap = vfs_shm_map,
	.xShmLock = vfs_shm_lock,
	.xShmBarrier = vfs_shm_barrier,
	.xShmUnmap = vfs_shm_unmap,
};

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct file *own = (struct file *)file;

	(void)vfs;
	own->base.pMethods = NULL;
	own->number = flags & SQLITE_OPEN_MAIN_DB ? 0 : flags & SQLITE_OPEN_WAL ? 1 : -1;
	if (fails(VFS_OPEN))
		return self.fault.code;
	int rc = self.usual->xOpen(self.usual, name, usual(file), flags, out_flags);
	if (rc == SQLITE_OK)
		own->base.pMethods = &methods;
	return rc;
}

void
sqlite_vfs_register(void)
{
	memset(&self, 0, sizeof(self));
	self.usual = sqlite3_vfs_find(NULL);
	self.vfs = *self.usual; /* what is not ours, it does */
	self.vfs.zName = SQLITE_VFS;
	self.vfs.szOsFile = (int)sizeof(struct file) + self.usual->szOsFile;
	self.vfs.xOpen = vfs_open;
	self.vfs.pNext = NULL;
	assert_int_equal(sqlite3_vfs_register(&self.vfs, 0), SQLITE_OK);
}

void
sqlite_vfs_unregister(void)
{
	sqlite_vfs_forget();
	sqlite3_vfs_unregister(&self.vfs);
}

/* Images. */

static void
reserve(struct vfs_image *image, size_t bytes)
{
	if (bytes > image->capacity) {
		image->capacity = 2 * bytes;
		image->data = realloc(image->data, image->capacity);
		assert_non_null(image->data);
	}
	if (bytes > image->bytes)
		memset(image->data + image->bytes, 0, bytes - image->bytes);
}

void
vfs_image_load(struct vfs_image *image, const char *path)
{
	FILE *file = fopen(path, "r");

	image->bytes = 0;
	if (!file)
		return;
	fseek(file, 0, SEEK_END);
	size_t bytes = (size_t)ftell(file);
	rewind(file);
	reserve(image, bytes);
	image->bytes = bytes;
	assert_int_equal(fread(image->data, 1, bytes, file), bytes);
	fclose(file);
}

void
vfs_image_store(const struct vfs_image *image, const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	if (image->bytes > 0)
		assert_int_equal(fwrite(image->data, 1, image->bytes, file), image->bytes);
	assert_int_equal(fclose(file), 0);
}

void
vfs_image_copy(struct vfs_image *to, const struct vfs_image *from)
{
	to->bytes = 0;
	reserve(to, from->bytes);
	if (from->bytes > 0)
		memcpy(to->data, from->data, from->bytes);
	to->bytes = from->bytes;
}

void
vfs_image_free(struct vfs_image *image)
{
	free(image->data);
	*image = (struct vfs_image){.data = NULL};
}

void
vfs_image_apply(struct vfs_image *image, const struct vfs_record *record, size_t from, size_t bytes)
{
	size_t at = (size_t)record->offset + from;

	if (record->change == VFS_CHANGE_TRUNCATE) {
		reserve(image, (size_t)record->offset);
		image->bytes = (size_t)record->offset;
		return;
	}
	reserve(image, at + bytes);
	memcpy(image->data + at, record->data + from, bytes);
	if (at + bytes > image->bytes)
		image->bytes = at + bytes;
}
