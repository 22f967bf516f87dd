/*
 * The in-flight file: what is written to it survives a kill -9, and files that are not what they
 * should be are refused.
 */
#include <ctype.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/memory.h>

#include "store/in_flight.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static char folder[] = "/tmp/herald-in-flight-XXXXXX";
static char path[64];

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : 1;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static const struct herald_allocator *
allocator(void)
{
	return &herald_allocator_libc;
}

static void
check_ids(uint64_t node, const uint64_t *expected, size_t expected_count)
{
	struct herald__in_flight_ids found = {0};
	struct herald_error error;

	assert_int_equal(herald__in_flight_read(path, node, allocator(), &found, &error),
			 HERALD_OK);
	assert_int_equal(found.count, expected_count);
	if (expected_count > 0)
		assert_memory_equal(found.ids, expected, expected_count * sizeof(*expected));
	herald__in_flight_ids_free(&found, allocator());
}

static void
test_what_a_killed_process_ran(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "%s/file", folder);
	pid_t child = fork();
	if (child == 0) {
		struct herald__in_flight file = {0};

		if (herald__in_flight_create(&file, path, 77, 4, NULL) != HERALD_OK)
			_exit(1);
		herald__in_flight_begin(&file, 0, 77, 9);
		herald__in_flight_begin(&file, 1, 77, 5);
		herald__in_flight_begin(&file, 2, 77, 6);
		herald__in_flight_end(&file, 2, 77, 6);
		herald__in_flight_begin(&file, 3, 77, INT64_MAX);
		abort();
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	check_ids(77, (const uint64_t[]){5, 9, INT64_MAX}, 3);

	struct stat found;
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
}

/* Letters: b begin, r rest, e end, c commit, x committed, f forget, l leave, a acquit, s send,
 * d sent; in capitals: for the earlier node; j join again. Workers 0 and 1. */
static const struct {
	const char *what;
	const char *steps; /* worker, letter, id or count */
	uint64_t ids[6];
	size_t count;
} blames[] = {
	{"nothing", "", {0}, 0},
	{"a running one", "0b1", {1}, 1},
	{"one that has not begun after all", "0b1 0r0", {0}, 0},
	{"one that has ended", "0b1 0e1", {1}, 1},
	{"its end is stored", "0b1 0e1 0f1", {0}, 0},
	{"the end is in order", "0b1 0e1 0a0", {0}, 0},
	{"a running one, not the ended ones", "0b1 0e1 0b2", {2}, 1},
	{"a running one of another worker", "0b1 0e1 1b2", {2}, 1},
	{"all that have ended", "0b1 0e1 1b2 1e2 0b3 0e3", {1, 2, 3}, 3},
	{"all but the stored one", "0b1 0e1 1b2 1e2 0b3 0e3 0f1", {2, 3}, 2},
	{"those that are committed here", "0b1 0e1 0b2 0e2 0b3 0e3 1b4 1e4 0c2", {2, 3}, 2},
	{"and those that run", "0b1 0e1 0b2 0e2 1b4 0c1", {2, 4}, 2},
	{"after the commit", "0b1 0e1 0b2 0e2 1b4 0c1 0x0", {4}, 1},
	{"a delivery", "0s7", {7}, 1},
	{"a delivery that has ended", "0s7 0s8 0d7", {8}, 1},
	{"a delivery and ended ones", "0b1 0e1 0s7", {1, 7}, 2},
	{"a delivery and a running one", "0b1 0e1 1b2 0s7", {2, 7}, 2},
	{"one that was left, whatever runs", "0b1 0e1 0l1 0f1 1b2", {1, 2}, 2},
	{"one that was left, and a stop in order", "0b1 0e1 0l1 0f1 0b2 0e2 0a0", {1}, 1},
	{"what the earlier node has left behind", "0b1 1b2 1e2 0l3 0s4 0j0", {0}, 0},
	{"an earlier one runs, another has ended", "0b1 0j0 1b2 1e2", {0}, 0},
	{"an earlier one begins late", "0j0 0B1 1b2 1e2", {0}, 0},
	{"an earlier one runs, and another", "0b1 0j0 1b2 1e2 1b3", {3}, 1},
	{"an earlier one has ended", "0b1 0j0 1b2 1e2 0E1", {2}, 1},
	{"earlier ones are committed", "0b1 0e1 0c1 0j0 1b2 1e2", {0}, 0},
	{"earlier ones were committed", "0b1 0e1 0c1 0j0 1b2 1e2 0x0", {2}, 1},
	{"an earlier one and this node's are committed", "0b1 0j0 0E1 0b2 0e2 0c2 1b3 1e3", {2}, 1},
	{"only an earlier one is committed", "0b1 0j0 1b3 1e3 0E1 0c1", {0}, 0},
	{"a commit of an earlier one begins late", "0b1 0e1 0j0 1b3 1e3 0c1", {0}, 0},
	{"it ends", "0b1 0e1 0j0 1b3 1e3 0c1 0x0", {3}, 1},
	{"an earlier run of the same one is stored", "0b1 0e1 0j0 0b1 0e1 0F1", {1}, 1},
	{"an earlier one is left", "0b1 0j0 0E1 0L1", {0}, 0},
	{"an earlier delivery begins late", "0j0 0S7", {0}, 0},
	{"an earlier attempt of the same delivery is stored", "0s7 0j0 0s7 0D7", {7}, 1},
};

