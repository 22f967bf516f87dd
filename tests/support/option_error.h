/*
 * Errors of options, for tests: the message begins with the path and a colon, as in "threads: must
 * be at most 4, not 5". Include cmocka.h first.
 */
#ifndef HERALD_TESTS_OPTION_ERROR_H
#define HERALD_TESTS_OPTION_ERROR_H

#include <string.h>

#include <herald/status.h>

/* `text` is the message without the path. */
static inline void
assert_option_error(const struct herald_error *error, const char *path, const char *text)
{
	size_t bytes = strlen(path);

	assert_string_equal(error->path, path);
	if (strncmp(error->message, path, bytes) != 0)
		fail_msg("the message does not name %s: %s", path, error->message);

	assert_memory_equal(error->message + bytes, ": ", 2);
	assert_string_equal(error->message + bytes + 2, text);
}

#endif
