/*
 * The file has a header, the deliveries, and a slot for each worker that begins with a line of its
 * own, so that workers do not share cache lines. A change is a few stores to memory. The kernel
 * keeps the page when the process is killed, and releases the lock of the open file description,
 * which a child that was forked without exec() has, too.
 */
#include "store/in_flight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#define LINE_BYTES 64

struct header {
	char magic[8];
	uint64_t node;
	uint64_t workers;
};

/* Instead of an id: an event that is not the node's. It belongs to an earlier node of the process,
 * whose lease was lost. No row has this id. */
#define NOT_OURS UINT64_MAX

/* Ids; 0: none. */
struct slot {
	_Alignas(LINE_BYTES) atomic_uint_fast64_t running;
	atomic_uint_fast64_t ended_count; /* so many have ended; the next one's place */
	atomic_uint_fast64_t committing;  /* so many of the last ones */
	_Alignas(LINE_BYTES) atomic_uint_fast64_t ended[HERALD__IN_FLIGHT_ENDED];
};

struct herald__in_flight_map {
	_Alignas(LINE_BYTES) struct header header;
	atomic_uint_fast64_t left_count; /* so many were left; the next one's place */
	atomic_uint_fast64_t left[HERALD__IN_FLIGHT_LEFT];
	_Alignas(LINE_BYTES) atomic_uint_fast64_t deliveries[HERALD__IN_FLIGHT_DELIVERIES];
	struct slot slots[];
};

static const char magic[8] = {'H', 'E', 'R', 'A', 'L', 'D', 'F', '3'};

static enum herald_status
file_error(struct herald_error *error, const char *what, const char *path, int number)
{
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "cannot %s %s: %s", what,
				path, herald_errno_text(number));
}

static enum herald_status
create_error(struct herald_error *error, const char *path, int number)
{
	if (number != EBUSY)
		return file_error(error, "create", path, number);
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
				"cannot create %s: a running process has this file: give this "
				"store another in_flight_folder",
				path);
}

static void
store(atomic_uint_fast64_t *at, uint64_t value)
{
	atomic_store_explicit(at, value, memory_order_release);
}

