/*
 * The file has a place for each message in flight, and for each that is done until the broker knows
 * that: if the process dies before because of another message, that run does not count.
 *
 * What is known of a message that comes again, the history has: how often it ran, and up to which
 * count of the broker. A delivery after that has no known run. It counts as one, because another
 * machine may have run the message, unless a process has died or stopped here, or a connection has
 * ended, in between: then it may have been in a buffer.
 */
#include "consumer/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <herald/adapter/options.h>

#include "base/siphash.h"

/* Files of one source, and so processes that consume it on this machine. */
#define MAX_FILES 256
/* Notes: four for each place, within these bounds. */
#define MIN_NOTES 4096
#define MAX_NOTES (1 << 20)
#define READ_PAUSE_MS 100
/* The clocks of the broker and of this machine may differ by so much. */
#define CLOCK_ERROR_MS 300000

struct place {
	atomic_uint_fast64_t identity; /* 0: free */
	/* Runs of this delivery, those before the current one and it, times 2; plus 1 if it
	 * runs. */
	atomic_uint_fast64_t runs;
	/* It was lost, and the history has its runs. */
	atomic_uint_fast64_t is_noted;
	uint32_t before, unknown, count; /* as in struct herald__held */
	uint32_t done_next;              /* of this process; a number from 1, 0: none */
};

/* The places follow. */
struct herald__ledger_map {
	char magic[8];
	uint64_t places_count;
};

static const char magic[8] = {'H', 'E', 'R', 'A', 'L', 'D', 'C', '3'};

static size_t
notes_for(size_t places)
{
	size_t count = MIN_NOTES;

	while (count < 4 * places && count < MAX_NOTES)
		count *= 2;
	return count;
}

static size_t
map_bytes(size_t places)
{
	return sizeof(struct herald__ledger_map) + places * sizeof(struct place);
}

static struct place *
places_of(const struct herald__ledger_map *map)
{
	return (struct place *)(map + 1);
}

/* Files. */

static void
write_path(const struct herald__ledger *ledger, unsigned number, char out[288])
{
	snprintf(out, 288, "%s-%u", ledger->stem, number);
}

/* Lock a file for as long as the process lives. Returns false if another one has it. */
static bool
lock_file(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 1};

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* What the history is to know of a message that was lost. */
static void
note_place(struct herald__ledger *ledger, uint64_t identity, const struct place *place,
	   bool is_noted, bool was_running)
{
	struct herald__account account = {0};
	uint64_t since_ms = 0;

	(void)herald__history_find(&ledger->history, identity, &account, &since_ms);
	const uint32_t runs = place->before + (uint32_t)(atomic_load(&place->runs) / 2);

	/* A later delivery may have been noted before. */
	if (!is_noted && runs >= account.runs) {
		account.runs = runs;
		account.unknown = place->unknown;
	}
	if (!is_noted && place->count >= account.count)
		account.count = place->count + 1;
	account.interrupted += was_running;
	herald__history_set(&ledger->history, identity, &account);
}

/* A dead process has left it. It is deleted there first: if this process dies, too, it is not
 * counted twice. */
static void
take_over_place(struct herald__ledger *ledger, struct place *place)
{
	const uint64_t identity = atomic_load(&place->identity);

	if (identity == 0)
		return;
	atomic_store(&place->identity, 0);
	note_place(ledger, identity, place, atomic_load(&place->is_noted),
		   atomic_load(&place->runs) & 1);
}

/* Returns whether the file is not needed any more. While the history cannot be written, it stays:
 * nothing else knows which messages killed a process. */
static bool
take_over(struct herald__ledger *ledger, const struct herald__ledger_map *dead, size_t bytes)
{
	if (bytes < sizeof(*dead) || memcmp(dead->magic, magic, sizeof(magic)) != 0)
		return true;
	if (dead->places_count > bytes / sizeof(struct place) ||
	    bytes < map_bytes(dead->places_count))
		return true;
	if (!herald__history_break(&ledger->history))
		return false;
	for (size_t i = 0; i < dead->places_count; i++)
		take_over_place(ledger, &places_of(dead)[i]);
	return true;
}

/* Whether a locked file is one of ours, and still has its name: another process may have deleted it
 * between our open() and our lock. */
static bool
is_ours(int fd, struct stat *stat)
{
	return fstat(fd, stat) == 0 && stat->st_nlink > 0 && stat->st_uid == geteuid() &&
	       S_ISREG(stat->st_mode);
}

