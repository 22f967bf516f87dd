/*
 * Owns the file of notes: its layout, its lock, and which note makes room for a new one. It does
 * not know what the notes lead to.
 *
 * A lock of the file protects the notes from other processes. The kernel takes it from a process
 * that dies. Its note is then the old one, the new one, or missing.
 */
#include "consumer/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/random.h>

/* A note has one of so many places. */
#define NOTE_WAYS 8
#define MAX_BREAKS 64
/* An unused file is kept for so long after a break: messages may come again. */
#define KEPT_MS 3600000
/* Another process may delete the file while this one opens it. */
#define MAX_TRIES 100
/* A lock is taken for microseconds. Who holds it for longer hangs. */
#define MAX_LOCK_MS 1000

/* Bytes of the file that are locked: while notes are written, and by each process that has it. */
#define LOCK_NOTES 0
#define LOCK_USERS 1

struct note {
	atomic_uint_fast64_t identity; /* 0: free */
	uint64_t stamp_ms;             /* when it was written */
	struct herald__account account;
};

/* Where a note may be. */
struct note_set {
	uint64_t evicted_ms; /* the stamp of the newest note that has made room for others */
	struct note ways[NOTE_WAYS];
};

/* The sets follow. */
struct herald__history_map {
	char magic[8];
	uint64_t notes_count;
	uint64_t stamp_ms; /* the last one */
	uint64_t breaks_count;
	uint64_t breaks_ms[MAX_BREAKS]; /* the last ones; in a ring */
	atomic_uint_fast64_t numbers;
};

/* Another layout of the file has another magic, and another version in its name: see
 * open_history() of ledger.c. */
static const char magic[8] = {'H', 'E', 'R', 'A', 'L', 'D', 'H', '1'};