static uint64_t
load(const atomic_uint_fast64_t *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

/* If the path is the file that is mapped. */
static void
unlink_own(const struct herald__in_flight *file, const char *path)
{
	struct stat earlier, found;

	if (file->map && fstat(file->fd, &earlier) == 0 && lstat(path, &found) == 0 &&
	    earlier.st_dev == found.st_dev && earlier.st_ino == found.st_ino)
		unlink(path);
}

/* Returns false if another process has the lock. Where files cannot be locked, a paused process
 * looks like a dead one. */
static bool
lock_file(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

/* Empty, with room on its file system, so that no write to the memory ends in SIGBUS. Nor may the
 * memory of another process, so nothing changes before the lock is there. Returns an error number,
 * EBUSY: another process has it. */
static int
prepare(int fd, size_t bytes)
{
	if (!lock_file(fd))
		return EBUSY;
	if (ftruncate(fd, 0) != 0)
		return errno;
	return posix_fallocate(fd, 0, (off_t)bytes);
}

static int
open_new(const char *path, size_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int failed = fd < 0 ? errno : prepare(fd, bytes);

	if (failed == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	errno = failed;
	return -1;
}

static size_t
map_bytes(size_t workers)
{
	return sizeof(struct herald__in_flight_map) + workers * sizeof(struct slot);
}

/* What runs goes on running, and must not let those that have ended be blamed. */
static void
carry_over(const struct herald__in_flight_map *from, struct herald__in_flight_map *to)
{
	for (size_t i = 0; i < to->header.workers; i++)
		if (load(&from->slots[i].running) != 0 || load(&from->slots[i].committing) != 0)
			store(&to->slots[i].running, NOT_OURS);
}

/* A mapping that exists is replaced at its address, under the workers that use it. What they begin
 * or end between the two steps is lost; it is not the new node's. */
static struct herald__in_flight_map *
replace(struct herald__in_flight_map *old, struct herald__in_flight_map *new, size_t bytes)
{
	carry_over(old, new);
	void *moved = mremap(new, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, old);
	int number = errno;
	if (moved != MAP_FAILED)
		return moved;
	munmap(new, bytes);
	errno = number;
	return MAP_FAILED;
}

/* MAP_FAILED: see errno. */
static struct herald__in_flight_map *
map_new(const struct herald__in_flight *file, int fd, uint64_t node, unsigned workers)
{
	const size_t bytes = map_bytes(workers);
	struct herald__in_flight_map *map =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return MAP_FAILED;
	map->header = (struct header){.node = node, .workers = workers};
	memcpy(map->header.magic, magic, sizeof(magic));
	return file->map ? replace(file->map, map, bytes) : map;
}

enum herald_status
herald__in_flight_create(struct herald__in_flight *file, const char *path, uint64_t node,
			 unsigned workers, struct herald_error *error)
{
	/* A file of an earlier node is mapped, and stays as it is. */
	unlink_own(file, path);
	int fd = open_new(path, map_bytes(workers));
	if (fd < 0)
		return create_error(error, path, errno);
	struct herald__in_flight_map *map = map_new(file, fd, node, workers);
	int number = errno;
	if (map == MAP_FAILED) {
		close(fd);
		unlink(path);
		return file_error(error, "map", path, number);
	}
	if (file->map)
		close(file->fd);
	else
		*file = (struct herald__in_flight){.map = map, .bytes = map_bytes(workers)};
	file->fd = fd;
	atomic_store(&file->has_missed, false);
	return HERALD_OK;
}

void
herald__in_flight_discard(const struct herald__in_flight *file, const char *path)
{
	unlink_own(file, path);
}

void
herald__in_flight_close(struct herald__in_flight *file)
{
	if (file->map) {
		munmap(file->map, file->bytes);
		close(file->fd);
	}
	*file = (struct herald__in_flight){0};
}

/* Whether the file is this node's. Nothing of another one has a place there. */
static bool
is_of(const struct herald__in_flight *file, uint64_t node)
{
	return file->map && file->map->header.node == node;
}

/* Events. */

/* What has a place is forgotten, unless the place is another's by now. */
static void
clear(atomic_uint_fast64_t *at, uint64_t id)
{
	if (load(at) == id)
		store(at, 0);
}

static bool
has(const atomic_uint_fast64_t *ids, size_t count, uint64_t id)
{
	size_t i = 0;

	while (i < count && load(&ids[i]) != id)
		i++;
	return i < count;
}

void
herald__in_flight_acquit(struct herald__in_flight *file)
{
	const size_t workers = file->map ? file->map->header.workers : 0;

	for (size_t i = 0; i < workers; i++)
		for (size_t j = 0; j < HERALD__IN_FLIGHT_ENDED; j++)
			store(&file->map->slots[i].ended[j], 0);
}

void
herald__in_flight_begin(struct herald__in_flight *file, unsigned worker, uint64_t owner,
			uint64_t id)
{
	if (file->map)
		store(&file->map->slots[worker].running, is_of(file, owner) ? id : NOT_OURS);
}

void
herald__in_flight_rest(struct herald__in_flight *file, unsigned worker)
{
	if (file->map)
		store(&file->map->slots[worker].running, 0);
}

herald__in_flight_place
herald__in_flight_end(struct herald__in_flight *file, unsigned worker, uint64_t owner, uint64_t id)
{
	if (!file->map)
		return 0;

	struct slot *slot = &file->map->slots[worker];
	const uint64_t count = load(&slot->ended_count);
	const unsigned index = count % HERALD__IN_FLIGHT_ENDED;

	store(&slot->ended[index], is_of(file, owner) ? id : NOT_OURS);
	store(&slot->ended_count, count + 1);
	store(&slot->running, 0);
	return worker * HERALD__IN_FLIGHT_ENDED + index;
}

void
herald__in_flight_commit(struct herald__in_flight *file, unsigned worker, size_t count)
{
	if (!file->map)
		return;

	struct slot *slot = &file->map->slots[worker];

	store(&slot->committing, count);
	/* The commit may have begun before the process was this node. Nothing runs meanwhile. */
	if (count == 0)
		clear(&slot->running, NOT_OURS);
}

void
herald__in_flight_forget(struct herald__in_flight *file, herald__in_flight_place place,
			 uint64_t owner, uint64_t id)
{
	if (is_of(file, owner))
		clear(&file->map->slots[place / HERALD__IN_FLIGHT_ENDED]
			       .ended[place % HERALD__IN_FLIGHT_ENDED],
		      id);
}

void
herald__in_flight_leave(struct herald__in_flight *file, uint64_t owner, uint64_t id)
{
	if (is_of(file, owner))
		store(&file->map->left[atomic_fetch_add(&file->map->left_count, 1) %
				       HERALD__IN_FLIGHT_LEFT],
		      id);
}

bool
herald__in_flight_has_left(const struct herald__in_flight *file, uint64_t owner, uint64_t id)
{
	return is_of(file, owner) && has(file->map->left, HERALD__IN_FLIGHT_LEFT, id);
}

bool
herald__in_flight_names_left(const struct herald__in_flight *file, uint64_t owner)
{
	return is_of(file, owner) && atomic_load(&file->map->left_count) <= HERALD__IN_FLIGHT_LEFT;
}

/* Deliveries. */

herald__in_flight_place
herald__in_flight_send(struct herald__in_flight *file, uint64_t owner, uint64_t id)
{
	size_t place = file->next_place;

	if (!is_of(file, owner))
		return 0;
	for (size_t i = 0; i < HERALD__IN_FLIGHT_DELIVERIES; i++, place++) {
		place %= HERALD__IN_FLIGHT_DELIVERIES;
		if (load(&file->map->deliveries[place]) != 0)
			continue;
		store(&file->map->deliveries[place], id);
		file->next_place = place + 1;
		return (herald__in_flight_place)place;
	}
	atomic_store(&file->has_missed, true);
	return 0;
}

void
herald__in_flight_sent(struct herald__in_flight *file, herald__in_flight_place place,
		       uint64_t owner, uint64_t id)
{
	if (is_of(file, owner))
		clear(&file->map->deliveries[place], id);
}

bool
herald__in_flight_is_sending(const struct herald__in_flight *file, uint64_t owner, uint64_t id)
{
	return is_of(file, owner) && has(file->map->deliveries, HERALD__IN_FLIGHT_DELIVERIES, id);
}

bool
herald__in_flight_names_sent(const struct herald__in_flight *file, uint64_t owner)
{
	return is_of(file, owner) && !atomic_load(&file->has_missed);
}

/* Reading. */

bool
herald__in_flight_is_held(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool is_held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	return is_held;
}

static int
compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Add the ids of the node. There is room for all. Returns whether there was anything. */
static bool
add(struct herald__in_flight_ids *out, const atomic_uint_fast64_t *from, size_t count)
{
	bool is_any = false;

	for (size_t i = 0; i < count; i++) {
		const uint64_t id = load(&from[i]);

		if (id != 0 && id != NOT_OURS)
			out->ids[out->count++] = id;
		is_any |= id != 0;
	}
	return is_any;
}

/* What runs, and what its worker commits. Returns whether there is anything. */
static bool
add_active(struct herald__in_flight_ids *out, const struct slot *slot)
{
	uint64_t committing = load(&slot->committing);
	const uint64_t ended = load(&slot->ended_count);
	/* The slots of an earlier node's events may be empty. */
	bool is_any = add(out, &slot->running, 1) || committing != 0;

	if (committing > HERALD__IN_FLIGHT_ENDED)
		committing = HERALD__IN_FLIGHT_ENDED;
	for (uint64_t i = ended - committing; i != ended; i++)
		is_any |= add(out, &slot->ended[i % HERALD__IN_FLIGHT_ENDED], 1);
	return is_any;
}

static void
collect(const struct herald__in_flight_map *map, struct herald__in_flight_ids *out)
{
	bool is_active = false;

	for (size_t i = 0; i < map->header.workers; i++)
		is_active |= add_active(out, &map->slots[i]);
	for (size_t i = 0; i < map->header.workers && !is_active; i++)
		add(out, map->slots[i].ended, HERALD__IN_FLIGHT_ENDED);
	add(out, map->left, HERALD__IN_FLIGHT_LEFT);
	add(out, map->deliveries, HERALD__IN_FLIGHT_DELIVERIES);
	qsort(out->ids, out->count, sizeof(*out->ids), compare_ids);
}

static bool
is_valid(const struct herald__in_flight_map *map, size_t bytes, uint64_t node)
{
	const struct header *header = &map->header;

	return memcmp(header->magic, magic, sizeof(magic)) == 0 && header->node == node &&
	       header->workers <= HERALD__IN_FLIGHT_WORKERS && bytes == map_bytes(header->workers);
}

/* Map a file for reading. NULL: see errno, or it is too small. */
static struct herald__in_flight_map *
map_file(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat found;
	void *mapped = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &found) == 0 && (size_t)found.st_size >= map_bytes(0)) {
		*bytes = (size_t)found.st_size;
		mapped = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, fd, 0);
	}
	close(fd);
	return mapped == MAP_FAILED ? NULL : mapped;
}

