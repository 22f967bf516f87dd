/*
 * For authors of adapters: reading and checking options, and their errors. The path of an option's
 * error is the option's name.
 */
#ifndef HERALD_ADAPTER_OPTIONS_H
#define HERALD_ADAPTER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Copy options. Only the first `struct_size` bytes are read. The other members become zero, which
 * is their default.
 *
 * options  must begin with struct_size; NULL means the defaults.
 * out      a struct of `bytes` bytes, zeroed first.
 * macro    the macro that sets struct_size, for the error: "HERALD_POOL_OPTIONS".
 * error    may be NULL.
 * Errors   HERALD_BAD_OPTION: struct_size is not set.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_options_read(const void *options, void *out, size_t bytes, const char *macro,
		    struct herald_error *error);

/**
 * Report that the value of an option is not allowed.
 *
 * error    may be NULL. Its path is the option's name. Its message is one printable line that
 *          begins with the name: "threads: must be at most 4, not 5".
 * option   the option's name: "threads".
 * format   as for printf(): what follows the name and the colon.
 * Returns  HERALD_BAD_OPTION.
 */
HERALD_API HERALD_PRINTF(3, 4) enum herald_status
	herald_option_refuse(struct herald_error *error, const char *option, const char *format,
			     ...);

/** The range of an option that is a number. */
struct herald_option_range {
	const char *option; /**< The option's name. */
	uint64_t value;     /**< Its value, or its default. */
	uint64_t min;       /**< The least value that is allowed. */
	uint64_t max;       /**< The greatest value that is allowed. */
};

/**
 * Check the ranges of options.
 *
 * ranges   an array of `count` ranges.
 * error    may be NULL; its path names the first option that is out of its range.
 * Errors   HERALD_BAD_OPTION.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_option_ranges_check(const struct herald_option_range *ranges, size_t count,
			   struct herald_error *error);

/**
 * Check that an array and its count are both set, or both not set. With only one of them, the array
 * would silently be empty.
 *
 * option   the array's name: "networks". The count is called "networks_count".
 * macro    the macro that sets both, for the error: "HERALD_NETWORKS".
 * error    may be NULL; its path is the option's name.
 * Errors   HERALD_BAD_OPTION.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_option_array_check(const char *option, const char *macro, const void *array, size_t count,
			  struct herald_error *error);

/**
 * Check the option `allocator`: it must have all three functions, or none.
 *
 * error   may be NULL.
 * Errors  HERALD_BAD_OPTION.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_allocator_check(const struct herald_allocator *allocator, struct herald_error *error);

/** Set `error`, which may be NULL, to "out of memory". Returns HERALD_NO_MEMORY. */
HERALD_API enum herald_status herald_out_of_memory(struct herald_error *error);

/**
 * Set `error` to a text such as "cannot start a thread: Resource temporarily unavailable".
 *
 * error    may be NULL.
 * what     what failed: "cannot start a thread".
 * number   the reason, an errno value.
 * Returns  HERALD_SYSTEM.
 */
HERALD_API enum herald_status
herald_system_error(struct herald_error *error, const char *what, int number);

#ifdef __cplusplus
}
#endif
#endif
