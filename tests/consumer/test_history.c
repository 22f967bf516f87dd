/*
 * The file of notes that consumers of a machine share.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consumer/history.h"

#define NOTES 64

static struct herald__history a, b;
static char folder[64], path[96];
static int64_t wall_ms;

static int64_t
get_wall_ms(void *state)
{
	(void)state;
	return wall_ms;
}

static const struct herald__delivery_clock test_clock = {.wall_ms = get_wall_ms};

static void
open_history(struct herald__history *history)
{
	struct herald_error error;

	if (herald__history_open(history, path, NOTES, &test_clock, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

static int
setup(void **state)
{
	(void)state;
	wall_ms = 100000000;
	strcpy(folder, "/tmp/herald-history-XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/notes", folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static bool
file_exists(void)
{
	return access(path, F_OK) == 0;
}

static unsigned
runs_of(struct herald__history *history, uint64_t identity)
{
	struct herald__account account;
	uint64_t since_ms = 0;

	return herald__history_find(history, identity, &account, &since_ms) ? account.runs : 0;
}

static uint64_t
since_of(struct herald__history *history, uint64_t identity)
{
	struct herald__account account;
	uint64_t since_ms = 0;

	(void)herald__history_find(history, identity, &account, &since_ms);
	return since_ms;
}

static void
test_processes_share_notes(void **state)
{
	(void)state;
	open_history(&a);
	open_history(&b);
	herald__history_set(&a, 7, &(struct herald__account){.runs = 3, .count = 5});
	assert_int_equal(runs_of(&b, 7), 3);
	herald__history_set(&b, 7, &(struct herald__account){.runs = 4});
	assert_int_equal(runs_of(&a, 7), 4);
	herald__history_use_number(&a, 5);
	herald__history_use_number(&b, 2);
	assert_int_equal(herald__history_numbers(&b), 6);
	herald__history_drop(&b, 7);
	assert_int_equal(runs_of(&a, 7), 0);
	/* The last process deletes the file. */
	herald__history_close(&a);
	assert_true(file_exists());
	herald__history_close(&b);
	assert_false(file_exists());
}

/* It is kept as long as messages may come again. */
static void
test_what_is_noted_is_kept(void **state)
{
	(void)state;
	open_history(&a);
	herald__history_set(&a, 7, &(struct herald__account){.runs = 3});
	herald__history_close(&a);
	open_history(&a);
	assert_int_equal(runs_of(&a, 7), 3);
	herald__history_drop(&a, 7);
	herald__history_break(&a);
	herald__history_close(&a);
	assert_true(file_exists());
	open_history(&a);
	assert_int_equal(herald__history_breaks(&a, 0), 1);
	wall_ms += 3600001;
	herald__history_close(&a);
	assert_false(file_exists());
}

/* Also if the clock stands still, or goes back. */
static void
test_breaks_and_notes_have_an_order(void **state)
{
	struct herald__account account;
	uint64_t since_ms = 0;

	(void)state;
	open_history(&a);
	herald__history_break(&a);
	herald__history_set(&a, 7, &(struct herald__account){.runs = 1});
	assert_true(herald__history_find(&a, 7, &account, &since_ms));
	assert_int_equal(herald__history_breaks(&a, since_ms), 0);
	wall_ms -= 5000;
	herald__history_break(&a);
	assert_int_equal(herald__history_breaks(&a, since_ms), 1);
	for (int i = 0; i < 100; i++)
		herald__history_break(&a);
	assert_int_equal(herald__history_breaks(&a, since_ms), 64);
	herald__history_close(&a);
}

/* The oldest notes make room; notes of messages that kill processes do so last. */
static void
test_room_for_notes(void **state)
{
	unsigned kept = 0;

	(void)state;
	open_history(&a);
	herald__history_break(&a);
	herald__history_set(&a, 1000, &(struct herald__account){.runs = 1, .interrupted = 1});
	for (uint64_t i = 1; i < 1000; i++) {
		wall_ms++;
		herald__history_set(&a, i, &(struct herald__account){.runs = 1});
	}
	for (uint64_t i = 1; i < 1000; i++)
		kept += runs_of(&a, i);
	assert_int_equal(runs_of(&a, 999), 1);
	/* An older note of its set has made room: earlier breaks do not excuse a message
	 * without a note. */
	herald__history_drop(&a, 999);
	assert_in_range(since_of(&a, 999), 100000001, 100000999);
	assert_int_equal(herald__history_breaks(&a, since_of(&a, 999)), 0);
	assert_int_equal(kept, NOTES - 1);
	assert_int_equal(runs_of(&a, 1000), 1);
	herald__history_close(&a);
}

