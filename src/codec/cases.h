/*
 * Tagged unions: which lines of a schema count for a value of its tag. The plan of such a schema
 * chooses the plan of one of its cases, which is an ordinary one. Private.
 */
#ifndef HERALD_SRC_CODEC_CASES_H
#define HERALD_SRC_CODEC_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/allocator.h>
#include <herald/schema.h>
#include <herald/status.h>

struct herald__plan;
struct herald__field;

/* A text that is allowed for the tag, and the plan for it. Of enums, also its number. */
struct herald__case {
	/* The text with its closing quote: its first eight bytes under a mask, its last eight. */
	uint64_t first, mask, last;
	const char *text;
	size_t bytes;
	bool plain; /* without escapes in JSON */
	int value;
	const struct herald__plan *plan;
};

/* The cases of a schema. One allocation; the arrays follow the struct. */
struct herald__cases {
	struct herald__cases *next; /* next cases of the codec */
	size_t allocated_bytes;
	const struct herald_field *line; /* of the tag, in the schema */
	/* A copy of that line for the plans. If only the cases are allowed, they are its one_of. */
	struct herald_field tag;
	const struct herald__field *field; /* the tag's, in the plan */
	const struct herald__plan *other;  /* without lines of a case, or with HERALD_WHEN_OTHER */
	const struct herald__plan *rest;   /* for all other texts; NULL: they are errors */
	size_t count;
	struct herald__case *items;
};

/* The line of the member that is the tag of a schema's lines, or NULL: none has a tag. */
const struct herald_field *herald__tag_of(const struct herald_schema *schema);

/* Whether two lines with a tag count for the same values of it. */
bool herald__is_same_case(const struct herald_field *tag, const struct herald_field *a,
			  const struct herald_field *b);

/* Whether a line is the first one of its case. */
bool herald__is_first_of_case(const struct herald_schema *schema, const struct herald_field *tag,
			      const struct herald_field *line);

/* Whether a line counts for a struct, which need not be valid. */
bool herald__line_counts(const struct herald_schema *schema, const struct herald_field *line,
			 const void *in);

/* Prepare the cases of a schema with a tag, without their plans. NULL when out of memory. */
struct herald__cases *
herald__cases_create(const struct herald_schema *schema, const struct herald_allocator *allocator);

/* The plan for a struct. If its tag is missing or wrong, the plan that says so. */
const struct herald__plan *
herald__choose_to_encode(const struct herald__plan *plan, const void *in);

#endif