/* Read the file of a process that has died, and delete it. */
static void
read_dead(struct herald__ledger *ledger, unsigned number)
{
	char path[288];
	struct stat stat;

	write_path(ledger, number, path);
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (lock_file(fd) && is_ours(fd, &stat)) {
		const size_t bytes = (size_t)stat.st_size;
		void *map = bytes > 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
				      : NULL;

		if (map != MAP_FAILED) {
			const bool is_read = !map || take_over(ledger, map, bytes);

			if (map)
				munmap(map, bytes);
			if (is_read)
				unlink(path);
		}
	}
	close(fd);
}

static void
read_all_dead(struct herald__ledger *ledger)
{
	const unsigned numbers = herald__history_numbers(&ledger->history);

	for (unsigned number = 0; number < numbers && number < MAX_FILES; number++)
		if (number != ledger->number)
			read_dead(ledger, number);
}

/* A new file, locked. Returns -1, see errno: EAGAIN if another process took it for a dead one's. */
static int
create_file(const char *path, size_t bytes)
{
	struct stat stat;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -1;
	if (!lock_file(fd) || !is_ours(fd, &stat)) {
		close(fd);
		errno = EAGAIN;
		return -1;
	}
	/* Room on its file system, so that no write to the memory ends in SIGBUS. */
	const int failed = posix_fallocate(fd, 0, (off_t)bytes);
	if (failed == 0)
		return fd;
	unlink(path);
	close(fd);
	errno = failed;
	return -1;
}

/* The file of the first number that is free. Returns -1, see errno. */
static int
create_first(struct herald__ledger *ledger)
{
	char path[288];

	for (ledger->number = 0; ledger->number < MAX_FILES; ledger->number++) {
		write_path(ledger, ledger->number, path);
		int fd = create_file(path, ledger->bytes);

		if (fd >= 0 || (errno != EEXIST && errno != EAGAIN))
			return fd;
	}
	errno = EMFILE;
	return -1;
}

static void
set_stem(struct herald__ledger *ledger, const char *folder, const char *source)
{
	static const unsigned char key[HERALD__SIPHASH_KEY_BYTES] = "herald consumer";
	struct herald__siphash hash;

	herald__siphash_init(&hash, key, HERALD__SIPHASH_64);
	herald__siphash_add(&hash, source, strlen(source));
	snprintf(ledger->stem, sizeof(ledger->stem), "%s/herald-consumer-%u-%016llx", folder,
		 (unsigned)getuid(), (unsigned long long)herald__siphash_64(&hash));
}

static enum herald_status
open_history(struct herald__ledger *ledger, const struct herald__delivery_clock *clock,
	     struct herald_error *error)
{
	char path[288];

	snprintf(path, sizeof(path), "%s-notes1", ledger->stem);
	return herald__history_open(&ledger->history, path, notes_for(ledger->places), clock,
				    error);
}

enum herald_status
herald__ledger_open(struct herald__ledger *ledger, const char *folder, const char *source,
		    size_t places, const struct herald__delivery_clock *clock,
		    struct herald_error *error)
{
	*ledger = (struct herald__ledger){.places = places, .bytes = map_bytes(places)};
	set_stem(ledger, folder, source);
	enum herald_status status = open_history(ledger, clock, error);
	if (status != HERALD_OK)
		return status;
	ledger->fd = create_first(ledger);
	if (ledger->fd < 0) {
		status = herald_system_error(error, "cannot create the in-flight file", errno);
		goto close_history;
	}
	void *map = mmap(NULL, ledger->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ledger->fd, 0);
	if (map == MAP_FAILED) {
		status = herald_system_error(error, "cannot map the in-flight file", errno);
		goto close_file;
	}
	ledger->map = map;
	ledger->map->places_count = places;
	memcpy(ledger->map->magic, magic, sizeof(magic));
	herald__history_use_number(&ledger->history, ledger->number);
	read_all_dead(ledger);
	return HERALD_OK;
close_file:
	close(ledger->fd);
close_history:
	herald__history_close(&ledger->history);
	return status;
}

static bool
knows_something(const struct herald__ledger *ledger)
{
	for (size_t i = 0; i < ledger->places; i++)
		if (atomic_load(&places_of(ledger->map)[i].identity) != 0)
			return true;
	return false;
}