/* As a node does that has lost its lease. */
static void
join_again(struct herald__in_flight *file, uint64_t *node)
{
	const struct herald__in_flight_map *before = file->map;

	assert_int_equal(unlink(path), 0);
	assert_int_equal(herald__in_flight_create(file, path, ++*node, 2, NULL), HERALD_OK);
	assert_ptr_equal(file->map, before);
}

static void
do_step(struct herald__in_flight *file, const char *step, uint64_t *node,
	herald__in_flight_place places[10])
{
	const unsigned worker = (unsigned)(step[0] - '0'), id = (unsigned)(step[2] - '0');
	const uint64_t owner = isupper((unsigned char)step[1]) ? *node - 1 : *node;

	switch (tolower((unsigned char)step[1])) {
	case 'b':
		herald__in_flight_begin(file, worker, owner, id);
		break;
	case 'r':
		herald__in_flight_rest(file, worker);
		break;
	case 'e':
		places[id] = herald__in_flight_end(file, worker, owner, id);
		break;
	case 'c':
	case 'x':
		herald__in_flight_commit(file, worker, id);
		break;
	case 'f':
		herald__in_flight_forget(file, places[id], owner, id);
		break;
	case 'l':
		herald__in_flight_leave(file, owner, id);
		break;
	case 's':
		places[id] = herald__in_flight_send(file, owner, id);
		break;
	case 'd':
		herald__in_flight_sent(file, places[id], owner, id);
		break;
	case 'j':
		join_again(file, node);
		break;
	default:
		herald__in_flight_acquit(file);
		break;
	}
}

static void
test_who_is_to_blame(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(blames); i++) {
		struct herald__in_flight file = {0};
		herald__in_flight_place places[10] = {0};
		uint64_t node = 3;

		assert_int_equal(herald__in_flight_create(&file, path, node, 2, NULL), HERALD_OK);
		for (const char *at = blames[i].steps; *at; at += at[3] ? 4 : 3)
			do_step(&file, at, &node, places);
		herald__in_flight_close(&file);
		print_message("%s\n", blames[i].what);
		check_ids(node, blames[i].ids, blames[i].count);
	}
}

/* What this process itself asks. */
static void
test_what_is_left_and_sent(void **state)
{
	struct herald__in_flight file = {0};

	(void)state;
	assert_int_equal(herald__in_flight_create(&file, path, 3, 2, NULL), HERALD_OK);
	const herald__in_flight_place place = herald__in_flight_send(&file, 3, 8);
	herald__in_flight_begin(&file, 0, 3, 9);
	for (uint64_t id = 1; id <= HERALD__IN_FLIGHT_LEFT; id++)
		herald__in_flight_leave(&file, 3, 100 + id);
	assert_true(herald__in_flight_has_left(&file, 3, 101));
	assert_true(herald__in_flight_has_left(&file, 3, 100 + HERALD__IN_FLIGHT_LEFT));
	assert_false(herald__in_flight_has_left(&file, 3, 8));
	assert_false(herald__in_flight_has_left(&file, 3, 9));
	herald__in_flight_leave(&file, 3, 200);
	assert_false(herald__in_flight_has_left(&file, 3, 101));
	assert_true(herald__in_flight_has_left(&file, 3, 200));
	assert_true(herald__in_flight_is_sending(&file, 3, 8));
	assert_false(herald__in_flight_is_sending(&file, 3, 9));
	assert_false(herald__in_flight_is_sending(&file, 3, 101));
	assert_false(herald__in_flight_has_left(&file, 2, 200));
	assert_false(herald__in_flight_is_sending(&file, 2, 8));
	herald__in_flight_sent(&file, place, 3, 8);
	assert_false(herald__in_flight_is_sending(&file, 3, 8));
	herald__in_flight_close(&file);
	assert_int_equal(unlink(path), 0);
}

