/*
 * Events in each format, through SQLite.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <herald/sqlite.h>

#include "support/sqlite_file.h"
#include "support/stored_formats.h"

static void *
place_create(void)
{
	struct sqlite_file *file = calloc(1, sizeof(*file));

	assert_non_null(file);
	sqlite_file_init(file);
	return file;
}

static void
place_destroy(void *place)
{
	sqlite_file_close(place);
	free(place);
}

static struct herald_database *
create(void *place)
{
	const struct sqlite_file *file = place;
	struct herald_database *database;
	struct herald_error error;

	if (herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = file->path), &database, &error) !=
	    HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return database;
}

static void
formats_come_out_as_they_went_in(void **state)
{
	const struct contract_store kind = {.name = "sqlite",
					    .place_create = place_create,
					    .place_destroy = place_destroy,
					    .create = create};

	(void)state;
	stored_formats_check(&kind);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(formats_come_out_as_they_went_in)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
