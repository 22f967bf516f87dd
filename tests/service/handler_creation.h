/*
 * Creating a handler of Herald's: what all of them promise about errors. Include cmocka.h (and what
 * it needs) before this header.
 */
#ifndef HERALD_TESTS_SERVICE_HANDLER_CREATION_H
#define HERALD_TESTS_SERVICE_HANDLER_CREATION_H

#include <herald/handler.h>
#include <herald/status.h>

#include "support/failing_allocator.h"

/* Creates the handler with these options, as herald_retry_handler_create() does. */
typedef enum herald_status
create_handler(const void *options, struct herald_handler **out, struct herald_error *error);

/* The only function of an allocator, which is incomplete then. */
static inline void *
no_memory(size_t bytes, void *state)
{
	(void)bytes;
	(void)state;
	return NULL;
}

/* The options are refused, and the error's path is this. */
static inline void
assert_bad_handler_option(create_handler *create, const void *options, const char *path)
{
	struct herald_handler *handler = NULL;
	struct herald_error error = {0};

	assert_int_equal(create(options, &handler, &error), HERALD_BAD_OPTION);
	assert_int_equal(error.status, HERALD_BAD_OPTION);
	assert_string_equal(error.path, path);
	assert_true(error.message[0] != '\0');
	assert_null(handler);
	assert_int_equal(create(options, &handler, NULL), HERALD_BAD_OPTION);
	assert_null(handler);
}

/* Each allocation fails once; `options` have this allocator. */
static inline void
assert_creation_fails_at_every_allocation(create_handler *create, const void *options,
					  struct failing_allocator *memory)
{
	for (size_t n = 1;; n++) {
		struct herald_handler *handler = NULL;
		struct herald_error error = {0};

		failing_allocator_init(memory, FAIL_ONLY, n);
		enum herald_status status = create(options, &handler, &error);
		assert_int_equal(status, memory->failures ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(error.status, status);
		if (handler)
			handler->ops->destroy(handler);
		assert_true(!handler == (status != HERALD_OK));
		assert_all_released(memory);
		if (!memory->failures)
			break;
	}
}

#endif
