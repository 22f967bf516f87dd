/*
 * Media types: finding and comparing them. Which ones are accepted is decided elsewhere.
 */
#include "base/media_type.h"

#include <string.h>

#include <herald/adapter/text.h>

static bool
is_token(const char *data, size_t bytes)
{
	return bytes > 0 && herald_http_token_bytes(data) >= bytes;
}

struct herald__media_type
herald__media_type_of(const char *value)
{
	struct herald__media_type type = {.data = value ? value + strspn(value, " \t") : ""};

	type.bytes = strcspn(type.data, ";");
	while (type.bytes > 0 && strchr(" \t", type.data[type.bytes - 1]))
		type.bytes--;
	type.slash = strcspn(type.data, "/;");
	if (type.slash >= type.bytes || !is_token(type.data, type.slash) ||
	    !is_token(type.data + type.slash + 1, type.bytes - type.slash - 1))
		return (struct herald__media_type){0};
	return type;
}

bool
herald__media_type_is(const struct herald__media_type *type, const char *name)
{
	return type->data && strlen(name) == type->bytes &&
	       herald_ascii_same_bytes(type->data, name, type->bytes);
}

static bool
is_json(const struct herald__media_type *type)
{
	static const char suffix[] = "+json";
	size_t suffix_bytes = sizeof(suffix) - 1;

	if (herald__media_type_is(type, "application/json"))
		return true;
	/* A subtype that is only the suffix does not match. */
	return type->data && type->bytes - type->slash - 1 > suffix_bytes &&
	       herald_ascii_same_bytes(type->data + type->bytes - suffix_bytes, suffix,
				       suffix_bytes);
}

bool
herald__media_type_is_listed(const struct herald__media_type *type, const char *const *names)
{
	if (!names)
		return is_json(type);
	for (; *names; names++)
		if (herald__media_type_is(type, *names))
			return true;
	return false;
}