void
herald__ledger_close(struct herald__ledger *ledger)
{
	char path[288];

	if (!ledger->map)
		return;
	write_path(ledger, ledger->number, path);
	if (!knows_something(ledger))
		unlink(path);
	munmap(ledger->map, ledger->bytes);
	close(ledger->fd);
	ledger->map = NULL;
	/* Without the notes no process would look for these files, nor for this one. */
	ledger->number = MAX_FILES;
	read_all_dead(ledger);
	herald__history_close(&ledger->history);
}

/* Messages. */

static void
take_place(struct herald__ledger *ledger, struct herald__held *held)
{
	for (size_t i = 0; i < ledger->places; i++) {
		struct place *place = &places_of(ledger->map)[ledger->next_place];

		ledger->next_place = (uint32_t)((ledger->next_place + 1) % ledger->places);
		if (atomic_load_explicit(&place->identity, memory_order_relaxed) != 0)
			continue;
		held->place = (uint32_t)(place - places_of(ledger->map)) + 1;
		atomic_store_explicit(&place->runs, 0, memory_order_relaxed);
		atomic_store_explicit(&place->is_noted, 0, memory_order_relaxed);
		place->before = held->before;
		place->unknown = held->unknown;
		place->count = held->count;
		atomic_store_explicit(&place->identity, held->identity, memory_order_release);
		return;
	}
}

/* What is known, besides what the broker says. Returns when it was noted. */
static uint64_t
look_up(struct herald__ledger *ledger, const struct herald_received *message,
	struct herald__account *account)
{
	const int64_t created_ms = message->created_ms - CLOCK_ERROR_MS;
	uint64_t since_ms = created_ms > 0 ? (uint64_t)created_ms : 0;
	struct herald__account noted = {0};

	*account = (struct herald__account){.runs = message->attempts, .count = message->attempts};
	if (!herald__history_find(&ledger->history, message->identity, &noted, &since_ms))
		return since_ms;
	account->interrupted = noted.interrupted;
	if (noted.runs > account->runs) {
		account->runs = noted.runs;
		account->unknown = noted.unknown;
	}
	if (noted.count > account->count)
		account->count = noted.count;
	return since_ms;
}

/* Which runs a message has, now that it has come. */
static struct herald__account
account_for(struct herald__ledger *ledger, const struct herald_received *message)
{
	const unsigned delivered = message->deliveries > 0 ? message->deliveries - 1 : 0;
	const uint32_t count = message->attempts + delivered;
	struct herald__account account = {.runs = message->attempts, .count = message->attempts};
	uint32_t unknown, breaks = 0;
	uint64_t since_ms = 0;
	const bool has_notes =
		ledger->map && message->identity != 0 &&
		(count > 0 ||
		 (ledger->counts_late && herald__history_has(&ledger->history, message->identity)));

	if (has_notes)
		since_ms = look_up(ledger, message, &account);
	unknown = count > account.count ? count - account.count : 0;
	if (has_notes && unknown > 0)
		breaks = herald__history_breaks(&ledger->history, since_ms);
	unknown -= unknown < breaks ? unknown : breaks;
	account.runs += unknown;
	account.unknown += unknown;
	account.count = count;
	return account;
}

void
herald__ledger_receive(struct herald__ledger *ledger, struct herald__held *held, uint64_t now_ms)
{
	const struct herald_received *message = held->message;

	const bool may_have_run = message->deliveries > 1 || ledger->counts_late;

	if (ledger->map && may_have_run && now_ms - ledger->read_ms >= READ_PAUSE_MS) {
		read_all_dead(ledger);
		ledger->read_ms = now_ms;
	}
	const struct herald__account account = account_for(ledger, message);
	held->before = account.runs;
	held->unknown = account.unknown;
	held->count = account.count;
	held->interrupted = account.interrupted;
	if (ledger->map && held->identity != 0)
		take_place(ledger, held);
}

static struct place *
place_of(const struct herald__ledger *ledger, const struct herald__held *held)
{
	return ledger->map && held->place > 0 ? &places_of(ledger->map)[held->place - 1] : NULL;
}

/* A message comes again, and the broker's count will be this one, or less if the settlement does
 * not reach it. Nothing is noted if the broker's counts say it all. */
static void
note_return(struct herald__ledger *ledger, const struct herald__held *held, uint32_t count)
{
	const struct herald__account account = {
		.runs = held->before + held->runs,
		.unknown = held->unknown,
		.count = count,
		.interrupted = held->interrupted,
	};

	if (account.runs > 0 || account.count > 0)
		herald__history_set(&ledger->history, held->identity, &account);
}

