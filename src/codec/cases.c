/*
 * The cases of a tagged union: from the lines of a schema, and for a struct in memory. Finding the
 * tag in JSON is in case_decode.c; plan.c makes the plans.
 */
#include "codec/cases.h"

#include <string.h>

#include <herald/adapter/memory.h>

#include "base/simd.h"
#include "base/words.h"
#include "codec/plan.h"

const struct herald_field *
herald__tag_of(const struct herald_schema *schema)
{
	const char *name = NULL;

	for (size_t i = 0; i < schema->fields_count && !name; i++)
		name = schema->fields[i].tag;
	for (size_t i = 0; name && i < schema->fields_count; i++)
		if (schema->fields[i].name && strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

/* The number of an enum's name, or of another text. */
static bool
find_number(const struct herald_field *tag, const char *text, int *out)
{
	for (size_t i = 0; i < tag->names_count; i++)
		if (strcmp(tag->names[i].name, text) == 0) {
			*out = tag->names[i].value;
			return true;
		}
	return false;
}

bool
herald__is_same_case(const struct herald_field *tag, const struct herald_field *a,
		     const struct herald_field *b)
{
	int a_number, b_number;

	if (!a->when || !b->when)
		return a->when == b->when;
	if (strcmp(a->when, b->when) == 0)
		return true;
	/* An enum's number may have several names. */
	return find_number(tag, a->when, &a_number) && find_number(tag, b->when, &b_number) &&
	       a_number == b_number;
}

bool
herald__is_first_of_case(const struct herald_schema *schema, const struct herald_field *tag,
			 const struct herald_field *line)
{
	if (!line->tag)
		return false;
	for (const struct herald_field *other = schema->fields; other < line; other++)
		if (other->tag && herald__is_same_case(tag, other, line))
			return false;
	return true;
}

/* The text of a tag that is a string. NULL: none. */
static const char *
tag_text(const struct herald_field *tag, const char *member, size_t *bytes)
{
	const struct herald_text *text = (const void *)member;
	const char *string;

	switch (tag->kind) {
	case HERALD_KIND_TEXT:
		*bytes = text->bytes;
		return text->data;
	case HERALD_KIND_CHARS:
		*bytes = strnlen(member, tag->bytes);
		return *bytes < tag->bytes ? member : NULL;
	default:
		string = *(const char *const *)(const void *)member;
		*bytes = string ? strlen(string) : 0;
		return string;
	}
}

static bool
is_value(const struct herald_field *tag, const char *when, const char *member)
{
	size_t bytes;
	const char *text;
	int number;

	if (tag->kind == HERALD_KIND_ENUM)
		return find_number(tag, when, &number) &&
		       number == *(const int *)(const void *)member;
	text = tag_text(tag, member, &bytes);
	return text && strlen(when) == bytes && memcmp(when, text, bytes) == 0;
}

bool
herald__line_counts(const struct herald_schema *schema, const struct herald_field *line,
		    const void *in)
{
	const struct herald_field *tag;
	const char *member;

	if (!line->tag)
		return true;
	tag = herald__tag_of(schema);
	member = (const char *)in + tag->offset;
	if (line->when)
		return is_value(tag, line->when, member);
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].when && is_value(tag, schema->fields[i].when, member))
			return false;
	return true;
}

/* The number of texts that are listed for a tag. */
static size_t
count_texts(const struct herald_schema *schema, const struct herald_field *tag)
{
	size_t count = 0;

	if (tag->kind == HERALD_KIND_ENUM)
		return tag->names_count;
	while (tag->one_of && tag->one_of[count])
		count++;
	for (size_t i = 0; !tag->one_of && i < schema->fields_count; i++)
		count += schema->fields[i].when &&
			 herald__is_first_of_case(schema, tag, &schema->fields[i]);
	return count;
}

static void
add_text(struct herald__cases *cases, const char *text, int value)
{
	size_t bytes = strlen(text);
	char first[8] = {0}, mask[8] = {0}, last[8] = {0};

	memcpy(first, text, bytes < 8 ? bytes : 8);
	memset(mask, 0xFF, bytes < 8 ? bytes + 1 : 8);
	if (bytes < 8)
		first[bytes] = '"';
	else
		memcpy(last, text + bytes - 7, 7);
	last[7] = '"';
	cases->items[cases->count++] = (struct herald__case){
		.first = herald__load64(first),
		.mask = herald__load64(mask),
		.last = herald__load64(last),
		.text = text,
		.bytes = bytes,
		.plain = herald__find_special(text, text + bytes) == text + bytes,
		.value = value,
	};
}

/* List the texts. If strings have no one_of, and no case for others, the texts become it. */
static void
list_texts(struct herald__cases *cases, const struct herald_schema *schema, const char **one_of)
{
	const struct herald_field *tag = cases->line;
	bool has_other = tag->kind == HERALD_KIND_ENUM || tag->one_of;

	for (size_t i = 0; tag->kind == HERALD_KIND_ENUM && i < tag->names_count; i++)
		add_text(cases, tag->names[i].name, tag->names[i].value);
	for (size_t i = 0; tag->one_of && tag->one_of[i]; i++)
		add_text(cases, tag->one_of[i], 0);
	if (has_other)
		return;
	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *line = &schema->fields[i];

		has_other |= line->tag && !line->when;
		if (line->when && herald__is_first_of_case(schema, tag, line)) {
			one_of[cases->count] = line->when;
			add_text(cases, line->when, 0);
		}
	}
	one_of[cases->count] = NULL;
	if (!has_other)
		cases->tag.one_of = one_of;
}

struct herald__cases *
herald__cases_create(const struct herald_schema *schema, const struct herald_allocator *allocator)
{
	const struct herald_field *tag = herald__tag_of(schema);
	size_t count = count_texts(schema, tag);
	size_t bytes = sizeof(struct herald__cases) + count * sizeof(struct herald__case) +
		       (count + 1) * sizeof(const char *);
	struct herald__cases *cases = herald_memory_allocate_zeroed(allocator, 1, bytes);

	if (!cases)
		return NULL;
	cases->allocated_bytes = bytes;
	cases->line = tag;
	cases->tag = *tag;
	cases->items = (struct herald__case *)(cases + 1);
	list_texts(cases, schema, (const char **)(cases->items + count));
	return cases;
}

/* Find the case by a tag that is text. Not inlined, so that tags that are enums need no registers
 * saved. */
HERALD__NOT_INLINE static const struct herald__plan *
choose_by_text(const struct herald__plan *plan, const char *member)
{
	const struct herald__cases *cases = plan->cases;
	size_t bytes;
	const char *text = tag_text(cases->line, member, &bytes);

	if (!text)
		return plan->usual;
	for (size_t i = 0; i < cases->count; i++)
		if (cases->items[i].bytes == bytes &&
		    memcmp(cases->items[i].text, text, bytes) == 0)
			return cases->items[i].plan;
	return cases->rest ? cases->rest : plan->usual;
}

const struct herald__plan *
herald__choose_to_encode(const struct herald__plan *plan, const void *in)
{
	const struct herald__cases *cases = plan->cases;
	const char *member = (const char *)in + cases->line->offset;

	if (cases->line->kind != HERALD_KIND_ENUM)
		return choose_by_text(plan, member);
	for (size_t i = 0; i < cases->count; i++)
		if (cases->items[i].value == *(const int *)(const void *)member)
			return cases->items[i].plan;
	return plan->usual;
}