/* The oldest ones give way, and a place that is another's by now is not cleared. */
static void
test_more_than_there_are_places(void **state)
{
	struct herald__in_flight file = {0};
	uint64_t expected[HERALD__IN_FLIGHT_ENDED];
	herald__in_flight_place first = 0, place = 0;

	(void)state;
	assert_int_equal(herald__in_flight_create(&file, path, 3, 2, NULL), HERALD_OK);
	for (uint64_t id = 1; id <= HERALD__IN_FLIGHT_ENDED + 5; id++) {
		place = herald__in_flight_end(&file, 1, 3, id);
		if (id == 5)
			first = place;
	}
	assert_int_equal(place, first);
	herald__in_flight_forget(&file, first, 3, 5);
	for (size_t i = 0; i < COUNT(expected); i++)
		expected[i] = i + 6;
	check_ids(3, expected, COUNT(expected));

	/* More deliveries are not known. */
	for (uint64_t id = 100; id < 100 + HERALD__IN_FLIGHT_DELIVERIES; id++)
		place = herald__in_flight_send(&file, 3, id);
	herald__in_flight_sent(&file, herald__in_flight_send(&file, 3, 99), 3, 99);
	herald__in_flight_sent(&file, place, 3, 99 + HERALD__IN_FLIGHT_DELIVERIES);
	assert_int_equal(herald__in_flight_send(&file, 3, 50), place);
	herald__in_flight_close(&file);

	struct herald__in_flight_ids found = {0};
	assert_int_equal(herald__in_flight_read(path, 3, allocator(), &found, NULL), HERALD_OK);
	assert_int_equal(found.count, HERALD__IN_FLIGHT_ENDED + HERALD__IN_FLIGHT_DELIVERIES);
	herald__in_flight_ids_free(&found, allocator());
}

/* By whom it was created, and by nobody else; also if it is created again, under the same name. */
static void
test_is_held_as_long_as_its_process_lives(void **state)
{
	struct herald__in_flight file = {0};
	struct herald_error error;

	(void)state;
	snprintf(path, sizeof(path), "%s/file", folder);
	assert_false(herald__in_flight_is_held(path));
	for (uint64_t node = 1; node <= 2; node++) {
		assert_int_equal(herald__in_flight_create(&file, path, node, 4, &error), HERALD_OK);
		assert_true(herald__in_flight_is_held(path));
	}
	herald__in_flight_close(&file);
	assert_false(herald__in_flight_is_held(path));
	unlink(path);
}

/* Two stores have the same path, such as a copy of a database in another container: the first one's
 * file stays as it is. A write to memory that was cut off would be a SIGBUS. */
static void
test_the_file_of_a_process_that_lives(void **state)
{
	struct herald__in_flight first = {0}, second = {0};
	struct herald_error error;
	char message[160];

	(void)state;
	assert_int_equal(herald__in_flight_create(&first, path, 5, 4, &error), HERALD_OK);
	herald__in_flight_begin(&first, 3, 5, 9);
	assert_int_equal(herald__in_flight_create(&second, path, 5, 1, &error), HERALD_SYSTEM);
	snprintf(message, sizeof(message),
		 "cannot create %s: a running process has this file: give this store another "
		 "in_flight_folder",
		 path);
	assert_string_equal(error.message, message);
	assert_null(second.map);
	herald__in_flight_discard(&second, path);
	herald__in_flight_remove(path, 5);
	assert_true(herald__in_flight_is_held(path));
	herald__in_flight_begin(&first, 2, 5, 8);
	check_ids(5, (const uint64_t[]){8, 9}, 2);

	/* Then it is there for the next one, which has fewer workers. */
	herald__in_flight_close(&first);
	assert_int_equal(herald__in_flight_create(&second, path, 6, 1, &error), HERALD_OK);
	check_ids(6, NULL, 0);
	herald__in_flight_discard(&second, path);
	assert_int_equal(access(path, F_OK), -1);
	herald__in_flight_close(&second);
}

/* Without a file nothing is known. */
static void
test_no_file(void **state)
{
	struct herald__in_flight file = {0};

	(void)state;
	herald__in_flight_begin(&file, 1, 2, 6);
	herald__in_flight_rest(&file, 1);
	assert_int_equal(herald__in_flight_end(&file, 1, 2, 6), 0);
	herald__in_flight_commit(&file, 1, 1);
	herald__in_flight_forget(&file, 0, 2, 6);
	herald__in_flight_leave(&file, 2, 6);
	herald__in_flight_acquit(&file);
	assert_int_equal(herald__in_flight_send(&file, 2, 6), 0);
	assert_false(herald__in_flight_has_left(&file, 2, 6));
	assert_false(herald__in_flight_is_sending(&file, 2, 6));
	herald__in_flight_sent(&file, 0, 2, 6);
	herald__in_flight_close(&file);
}

