/*
 * Locks of open file descriptions (F_OFD_SETLK). The kernel releases them when the last descriptor
 * is closed, and so when a process dies, however it dies. Unlike the older locks of processes they
 * also hold between two stores of one process, and closing another descriptor does not release
 * them. A child that was forked without exec() has the descriptor, too, and keeps the lock.
 */
#include "lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "check_file.h"
#include "problem.h"

static enum herald_status
file_error(struct herald_error *error, const char *what, const char *path, int number)
{
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "cannot %s %s: %s", what,
				path, herald_errno_text(number));
}

static int
open_file(const char *path, int flags)
{
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC, 0644);
	while (fd < 0 && errno == EINTR);
	return fd;
}

enum herald_status
herald__lock_file_open(const char *path, int *fd, struct herald_error *error)
{
	int opened = open_file(path, O_RDWR | O_CREAT);

	if (opened < 0)
		return file_error(error, "open", path, errno);
	*fd = opened;
	return HERALD_OK;
}

enum herald_status
herald__lock_file_look(const char *path, int *fd, struct herald_error *error)
{
	int opened = open_file(path, O_RDONLY);

	if (opened < 0 && errno != ENOENT)
		return file_error(error, "open", path, errno);
	*fd = opened;
	return HERALD_OK;
}

enum herald_status
herald__lock_file_lock(int fd, int slot, bool *is_locked, struct herald_error *error)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = slot, .l_len = 1};

	*is_locked = fcntl(fd, F_OFD_SETLK, &lock) == 0;
	if (!*is_locked && errno != EAGAIN && errno != EACCES)
		return herald_system_error(error, "cannot lock the -herald.lock file", errno);
	return HERALD_OK;
}

enum herald_status
herald__lock_file_test(int fd, int slot, bool *is_locked, struct herald_error *error)
{
	struct flock lock = {.l_type = F_WRLCK, .l_start = slot, .l_len = 1};

	*is_locked = false;
	if (fd < 0)
		return HERALD_OK;
	if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
		return herald_system_error(error, "cannot look at the -herald.lock file", errno);
	*is_locked = lock.l_type != F_UNLCK;
	return HERALD_OK;
}

/* The nodes of this process. */

void
herald__lock_file_join(struct sqlite_database *database, struct sqlite_node *node)
{
	pthread_mutex_lock(&database->mutex);
	node->next = database->nodes;
	database->nodes = node;
	pthread_mutex_unlock(&database->mutex);
}

enum herald_status
herald__lock_file_check(struct sqlite_database *database, struct herald_error *error)
{
	bool is_same = true;

	pthread_mutex_lock(&database->mutex);
	if (database->nodes)
		is_same = herald__sqlite_is_at(database->lock_path, &database->nodes->lock_file);
	pthread_mutex_unlock(&database->mutex);
	if (is_same)
		return HERALD_OK;
	return herald__sqlite_fail(
		database, error,
		"its -herald.lock file was deleted or replaced while in use, so that "
		"other processes take this one for dead; restart the process");
}

static void
free_node(struct sqlite_database *database, struct sqlite_node *node)
{
	close(node->fd);
	herald_memory_release(&database->allocator, node, sizeof(*node));
}

void
herald__lock_file_leave(struct sqlite_database *database, uint64_t id)
{
	struct sqlite_node **at = &database->nodes;

	pthread_mutex_lock(&database->mutex);
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	struct sqlite_node *node = *at;
	if (node)
		*at = node->next;
	pthread_mutex_unlock(&database->mutex);
	if (node)
		free_node(database, node);
}

void
herald__lock_file_leave_all(struct sqlite_database *database)
{
	while (database->nodes)
		herald__lock_file_leave(database, database->nodes->id);
}
