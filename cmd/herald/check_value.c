/*
 * Keywords of single values: their type, allowed values, ranges of numbers, lengths and patterns of
 * strings.
 */
#include <string.h>

#include "check.h"
#include "decimal.h"

/* The value has the type of this name. */
static bool
has_type(const struct json_tree *value, const char *name)
{
	switch (value->type) {
	case HERALD_JSON_NULL:
		return strcmp(name, "null") == 0;
	case HERALD_JSON_BOOL:
		return strcmp(name, "boolean") == 0;
	case HERALD_JSON_NUMBER:
		return strcmp(name, "number") == 0 ||
		       (strcmp(name, "integer") == 0 && decimal_is_whole(value->json));
	case HERALD_JSON_STRING:
		return strcmp(name, "string") == 0;
	case HERALD_JSON_ARRAY:
		return strcmp(name, "array") == 0;
	default:
		return strcmp(name, "object") == 0;
	}
}

static const char *
article(const char *type)
{
	if (strcmp(type, "null") == 0)
		return "";
	return strchr("aio", *type) ? "an " : "a ";
}

/* "a string, an integer or null" */
static const char *
list_types(const struct check_call *call, const struct json_tree *types)
{
	const char *text = "";

	for (size_t i = 0; i < types->count; i++)
		text = memory_print(call->checker->arena, "%s%s%s%s", text,
				    i == 0                  ? ""
				    : i + 1 == types->count ? " or "
							    : ", ",
				    article(types->items[i].text.data), types->items[i].text.data);
	return text;
}

bool
check_type(const struct check_call *call, const struct json_tree *keyword)
{
	if (keyword->type == HERALD_JSON_STRING)
		return has_type(call->value, keyword->text.data) ||
		       check_fail(call, "expected %s%s, found %s", article(keyword->text.data),
				  keyword->text.data, check_show(call, call->value));
	for (size_t i = 0; i < keyword->count; i++)
		if (has_type(call->value, keyword->items[i].text.data))
			return true;
	return check_fail(call, "expected %s, found %s",
			  call->failure ? list_types(call, keyword) : "",
			  check_show(call, call->value));
}

/* The allowed values that a message lists. */
#define SHOWN_VALUES 8

/* The strings of a long enum. */
struct check_names {
	struct memory_map known;
};

static bool
has_name(const struct check_call *call, const struct json_tree *keyword)
{
	struct herald_arena *arena = call->checker->files->arena;
	const struct herald_text key = {(const char *)&keyword->items, sizeof(keyword->items)};
	struct check_names *names =
		(struct check_names *)memory_map_get(&call->checker->enums, key);

	if (!names) {
		names = memory_take(arena, sizeof(*names));
		for (size_t i = 0; i < keyword->count; i++)
			if (keyword->items[i].type == HERALD_JSON_STRING)
				memory_map_set(arena, &names->known, keyword->items[i].text,
					       &keyword->items[i]);
		memory_map_set(arena, &call->checker->enums, key, names);
	}
	return memory_map_get(&names->known, call->value->text) != NULL;
}

static bool
has_value(const struct check_call *call, const struct json_tree *keyword)
{
	if (keyword->count > SHOWN_VALUES && call->value->type == HERALD_JSON_STRING)
		return has_name(call, keyword);
	for (size_t i = 0; i < keyword->count && check_spend(call, i % 32 == 31); i++)
		if (check_equal(call, call->value, &keyword->items[i]))
			return true;
	return false;
}

bool
check_fail_values(const struct check_call *call, const struct json_tree *values)
{
	const char *list = "";

	for (size_t i = 0; call->failure && i < values->count && i < SHOWN_VALUES; i++)
		list = memory_print(call->checker->arena, "%s%s%s", list, i > 0 ? ", " : "",
				    check_show_json(call, &values->items[i]));
	return check_fail(call, "expected %s%s%s, found %s", values->count == 1 ? "" : "one of ",
			  list, values->count > SHOWN_VALUES ? ", ..." : "",
			  check_show_json(call, call->value));
}

bool
check_enum(const struct check_call *call, const struct json_tree *keyword)
{
	if (has_value(call, keyword))
		return true;
	if (keyword->count == 0)
		return check_fail(call, "expected nothing: the enum is empty, found %s",
				  check_show(call, call->value));
	return check_fail_values(call, keyword);
}

