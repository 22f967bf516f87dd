/*
 * Whether the lines of a schema describe each byte of its struct, and once. Private.
 */
#ifndef HERALD_SRC_CODEC_SCHEMA_COVERAGE_H
#define HERALD_SRC_CODEC_SCHEMA_COVERAGE_H

#include <herald/allocator.h>
#include <herald/schema.h>
#include <herald/status.h>

/* Check the lines together, after each by itself. The allocator is for scratch memory. */
enum herald_status
herald__schema_coverage_check(const struct herald_schema *schema,
			      const struct herald_allocator *allocator, struct herald_error *error);

#endif
