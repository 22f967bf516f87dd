/*
 * What is common to checking and copying options: errors that name the option, and copies in an
 * arena. Knows no option itself.
 */
#include "options.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "json/text.h"

enum herald_status
herald__option_error(struct herald_error *error, enum herald_status status,
		     struct herald__option option, const char *format, ...)
{
	char message[sizeof(error->message)];
	char place[32] = "";
	va_list arguments;

	if (!error)
		return status;

	va_start(arguments, format);
	herald__text_format(message, sizeof(message), format, arguments);
	va_end(arguments);
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s", message);

	if (option.index != HERALD__NO_INDEX)
		snprintf(place, sizeof(place), "[%zu]", option.index);
	snprintf(error->path, sizeof(error->path), "%s%s%s%s", option.list, place,
		 option.member ? "." : "", option.member ? option.member : "");
	return status;
}

enum herald_status
herald__option_array_check(struct herald__option option, const char *macro, const void *array,
			   size_t count, struct herald_error *error)
{
	if (!array == (count == 0))
		return HERALD_OK;
	return herald__option_error(
		error, HERALD_BAD_OPTION, option, "%s, but %s_count is %zu; %s(array) sets both",
		array ? "set" : "NULL", option.member ? option.member : option.list, count, macro);
}

enum herald_status
herald__options_read(const void *options, void *out, size_t bytes, const char *macro,
		     struct herald_error *error)
{
	size_t given;

	memset(out, 0, bytes);
	if (!options)
		return HERALD_OK;
	memcpy(&given, options, sizeof(given));
	if (given < sizeof(given))
		return herald__option_error(
			error, HERALD_BAD_OPTION,
			(struct herald__option){"struct_size", HERALD__NO_INDEX, NULL},
			"use %s, which sets it", macro);
	memcpy(out, options, given < bytes ? given : bytes);
	return HERALD_OK;
}

enum herald_status
herald__allocator_check(const struct herald_allocator *allocator, struct herald_error *error)
{
	bool some = allocator->allocate || allocator->reallocate || allocator->release;
	bool all = allocator->allocate && allocator->reallocate && allocator->release;

	if (!some || all)
		return HERALD_OK;
	return herald__option_error(error, HERALD_BAD_OPTION,
				    (struct herald__option){"allocator", HERALD__NO_INDEX, NULL},
				    "it needs all three functions, or none");
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
herald__out_of_memory(struct herald_error *error)
{
	return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
}