static void
test_removed_by_its_node_only(void **state)
{
	struct herald__in_flight file = {0};

	(void)state;
	assert_int_equal(herald__in_flight_create(&file, path, 8, 1, NULL), HERALD_OK);
	herald__in_flight_close(&file);
	herald__in_flight_remove(path, 7);
	assert_int_equal(access(path, F_OK), 0);
	herald__in_flight_remove(path, 8);
	assert_int_equal(access(path, F_OK), -1);
	herald__in_flight_remove(path, 8);
}

/* With two workers. */
#define ALL                                                                                        \
	(64L + HERALD__IN_FLIGHT_LEFT * 8 + HERALD__IN_FLIGHT_DELIVERIES * 8 +                     \
	 2 * (64 + HERALD__IN_FLIGHT_ENDED * 8))
#define MISSING LONG_MAX

/* Files that are not the node's, by what is wrong with a good one. */
static const struct {
	const char *what;
	long at;    /* a byte that is changed; -1: none */
	long bytes; /* so many more */
	uint64_t node;
	enum herald_status status;
} wrong[] = {
	{"good", -1, 0, 8, HERALD_OK},
	{"another node's", -1, 0, 9, HERALD_BAD_FORMAT},
	{"of another program", 0, 0, 8, HERALD_BAD_FORMAT},
	{"with more workers than it has", 16, 0, 8, HERALD_BAD_FORMAT},
	{"with too many workers", 18, 0, 8, HERALD_BAD_FORMAT},
	{"cut", -1, -1, 8, HERALD_BAD_FORMAT},
	{"longer", -1, 1, 8, HERALD_BAD_FORMAT},
	{"shorter than the header", -1, -ALL + 63, 8, HERALD_BAD_FORMAT},
	{"empty", -1, -ALL, 8, HERALD_BAD_FORMAT},
	{"missing", -1, MISSING, 8, HERALD_SYSTEM},
};

static void
make_wrong(size_t i)
{
	struct herald__in_flight file = {0};

	assert_int_equal(herald__in_flight_create(&file, path, 8, 2, NULL), HERALD_OK);
	herald__in_flight_close(&file);
	FILE *stream = fopen(path, "r+");
	assert_non_null(stream);
	if (wrong[i].at >= 0) {
		fseek(stream, wrong[i].at, SEEK_SET);
		fputc(3, stream);
	}
	fclose(stream);
	if (wrong[i].bytes == MISSING)
		unlink(path);
	else
		assert_int_equal(truncate(path, ALL + wrong[i].bytes), 0);
}

static void
test_wrong_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct herald_error error = {.status = HERALD_OK};
		char message[128] = "";
		struct herald__in_flight_ids ids = {0};

		make_wrong(i);
		assert_string_equal(herald_status_name(herald__in_flight_read(
					    path, wrong[i].node, allocator(), &ids, &error)),
				    herald_status_name(wrong[i].status));
		if (wrong[i].status == HERALD_BAD_FORMAT)
			snprintf(message, sizeof(message),
				 "%s is not the in-flight file of this node", path);
		if (wrong[i].status == HERALD_SYSTEM)
			snprintf(message, sizeof(message),
				 "cannot read %s: No such file or directory", path);
		if (*message)
			assert_string_equal(error.message, message);
		herald__in_flight_ids_free(&ids, allocator());
	}
}

static void
test_no_folder(void **state)
{
	struct herald__in_flight file = {0};
	struct herald_error error;

	(void)state;
	assert_int_equal(herald__in_flight_create(&file, "/nowhere/file", 8, 2, &error),
			 HERALD_SYSTEM);
	assert_string_equal(error.message,
			    "cannot create /nowhere/file: No such file or directory");
	assert_null(file.map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_killed_process_ran),
		cmocka_unit_test(test_who_is_to_blame),
		cmocka_unit_test(test_what_is_left_and_sent),
		cmocka_unit_test(test_more_than_there_are_places),
		cmocka_unit_test(test_is_held_as_long_as_its_process_lives),
		cmocka_unit_test(test_the_file_of_a_process_that_lives),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_removed_by_its_node_only),
		cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_no_folder),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
