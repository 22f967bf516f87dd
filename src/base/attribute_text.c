/*
 * Reading a text of attributes. It comes from a database or a broker, so it may be cut off
 * anywhere: an attribute without its last NUL is left out. Writing one is the matter of who has the
 * attributes.
 */
#include "base/attribute_text.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/text.h>

struct reader {
	const char *at;
	size_t left;
};

/* Returns NULL at the end. */
static const char *
read_text(struct reader *reader)
{
	const char *text = reader->at;
	const char *end = reader->left > 0 ? memchr(text, '\0', reader->left) : NULL;

	if (!end)
		return NULL;
	reader->left -= (size_t)(end + 1 - text);
	reader->at = end + 1;
	return text;
}

static bool
read_attribute(struct reader *reader, const char **name, const char **value)
{
	*name = read_text(reader);
	*value = *name ? read_text(reader) : NULL;
	return *value;
}

const char *
herald__attributes_find(struct herald_text attributes, const char *name)
{
	struct reader reader = {attributes.data, attributes.bytes};
	const char *known, *value;

	while (read_attribute(&reader, &known, &value))
		if (herald_ascii_same(known, name))
			return value;
	return NULL;
}

void
herald__attributes_visit(struct herald_text attributes, herald_attribute_visitor *visit,
			 void *state)
{
	struct reader reader = {attributes.data, attributes.bytes};
	const char *name, *value;

	while (read_attribute(&reader, &name, &value) && visit(name, value, state))
		;
}
