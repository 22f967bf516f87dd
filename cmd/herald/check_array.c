/*
 * Keywords of arrays.
 */
#include <stdlib.h>

#include "check.h"
#include "decimal.h"

static bool
is_array(const struct check_call *call)
{
	return call->value->type == HERALD_JSON_ARRAY;
}

bool
check_min_items(const struct check_call *call, const struct json_tree *keyword)
{
	(void)keyword;
	return !is_array(call) ||
	       check_bounded(call, "minItems", "maxItems", "element", call->value->count);
}

bool
check_max_items(const struct check_call *call, const struct json_tree *keyword)
{
	(void)keyword;
	return !is_array(call) ||
	       check_bounded(call, "maxItems", "minItems", "element", call->value->count);
}

bool
check_unique_items(const struct check_call *call, const struct json_tree *keyword)
{
	if (!is_array(call) || !json_tree_is_true(keyword))
		return true;
	for (size_t i = 0; i < call->value->count; i++)
		for (size_t j = 0; j < i; j++) {
			if (!check_spend(call, 1))
				return false;
			if (check_equal(call, &call->value->items[i], &call->value->items[j]))
				return check_fail(call,
						  "expected different elements, but %zu and %zu "
						  "are equal",
						  j, i);
		}
	return true;
}

/* Check the elements from `first` by one schema. */
static bool
check_from(const struct check_call *call, const struct json_tree *schema, size_t first)
{
	if (json_tree_is_false(schema) && call->value->count > first)
		return check_fail(call, "expected at most %zu element%s, found %zu", first,
				  first == 1 ? "" : "s", call->value->count);
	for (size_t i = first; i < call->value->count; i++)
		if (!check_item(call, schema, i))
			return false;
	return true;
}

bool
check_prefix_items(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; is_array(call) && i < keyword->count && i < call->value->count; i++)
		if (!check_item(call, &keyword->items[i], i))
			return false;
	return true;
}

bool
check_items(const struct check_call *call, const struct json_tree *keyword)
{
	const struct json_tree *prefix = json_tree_get(call->schema, "prefixItems");

	if (keyword->type == HERALD_JSON_ARRAY) /* draft-07 */
		return check_prefix_items(call, keyword);
	if (schema_place_of(call->schema)->resource->draft == SCHEMA_DRAFT_7)
		prefix = NULL;
	return !is_array(call) || check_from(call, keyword, prefix ? prefix->count : 0);
}

bool
check_additional_items(const struct check_call *call, const struct json_tree *keyword)
{
	const struct json_tree *items = json_tree_get(call->schema, "items");

	return !is_array(call) || !items || items->type != HERALD_JSON_ARRAY ||
	       check_from(call, keyword, items->count);
}

bool
check_contains(const struct check_call *call, const struct json_tree *keyword)
{
	bool is_7 = schema_place_of(call->schema)->resource->draft == SCHEMA_DRAFT_7;
	size_t least = is_7 ? 1 : json_tree_count(call->schema, "minContains", 1);
	size_t most = is_7 ? SIZE_MAX : json_tree_count(call->schema, "maxContains", SIZE_MAX);
	size_t count = 0;

	if (!is_array(call))
		return true;
	for (size_t i = 0; i < call->value->count; i++)
		if (check_item_quietly(call, keyword, i)) {
			count++;
			if (call->seen)
				call->seen[i] = true;
		}
	if (count < least)
		return check_fail(call,
				  "expected at least %zu element%s that \"contains\" describes, "
				  "found %zu",
				  least, least == 1 ? "" : "s", count);
	return count <= most ||
	       check_fail(call,
			  "expected at most %zu element%s that \"contains\" describes, found %zu",
			  most, most == 1 ? "" : "s", count);
}

bool
check_unevaluated_items(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; is_array(call) && i < call->value->count; i++) {
		if (call->seen[i])
			continue;
		if (json_tree_is_false(keyword))
			return check_fail(call, "unexpected element %zu", i);
		if (!check_item(call, keyword, i))
			return false;
	}
	return true;
}