void
herald__ledger_refuse(struct herald__ledger *ledger, const struct herald_received *message,
		      const struct herald_subscriber_ops *ops)
{
	if (!ledger->map || message->identity == 0)
		return;
	struct herald__account account = account_for(ledger, message);
	account.count += ops->counts_releases;
	if (account.count > 0)
		herald__history_set(&ledger->history, message->identity, &account);
}

void
herald__ledger_break(struct herald__ledger *ledger)
{
	if (ledger->map)
		(void)herald__history_break(&ledger->history);
}

/* First, so that it is not counted twice if the process dies. */
static void
lose_place(struct herald__ledger *ledger, struct place *place)
{
	const uint64_t identity = atomic_load(&place->identity);

	atomic_store(&place->is_noted, 1);
	note_place(ledger, identity, place, false, false);
}

void
herald__ledger_lose(struct herald__ledger *ledger, const struct herald__held *held)
{
	struct place *place = place_of(ledger, held);

	if (place && !atomic_load(&place->is_noted))
		lose_place(ledger, place);
}

/* The place of a message that is done is free when the broker knows it. */
static void
keep_done(struct herald__ledger *ledger, uint32_t number)
{
	struct place *places = places_of(ledger->map);

	places[number - 1].done_next = 0;
	if (ledger->done_last)
		places[ledger->done_last - 1].done_next = number;
	else
		ledger->done_first = number;
	ledger->done_last = number;
	ledger->done_count++;
}

void
herald__ledger_settle(struct herald__ledger *ledger, const struct herald__held *held,
		      const struct herald_subscriber_ops *ops)
{
	struct place *place = place_of(ledger, held);

	if (!place)
		return;
	if (held->was_lost)
		herald__ledger_lose(ledger, held);
	const bool is_finished = held->kind == HERALD_SETTLE_DONE ||
				 (held->kind == HERALD_SETTLE_RETRY && ops->renames_retries);
	if (is_finished && !held->was_lost) {
		keep_done(ledger, held->place);
		return;
	}
	/* The broker may not take the dead letter. What kills processes is known nevertheless. */
	if (!held->was_lost && held->kind == HERALD_SETTLE_DEAD && held->interrupted == 0)
		herald__history_drop(&ledger->history, held->identity);
	else if (!held->was_lost && held->kind != HERALD_SETTLE_DEAD)
		note_return(ledger, held,
			    held->count +
				    (held->kind == HERALD_SETTLE_RETRY || ops->counts_releases));
	atomic_store(&place->identity, 0);
}

/* The oldest message that is done. */
static struct place *
take_done(struct herald__ledger *ledger)
{
	struct place *place = &places_of(ledger->map)[ledger->done_first - 1];

	ledger->done_first = place->done_next;
	if (ledger->done_first == 0)
		ledger->done_last = 0;
	ledger->done_count--;
	return place;
}

void
herald__ledger_confirm(struct herald__ledger *ledger, size_t unsettled)
{
	while (ledger->done_count > unsettled) {
		struct place *place = take_done(ledger);

		if (place->count > 0 || ledger->counts_late)
			herald__history_drop(
				&ledger->history,
				atomic_load_explicit(&place->identity, memory_order_relaxed));
		atomic_store_explicit(&place->identity, 0, memory_order_release);
	}
}

void
herald__ledger_lose_done(struct herald__ledger *ledger)
{
	while (ledger->done_count > 0) {
		struct place *place = take_done(ledger);
		lose_place(ledger, place);
		atomic_store(&place->identity, 0);
	}
}

bool
herald__ledger_begin(struct herald__ledger *ledger, const struct herald__held *held)
{
	struct place *place = place_of(ledger, held);

	/* Either this sees a loss, or herald__ledger_lose() sees this run. */
	if (place)
		atomic_store(&place->runs, 2 * (uint64_t)held->runs + 3);
	if (!herald__held_is_lost(held))
		return true;
	herald__ledger_end(ledger, held);
	return false;
}

void
herald__ledger_end(struct herald__ledger *ledger, const struct herald__held *held)
{
	struct place *place = place_of(ledger, held);
	const bool is_done = held->kind == HERALD_SETTLE_DONE && held->runs > 0;

	if (place)
		atomic_store_explicit(&place->runs, 2 * ((uint64_t)held->runs - is_done),
				      memory_order_release);
}
