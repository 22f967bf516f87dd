/*
 * Shared functions for checking and copying options: errors that name the option, and copies in an
 * arena.
 */
#include "base/options.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "base/safe_text.h"

#define PATH_BYTES sizeof(((struct herald_error *)NULL)->path)

/* The message begins with the path, so that it can be understood alone. */
HERALD_PRINTF(4, 0)
static enum herald_status
set_error(struct herald_error *error, enum herald_status status, const char *path,
	  const char *format, va_list arguments)
{
	char message[sizeof(error->message)];

	if (!error)
		return status;
	herald__text_format(message, sizeof(message), format, arguments);
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s: %s", path, message);
	snprintf(error->path, sizeof(error->path), "%s", path);
	return status;
}

enum herald_status
herald_option_refuse(struct herald_error *error, const char *option, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_error(error, HERALD_BAD_OPTION, option, format, arguments);
	va_end(arguments);
	return HERALD_BAD_OPTION;
}

enum herald_status
herald__option_error(struct herald_error *error, enum herald_status status,
		     struct herald__option option, const char *format, ...)
{
	char path[PATH_BYTES];
	char place[32] = "";
	va_list arguments;

	if (option.index != HERALD__NO_INDEX)
		snprintf(place, sizeof(place), "[%zu]", option.index);
	snprintf(path, sizeof(path), "%s%s%s%s", option.list, place, option.member ? "." : "",
		 option.member ? option.member : "");
	va_start(arguments, format);
	set_error(error, status, path, format, arguments);
	va_end(arguments);
	return status;
}

enum herald_status
herald__option_array_check(struct herald__option option, const char *macro, const void *array,
			   size_t count, struct herald_error *error)
{
	if (!array == (count == 0))
		return HERALD_OK;
	return herald__option_error(
		error, HERALD_BAD_OPTION, option, "is %s, but %s_count is %zu; %s(array) sets both",
		array ? "set" : "NULL", option.member ? option.member : option.list, count, macro);
}

enum herald_status
herald_option_array_check(const char *option, const char *macro, const void *array, size_t count,
			  struct herald_error *error)
{
	return herald__option_array_check(HERALD__OPTION(option), macro, array, count, error);
}

enum herald_status
herald_option_ranges_check(const struct herald_option_range *ranges, size_t count,
			   struct herald_error *error)
{
	for (size_t i = 0; i < count; i++) {
		const struct herald_option_range *range = &ranges[i];

		if (range->value < range->min)
			return herald_option_refuse(error, range->option,
						    "must be at least %" PRIu64 ", not %" PRIu64,
						    range->min, range->value);
		if (range->value > range->max)
			return herald_option_refuse(error, range->option,
						    "must be at most %" PRIu64 ", not %" PRIu64,
						    range->max, range->value);
	}
	return HERALD_OK;
}

enum herald_status
herald_options_read(const void *options, void *out, size_t bytes, const char *macro,
		    struct herald_error *error)
{
	size_t given;

	memset(out, 0, bytes);
	if (options) {
		memcpy(&given, options, sizeof(given));
		if (given < sizeof(given))
			return herald_option_refuse(error, "struct_size", "use %s, which sets it",
						    macro);
		memcpy(out, options, given < bytes ? given : bytes);
	}
	memcpy(out, &bytes, sizeof(bytes));
	return HERALD_OK;
}

enum herald_status
herald_allocator_check(const struct herald_allocator *allocator, struct herald_error *error)
{
	bool some = allocator->allocate || allocator->reallocate || allocator->release;
	bool all = allocator->allocate && allocator->reallocate && allocator->release;

	if (!some || all)
		return HERALD_OK;
	return herald_option_refuse(error, "allocator", "needs all three functions, or none");
}

void *
herald__arena_array(struct herald_arena *arena, size_t count, size_t bytes)
{
	if (bytes && count > SIZE_MAX / 2 / bytes)
		return NULL;

	void *array = herald_arena_alloc(arena, count * bytes);
	if (array)
		memset(array, 0, count * bytes);
	return array;
}

bool
herald__arena_string(struct herald_arena *arena, const char *text, const char **copy)
{
	*copy = text ? herald_arena_copy(arena, text, strlen(text)) : NULL;
	return *copy || !text;
}

enum herald_status
herald_out_of_memory(struct herald_error *error)
{
	return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
}

enum herald_status
herald_system_error(struct herald_error *error, const char *what, int number)
{
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "%s: %s", what,
				herald_errno_text(number));
}