bool
check_const(const struct check_call *call, const struct json_tree *keyword)
{
	return check_equal(call, call->value, keyword) ||
	       check_fail(call, "expected %s, found %s", check_show_json(call, keyword),
			  check_show_json(call, call->value));
}

bool
check_multiple_of(const struct check_call *call, const struct json_tree *keyword)
{
	return call->value->type != HERALD_JSON_NUMBER ||
	       decimal_is_multiple(call->value->json, keyword->json) ||
	       check_fail(call, "expected a multiple of %s, found %s", check_show(call, keyword),
			  check_show(call, call->value));
}

/* Compare the value with a bound: -1, 0 or 1; `valid` if it is not a number. */
static int
compare(const struct check_call *call, const struct json_tree *bound, int valid)
{
	if (call->value->type != HERALD_JSON_NUMBER)
		return valid;
	return decimal_compare(call->value->json, bound->json);
}

static bool
fail_bound(const struct check_call *call, const char *what, const struct json_tree *bound)
{
	return check_fail(call, "expected %s %s, found %s", what, check_show(call, bound),
			  check_show(call, call->value));
}

/* Whether a schema has minimum and maximum, and they are the same. */
static bool
is_one_number(const struct check_call *call)
{
	const struct json_tree *min = json_tree_get(call->schema, "minimum");
	const struct json_tree *max = json_tree_get(call->schema, "maximum");

	return min && max && decimal_compare(min->json, max->json) == 0;
}

bool
check_minimum(const struct check_call *call, const struct json_tree *keyword)
{
	return compare(call, keyword, 1) >= 0 ||
	       fail_bound(call, is_one_number(call) ? "exactly" : "at least", keyword);
}

bool
check_maximum(const struct check_call *call, const struct json_tree *keyword)
{
	return compare(call, keyword, -1) <= 0 ||
	       fail_bound(call, is_one_number(call) ? "exactly" : "at most", keyword);
}

bool
check_exclusive_minimum(const struct check_call *call, const struct json_tree *keyword)
{
	return compare(call, keyword, 1) > 0 || fail_bound(call, "a number above", keyword);
}

bool
check_exclusive_maximum(const struct check_call *call, const struct json_tree *keyword)
{
	return compare(call, keyword, -1) < 0 || fail_bound(call, "a number below", keyword);
}

/* Characters, that is code points. */
static size_t
count_characters(struct herald_text text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.bytes; i++)
		count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
	return count;
}

bool
check_bounded(const struct check_call *call, const char *keyword, const char *other,
	      const char *noun, size_t count)
{
	bool is_min = keyword[1] == 'i';
	size_t bound = json_tree_count(call->schema, keyword, 0);
	bool is_exact = json_tree_get(call->schema, other) &&
			json_tree_count(call->schema, other, 0) == bound;

	if (is_min ? count >= bound : count <= bound)
		return true;
	return check_fail(call, "expected %s%s %zu %s%s, found %zu",
			  call->value->type == HERALD_JSON_STRING ? "a string of " : "",
			  is_exact ? "exactly"
			  : is_min ? "at least"
				   : "at most",
			  bound, noun, bound == 1 ? "" : "s", count);
}

bool
check_min_length(const struct check_call *call, const struct json_tree *keyword)
{
	(void)keyword;
	return call->value->type != HERALD_JSON_STRING ||
	       check_bounded(call, "minLength", "maxLength", "character",
			     count_characters(call->value->text));
}

bool
check_max_length(const struct check_call *call, const struct json_tree *keyword)
{
	(void)keyword;
	return call->value->type != HERALD_JSON_STRING ||
	       check_bounded(call, "maxLength", "minLength", "character",
			     count_characters(call->value->text));
}

bool
check_pattern(const struct check_call *call, const struct json_tree *keyword)
{
	return call->value->type != HERALD_JSON_STRING ||
	       check_matches(call, &keyword->text, call->value->text) ||
	       check_fail(call, "expected a string that matches %s, found %s",
			  check_show(call, keyword), check_show(call, call->value));
}