void
herald__in_flight_remove(const char *path, uint64_t node)
{
	size_t bytes = 0;
	struct herald__in_flight_map *map = map_file(path, &bytes);

	if (!map)
		return;
	if (is_valid(map, bytes, node) && !herald__in_flight_is_held(path))
		unlink(path);
	munmap(map, bytes);
}

static enum herald_status
read_map(const struct herald__in_flight_map *map, const struct herald_allocator *allocator,
	 struct herald__in_flight_ids *out, struct herald_error *error)
{
	const size_t workers = map->header.workers;

	/* A worker has as many that have ended as it has active ones, and one that runs. */
	out->capacity = workers * (HERALD__IN_FLIGHT_ENDED + 1) + HERALD__IN_FLIGHT_LEFT +
			HERALD__IN_FLIGHT_DELIVERIES;
	out->ids = herald_memory_allocate(allocator, out->capacity * sizeof(*out->ids));
	out->count = 0;
	if (!out->ids)
		return herald_out_of_memory(error);
	collect(map, out);
	return HERALD_OK;
}

enum herald_status
herald__in_flight_read(const char *path, uint64_t node, const struct herald_allocator *allocator,
		       struct herald__in_flight_ids *out, struct herald_error *error)
{
	size_t bytes = 0;
	enum herald_status status;

	errno = 0;
	struct herald__in_flight_map *map = map_file(path, &bytes);
	if (!map && errno != 0)
		return file_error(error, "read", path, errno);
	if (map && is_valid(map, bytes, node))
		status = read_map(map, allocator, out, error);
	else
		status = herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET,
					  "%s is not the in-flight file of this node", path);
	if (map)
		munmap(map, bytes);
	return status;
}

void
herald__in_flight_ids_free(struct herald__in_flight_ids *ids,
			   const struct herald_allocator *allocator)
{
	herald_memory_release(allocator, ids->ids, ids->capacity * sizeof(*ids->ids));
	*ids = (struct herald__in_flight_ids){0};
}
