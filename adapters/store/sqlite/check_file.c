/*
 * Checks of the file and its folder before SQLite sees them. It opens nothing of SQLite's: closing
 * a second descriptor of such a file would release the locks that SQLite holds on it.
 */
#include "check_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

/* The longest path: SQLite takes 512 bytes, with its own suffixes. */
#define MAX_PATH_BYTES 480

static const struct network {
	uint64_t magic;
	const char *name;
} networks[] = {
	{0x6969, "NFS"},       {0x517b, "SMB"},        {0xff534d42, "CIFS"},  {0xfe534d42, "SMB2"},
	{0x01021997, "9P"},    {0x5346414f, "AFS"},    {0x6b414653, "AFS"},   {0x73757245, "Coda"},
	{0x00c36400, "Ceph"},  {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},  {0x01161970, "GFS2"},
	{0x7461636f, "OCFS2"}, {0x786f4256, "vboxsf"}, {0x19830326, "FhGFS"}, {0xaad7aaea, "PanFS"},
	{0x564c, "NCP"},
};

/* File systems in user space all have the same number. */
#define FUSE_MAGIC 0x65735546

static const char *const network_types[] = {
	"fuse.sshfs",    "fuse.glusterfs", "fuse.s3fs",      "fuse.rclone",    "fuse.davfs",
	"fuse.gcsfuse",  "fuse.ceph",      "fuse.juicefs",   "fuse.seaweedfs", "fuse.goofys",
	"fuse.mount-s3", "fuse.moosefs",   "fuse.curlftpfs", "fuse.smbnetfs",  "fuse.blobfuse2",
};

const char *
herald__sqlite_network_name(uint64_t magic, const char *type)
{
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (magic == networks[i].magic)
			return networks[i].name;
	if (magic != FUSE_MAGIC || !type)
		return NULL;
	for (size_t i = 0; i < sizeof(network_types) / sizeof(network_types[0]); i++)
		if (strcmp(type, network_types[i]) == 0)
			return network_types[i] + strlen("fuse.");
	return NULL;
}

/* The type of the file system with this device number: mountinfo has lines such as
 * "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw". */
static bool
find_mount_type(dev_t device, char *type, size_t bytes)
{
	char line[4096];
	bool is_found = false;
	FILE *file = fopen("/proc/self/mountinfo", "re");

	if (!file)
		return false;
	while (!is_found && fgets(line, sizeof(line), file)) {
		unsigned major_number, minor_number;
		const char *rest = strstr(line, " - ");

		/* NOLINTNEXTLINE(cert-err34-c): the kernel has written it. */
		if (!rest || sscanf(line, "%*u %*u %u:%u", &major_number, &minor_number) != 2 ||
		    makedev(major_number, minor_number) != device)
			continue;
		rest += strlen(" - ");
		snprintf(type, bytes, "%.*s", (int)strcspn(rest, " "), rest);
		is_found = true;
	}
	fclose(file);
	return is_found;
}

static enum herald_status
check_file_system(const char *folder, struct herald_error *error)
{
	struct statfs system;
	struct stat at;
	char type[64];
	const char *found = NULL;

	if (statfs(folder, &system) != 0 || stat(folder, &at) != 0)
		return herald_option_refuse(error, "path", "cannot look at the folder %s: %s",
					    folder, herald_errno_text(errno));
	/* f_type is signed on some machines. */
	uint64_t magic = (uint64_t)system.f_type & 0xffffffff;
	if (magic == FUSE_MAGIC && find_mount_type(at.st_dev, type, sizeof(type)))
		found = type;
	found = herald__sqlite_network_name(magic, found);
	if (found)
		return herald_option_refuse(error, "path",
					    "%s is on a network file system (%s), where locks and "
					    "shared memory do not work: use a local disk, or "
					    "PostgreSQL",
					    folder, found);
	return HERALD_OK;
}

/* The folder, absolute and without symbolic links. */
static enum herald_status
find_folder(const char *path, char folder[SQLITE_PATH_BYTES], struct herald_error *error)
{
	char given[SQLITE_PATH_BYTES];
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(given, sizeof(given), ".");
	else
		snprintf(given, sizeof(given), "%.*s", (int)(slash == path ? 1 : slash - path),
			 path);
	char *real = realpath(given, NULL);
	if (!real)
		return herald_option_refuse(error, "path", "the folder %s: %s%s", given,
					    herald_errno_text(errno),
					    errno == ENOENT ? "; create it" : "");
	snprintf(folder, SQLITE_PATH_BYTES, "%s", real);
	bool fits = strlen(real) < MAX_PATH_BYTES;
	free(real);
	if (!fits)
		return herald_option_refuse(error, "path", "must be at most %d bytes",
					    MAX_PATH_BYTES);
	return HERALD_OK;
}

static enum herald_status
refuse_access(struct herald_error *error, const char *what, const char *path)
{
	const int number = errno;
	const char *why = "; SQLite writes the file, and others next to it";

	return herald_option_refuse(error, "path", "%s %s is not writable for user %u: %s%s", what,
				    path, (unsigned)geteuid(), herald_errno_text(number),
				    number == EACCES ? why : "");
}

static enum herald_status
check_existing(const char *path, const struct stat *at, struct herald_error *error)
{
	if (S_ISDIR(at->st_mode))
		return herald_option_refuse(error, "path", "%s is a folder; name a file in it",
					    path);
	if (!S_ISREG(at->st_mode))
		return herald_option_refuse(error, "path", "%s is not a regular file", path);
	/* SQLite derives the names of the WAL and its index from the name of the file. */
	if (at->st_nlink > 1)
		return herald_option_refuse(
			error, "path",
			"%s has %lu names (hard links): a process that uses "
			"another one has another WAL, which damages the file. Find "
			"them with `find FOLDER -samefile FILE`, and keep one",
			path, (unsigned long)at->st_nlink);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
		return refuse_access(error, "the file", path);
	return HERALD_OK;
}