/* Locks belong to the open file, so that two consumers of a process exclude each other, too. */
static bool
lock(int fd, short type, off_t at)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
	int result;

	do
		result = fcntl(fd, F_OFD_SETLK, &lock);
	while (result != 0 && errno == EINTR);
	return result == 0;
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Does not wait for a process that hangs: then it returns false, see errno. */
static bool
lock_soon(int fd, short type, off_t at, unsigned max_ms)
{
	const struct timespec pause = {.tv_nsec = 100000};
	uint64_t until_ms = 0;

	while (!lock(fd, type, at)) {
		if (errno != EAGAIN && errno != EACCES)
			return false;
		if (until_ms == 0)
			until_ms = now_ms() + max_ms;
		if (now_ms() >= until_ms) {
			errno = EBUSY;
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

/* After a failure it does not wait any more, until it has had the lock again. */
static bool
lock_notes(struct herald__history *history)
{
	history->is_stuck =
		!lock_soon(history->fd, F_WRLCK, LOCK_NOTES, history->is_stuck ? 0 : MAX_LOCK_MS);
	return !history->is_stuck;
}

static void
unlock_notes(const struct herald__history *history)
{
	(void)lock(history->fd, F_UNLCK, LOCK_NOTES);
}

/* The file. */

static size_t
map_bytes(uint64_t notes)
{
	return sizeof(struct herald__history_map) +
	       (size_t)notes / NOTE_WAYS * sizeof(struct note_set);
}

static struct note_set *
sets_of(const struct herald__history *history)
{
	return (struct note_set *)(history->map + 1);
}

static struct note *
note_at(const struct herald__history *history, size_t at)
{
	return &sets_of(history)[at / NOTE_WAYS].ways[at % NOTE_WAYS];
}

/* Also when it was created: a link to a file of another user is not ours. */
static bool
is_ours(int fd, struct stat *stat)
{
	return fstat(fd, stat) == 0 && stat->st_nlink > 0 && stat->st_uid == geteuid() &&
	       S_ISREG(stat->st_mode);
}

/* How many notes a file has; 0: it is new, or damaged. */
static uint64_t
read_size(int fd, const struct stat *stat)
{
	struct herald__history_map map;

	if (pread(fd, &map, sizeof(map), 0) != (ssize_t)sizeof(map) ||
	    memcmp(map.magic, magic, sizeof(magic)) != 0 || map.notes_count == 0 ||
	    map.notes_count % NOTE_WAYS != 0 ||
	    map.notes_count > SIZE_MAX / 2 / sizeof(struct note) ||
	    (uint64_t)stat->st_size < map_bytes(map.notes_count))
		return 0;
	return map.notes_count;
}

static bool
lock_both(int fd)
{
	return lock_soon(fd, F_RDLCK, LOCK_USERS, MAX_LOCK_MS) &&
	       lock_soon(fd, F_WRLCK, LOCK_NOTES, MAX_LOCK_MS);
}

/* errno stays. */
static void
close_only(int fd)
{
	const int error = errno;

	close(fd);
	errno = error;
}

/* Returns -1, see errno. */
static int
open_file(const char *path, struct stat *stat)
{
	for (unsigned tries = 0; tries < MAX_TRIES; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return -1;
		/* First: another user may have made it, and locked it for ever. */
		const bool was_ours = is_ours(fd, stat);
		if (was_ours && !lock_both(fd)) {
			close_only(fd);
			return -1;
		}
		if (was_ours && is_ours(fd, stat)) {
			if (stat->st_size == 0 || read_size(fd, stat) > 0)
				return fd;
			/* Others may have it in memory: it stays as it is. */
			unlink(path);
		} else if (stat->st_nlink > 0) {
			close(fd);
			break;
		}
		close(fd);
	}
	errno = EPERM;
	return -1;
}

/* With both locks. */
static enum herald_status
map_file(struct herald__history *history, const struct stat *stat, size_t notes,
	 struct herald_error *error)
{
	const uint64_t found = read_size(history->fd, stat);

	history->bytes = map_bytes(found > 0 ? found : notes);
	/* Room on its file system, so that no write to the memory ends in SIGBUS. */
	int failed = found > 0 ? 0 : posix_fallocate(history->fd, 0, (off_t)history->bytes);
	if (failed != 0)
		return herald_system_error(error, "cannot write the file of notes", failed);
	void *map = mmap(NULL, history->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, history->fd, 0);
	if (map == MAP_FAILED)
		return herald_system_error(error, "cannot map the file of notes", errno);
	history->map = map;
	if (found > 0)
		return HERALD_OK;
	memset(map, 0, history->bytes);
	history->map->notes_count = notes;
	memcpy(history->map->magic, magic, sizeof(magic));
	return HERALD_OK;
}

enum herald_status
herald__history_open(struct herald__history *history, const char *path, size_t notes,
		     const struct herald__delivery_clock *clock, struct herald_error *error)
{
	struct stat stat = {0};

	*history = (struct herald__history){.clock = clock};
	snprintf(history->path, sizeof(history->path), "%s", path);
	history->fd = open_file(path, &stat);
	if (history->fd < 0)
		return herald_system_error(error, "cannot open the file of notes", errno);
	enum herald_status status = map_file(history, &stat, notes, error);
	if (status == HERALD_OK)
		unlock_notes(history);
	else
		close(history->fd);
	return status;
}

static bool
is_needed(const struct herald__history *history)
{
	const uint64_t now_ms = (uint64_t)herald__clock_wall_ms(history->clock);
	const struct herald__history_map *map = history->map;

	for (size_t i = 0; i < MAX_BREAKS; i++)
		if (map->breaks_ms[i] != 0 && map->breaks_ms[i] + KEPT_MS > now_ms)
			return true;
	for (size_t i = 0; i < map->notes_count; i++)
		if (atomic_load(&note_at(history, i)->identity) != 0)
			return true;
	return false;
}

void
herald__history_close(struct herald__history *history)
{
	if (!history->map)
		return;
	struct stat stat;

	/* Fails if another process has the file. The name may be another file's by now. */
	if (lock(history->fd, F_WRLCK, LOCK_USERS) && is_ours(history->fd, &stat) &&
	    !is_needed(history))
		unlink(history->path);
	munmap(history->map, history->bytes);
	close(history->fd);
	history->map = NULL;
}

/* Notes. */

/* Times that never go backwards, so that breaks and notes have an order. */
static uint64_t
take_stamp(struct herald__history *history, bool is_new)
{
	struct herald__history_map *map = history->map;
	const int64_t wall_ms = herald__clock_wall_ms(history->clock);
	const uint64_t now_ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
	const uint64_t least_ms = map->stamp_ms + is_new;

	map->stamp_ms = now_ms > least_ms ? now_ms : least_ms;
	return map->stamp_ms;
}

/* Identities that are times differ in a few bits only. */
static struct note_set *
set_for(const struct herald__history *history, uint64_t identity)
{
	const uint64_t sets = history->map->notes_count / NOTE_WAYS;

	return &sets_of(history)[herald_random_bits(identity) % sets];
}

static struct note *
find_note(const struct herald__history *history, uint64_t identity)
{
	struct note *ways = set_for(history, identity)->ways;

	for (size_t i = 0; i < NOTE_WAYS; i++)
		if (atomic_load_explicit(&ways[i].identity, memory_order_relaxed) == identity)
			return &ways[i];
	return NULL;
}

/* A free place is better than a note, and a note than one of a message that kills processes. */
static bool
is_worse(const struct note *a, const struct note *b)
{
	const bool a_is_free = atomic_load(&a->identity) == 0;
	const bool b_is_free = atomic_load(&b->identity) == 0;

	if (a_is_free || b_is_free)
		return a_is_free && !b_is_free;
	if ((a->account.interrupted == 0) != (b->account.interrupted == 0))
		return a->account.interrupted == 0;
	return a->stamp_ms < b->stamp_ms;
}

static struct note *
make_room(const struct herald__history *history, uint64_t identity)
{
	struct note_set *set = set_for(history, identity);
	struct note *worst = set->ways;

	for (size_t i = 1; i < NOTE_WAYS; i++)
		if (is_worse(&set->ways[i], worst))
			worst = &set->ways[i];
	if (atomic_load(&worst->identity) != 0 && worst->stamp_ms > set->evicted_ms)
		set->evicted_ms = worst->stamp_ms;
	return worst;
}

bool
herald__history_has(const struct herald__history *history, uint64_t identity)
{
	return find_note(history, identity);
}

bool
herald__history_find(struct herald__history *history, uint64_t identity,
		     struct herald__account *out, uint64_t *since_ms)
{
	if (!lock_notes(history))
		return false;
	const uint64_t evicted_ms = set_for(history, identity)->evicted_ms;
	const struct note *note = find_note(history, identity);
	if (note) {
		*out = note->account;
		*since_ms = note->stamp_ms;
	} else if (*since_ms < evicted_ms) {
		*since_ms = evicted_ms;
	}
	unlock_notes(history);
	return note;
}

void
herald__history_set(struct herald__history *history, uint64_t identity,
		    const struct herald__account *account)
{
	if (!lock_notes(history))
		return;
	struct note *note = find_note(history, identity);
	if (!note)
		note = make_room(history, identity);
	atomic_store(&note->identity, 0);
	note->account = *account;
	note->stamp_ms = take_stamp(history, false);
	atomic_store(&note->identity, identity);
	unlock_notes(history);
}

void
herald__history_drop(struct herald__history *history, uint64_t identity)
{
	if (!find_note(history, identity))
		return;
	if (!lock_notes(history))
		return;
	struct note *note = find_note(history, identity);
	if (note)
		atomic_store(&note->identity, 0);
	unlock_notes(history);
}

/* Breaks. */

bool
herald__history_break(struct herald__history *history)
{
	struct herald__history_map *map = history->map;

	if (!lock_notes(history))
		return false;
	map->breaks_ms[map->breaks_count++ % MAX_BREAKS] = take_stamp(history, true);
	unlock_notes(history);
	return true;
}

uint32_t
herald__history_breaks(struct herald__history *history, uint64_t since_ms)
{
	uint32_t count = 0;

	if (!lock_notes(history))
		return 0;
	for (size_t i = 0; i < MAX_BREAKS; i++)
		count += history->map->breaks_ms[i] > since_ms;
	unlock_notes(history);
	return count;
}

/* Numbers. */

void
herald__history_use_number(struct herald__history *history, unsigned number)
{
	if (!lock_notes(history))
		return;
	if (atomic_load(&history->map->numbers) <= number)
		atomic_store(&history->map->numbers, (uint64_t)number + 1);
	unlock_notes(history);
}

unsigned
herald__history_numbers(const struct herald__history *history)
{
	return (unsigned)atomic_load(&history->map->numbers);
}