/* A file that is damaged, or was not finished, begins anew. */
static void
test_a_damaged_file(void **state)
{
	static const struct {
		size_t bytes, at;
		char byte;
	} cases[] = {{0, 0, 0}, {10, 0, 'H'}, {100000, 0, 0}, {4000, 8, 0x41}, {4000, 3, 'x'}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_history(&a);
		herald__history_set(&a, 7, &(struct herald__account){.runs = 1});
		herald__history_close(&a);
		FILE *file = fopen(path, "r+");
		assert_non_null(file);
		assert_int_equal(fseek(file, (long)cases[i].at, SEEK_SET), 0);
		assert_int_equal(fputc(cases[i].byte, file), cases[i].byte);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(truncate(path, (off_t)cases[i].bytes), 0);
		open_history(&a);
		assert_int_equal(runs_of(&a, 7), 0);
		herald__history_set(&a, 7, &(struct herald__account){.runs = 2});
		assert_int_equal(runs_of(&a, 7), 2);
		herald__history_close(&a);
		unlink(path);
	}
}

/* Another process has the lock of the notes, and hangs. */
static int
hang(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	const int fd = open(path, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	return fd;
}

static void
test_a_process_that_hangs(void **state)
{
	struct herald_error error;

	(void)state;
	int fd = hang();
	assert_int_equal(herald__history_open(&a, path, NOTES, &test_clock, &error), HERALD_SYSTEM);
	assert_non_null(strstr(error.message, "cannot open the file of notes"));
	close(fd);
	open_history(&a);
	herald__history_set(&a, 7, &(struct herald__account){.runs = 1});
	fd = hang();
	for (uint64_t i = 0; i < 100; i++)
		herald__history_set(&a, 8 + i, &(struct herald__account){.runs = 1});
	assert_true(a.is_stuck);
	assert_int_equal(runs_of(&a, 7), 0);
	close(fd);
	assert_int_equal(runs_of(&a, 7), 1);
	assert_false(a.is_stuck);
	assert_int_equal(runs_of(&a, 8), 0);
	herald__history_close(&a);
}

/* Only root can make one. */
static void
test_a_file_of_another_user(void **state)
{
	struct herald_error error;

	(void)state;
	const int fd = hang();
	if (fchown(fd, geteuid() + 1, getegid()) == 0) {
		assert_int_equal(herald__history_open(&a, path, NOTES, &test_clock, &error),
				 HERALD_SYSTEM);
		assert_non_null(strstr(error.message, strerror(EPERM)));
	}
	close(fd);
}

/* Another process may have it in memory. */
static void
test_a_file_that_is_not_understood_stays_as_it_is(void **state)
{
	char bytes[4096], now[4096];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	const int fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	open_history(&a);
	herald__history_set(&a, 7, &(struct herald__account){.runs = 1});
	assert_int_equal(pread(fd, now, sizeof(now), 0), sizeof(now));
	assert_memory_equal(now, bytes, sizeof(now));
	close(fd);
	herald__history_close(&a);
	open_history(&a);
	assert_int_equal(runs_of(&a, 7), 1);
	herald__history_close(&a);
}

static void
test_what_is_not_a_file(void **state)
{
	struct herald_error error;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(herald__history_open(&a, path, NOTES, &test_clock, &error), HERALD_SYSTEM);
	assert_null(a.map);
	rmdir(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(herald__history_open(&a, path, NOTES, &test_clock, &error), HERALD_SYSTEM);
	unlink(path);
	assert_int_equal(herald__history_open(&a, "/nonexistent/notes", NOTES, &test_clock, &error),
			 HERALD_SYSTEM);
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_processes_share_notes),
		TEST(test_what_is_noted_is_kept),
		TEST(test_breaks_and_notes_have_an_order),
		TEST(test_room_for_notes),
		TEST(test_a_damaged_file),
		TEST(test_a_process_that_hangs),
		TEST(test_a_file_of_another_user),
		TEST(test_a_file_that_is_not_understood_stays_as_it_is),
		TEST(test_what_is_not_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