/* A file that another user has left, such as one who has used a tool. It may be gone at any time,
 * as SQLite deletes its files with the last connection. Where the tables must exist, as for a
 * tool, the lock file is not looked at: a tool only reads it, and a service says so itself when it
 * joins. */
static enum herald_status
check_next_to(const struct sqlite_database *database, bool must_exist, struct herald_error *error)
{
	const char *const paths[] = {database->wal_path, database->shm_path,
				     must_exist ? NULL : database->lock_path};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && paths[i]; i++) {
		struct stat at;

		if (faccessat(AT_FDCWD, paths[i], R_OK | W_OK, AT_EACCESS) == 0 || errno == ENOENT)
			continue;
		int number = errno;
		if (stat(paths[i], &at) != 0)
			continue;
		return herald_option_refuse(
			error, "path",
			"the file %s, of user %u, is not writable for user %u: %s; change its "
			"owner (chown), but do not delete it",
			paths[i], (unsigned)at.st_uid, (unsigned)geteuid(),
			herald_errno_text(number));
	}
	return HERALD_OK;
}

/* Two steps, because a file that is a symbolic link is in another folder than the link. */
static enum herald_status
resolve(const char *path, char out[SQLITE_PATH_BYTES], char folder[SQLITE_PATH_BYTES],
	struct herald_error *error)
{
	char *real = realpath(path, NULL);
	char existing[SQLITE_PATH_BYTES];

	if (real && strlen(real) <= MAX_PATH_BYTES) {
		snprintf(existing, sizeof(existing), "%s", real);
		path = existing;
	}
	free(real);
	enum herald_status status = find_folder(path, folder, error);
	if (status != HERALD_OK)
		return status;
	const char *slash = strrchr(path, '/');
	int bytes = snprintf(out, SQLITE_PATH_BYTES, "%s/%s",
			     strcmp(folder, "/") == 0 ? "" : folder, slash ? slash + 1 : path);
	if (bytes > MAX_PATH_BYTES)
		return herald_option_refuse(error, "path", "must be at most %d bytes",
					    MAX_PATH_BYTES);
	return HERALD_OK;
}

static void
name_files(struct sqlite_database *database)
{
	snprintf(database->lock_path, sizeof(database->lock_path), "%s-herald.lock",
		 database->path);
	snprintf(database->wal_path, sizeof(database->wal_path), "%s-wal", database->path);
	snprintf(database->shm_path, sizeof(database->shm_path), "%s-shm", database->path);
}

/* SQLite would begin a new file, and throw away what is committed in the WAL of the old one: it was
 * moved, or a backup is being restored. The WAL is looked at first, as another process that creates
 * the file writes to that before it has a WAL. */
static enum herald_status
check_wal(const struct sqlite_database *database, struct herald_error *error)
{
	struct stat wal, at;

	if (stat(database->wal_path, &wal) != 0 || wal.st_size == 0 ||
	    (stat(database->path, &at) == 0 && at.st_size > 0))
		return HERALD_OK;
	return herald_option_refuse(error, "path",
				    "%s is missing or empty, but %s has %lld bytes of commits that "
				    "belong to it: put the file back; to begin a new store, delete "
				    "the -wal file",
				    database->path, database->wal_path, (long long)wal.st_size);
}

enum herald_status
herald__sqlite_check_file(struct sqlite_database *database, bool must_exist,
			  struct herald_error *error)
{
	char folder[SQLITE_PATH_BYTES];
	struct stat at;
	enum herald_status status = resolve(database->options.path, database->path, folder, error);

	if (status == HERALD_OK)
		status = check_file_system(folder, error);
	if (status == HERALD_OK && stat(database->path, &at) == 0)
		status = check_existing(database->path, &at, error);
	else if (status == HERALD_OK && errno != ENOENT)
		status = herald_option_refuse(error, "path", "%s: %s", database->path,
					      herald_errno_text(errno));
	else if (status == HERALD_OK && must_exist)
		status = herald_option_refuse(error, "path",
					      "%s does not exist; a service with a store "
					      "creates it",
					      database->path);
	if (status == HERALD_OK && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0)
		status = refuse_access(error, "the folder", folder);
	name_files(database);
	if (status == HERALD_OK)
		status = check_next_to(database, must_exist, error);
	if (status == HERALD_OK)
		status = check_wal(database, error);
	return status;
}

bool
herald__sqlite_identify(const char *path, struct sqlite_identity *out)
{
	struct stat at;

	*out = (struct sqlite_identity){.inode = 0};
	if (stat(path, &at) != 0)
		return false;
	*out = (struct sqlite_identity){.device = at.st_dev, .inode = at.st_ino};
	return true;
}

bool
herald__sqlite_is_at(const char *path, const struct sqlite_identity *identity)
{
	struct sqlite_identity found;

	(void)herald__sqlite_identify(path, &found);
	return found.device == identity->device && found.inode == identity->inode;
}

enum herald_status
herald__sqlite_sync_folder(const char *path, struct herald_error *error)
{
	char folder[SQLITE_PATH_BYTES];
	int length = (int)(strrchr(path, '/') - path);

	snprintf(folder, sizeof(folder), "%.*s", length ? length : 1, path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return herald_system_error(error, "cannot open the database's folder", errno);
	int result = fsync(fd);
	int number = errno;
	close(fd);
	if (result != 0 && number != EINVAL) /* some file systems have no such thing */
		return herald_system_error(error, "cannot sync the database's folder", number);
	return HERALD_OK;
}
