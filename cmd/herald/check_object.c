/*
 * Keywords of objects.
 */
#include <string.h>

#include "check.h"

static bool
is_object(const struct check_call *call)
{
	return call->value->type == HERALD_JSON_OBJECT;
}

/* All names in a list must be members. */
static bool
has_members(const struct check_call *call, const struct json_tree *names, const char *because)
{
	if (!check_spend(call, names->count / 8))
		return false;
	for (size_t i = 0; i < names->count; i++)
		if (!json_tree_find(call->value, names->items[i].text))
			return check_fail(call, "the member %s is required%s%s, but missing",
					  check_show(call, &names->items[i]),
					  because ? " with " : "", because ? because : "");
	return true;
}

bool
check_required(const struct check_call *call, const struct json_tree *keyword)
{
	return !is_object(call) || has_members(call, keyword, NULL);
}

bool
check_dependent_required(const struct check_call *call, const struct json_tree *keyword)
{
	if (!check_spend(call, keyword->count / 8))
		return false;
	for (size_t i = 0; is_object(call) && i < keyword->count; i++)
		if (json_tree_find(call->value, keyword->members[i].name) &&
		    !has_members(call, &keyword->members[i].value, keyword->members[i].name.data))
			return false;
	return true;
}

bool
check_dependencies(const struct check_call *call, const struct json_tree *keyword)
{
	if (!check_spend(call, keyword->count / 8))
		return false;
	for (size_t i = 0; is_object(call) && i < keyword->count; i++) {
		const struct json_member *member = &keyword->members[i];

		if (!json_tree_find(call->value, member->name))
			continue;
		if (member->value.type == HERALD_JSON_ARRAY
			    ? !has_members(call, &member->value, member->name.data)
			    : !check_same(call, &member->value))
			return false;
	}
	return true;
}

bool
check_min_properties(const struct check_call *call, const struct json_tree *keyword)
{
	(void)keyword;
	return !is_object(call) ||
	       check_bounded(call, "minProperties", "maxProperties", "member", call->value->count);
}

bool
check_max_properties(const struct check_call *call, const struct json_tree *keyword)
{
	(void)keyword;
	return !is_object(call) ||
	       check_bounded(call, "maxProperties", "minProperties", "member", call->value->count);
}

/* A name as JSON, for messages. */
static struct herald_json
quote(const struct check_call *call, struct herald_text name)
{
	char *out = memory_take(call->checker->arena, 2 * name.bytes + 2), *at = out;

	*at++ = '"';
	for (size_t i = 0; i < name.bytes; i++) {
		if (name.data[i] == '"' || name.data[i] == '\\')
			*at++ = '\\';
		*at++ = name.data[i];
	}
	*at++ = '"';
	return (struct herald_json){out, (size_t)(at - out)};
}

bool
check_property_names(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; is_object(call) && i < call->value->count; i++) {
		const struct json_member *member = &call->value->members[i];
		const struct json_tree name = {
			.type = HERALD_JSON_STRING,
			.text = member->name,
			.json = call->failure ? quote(call, member->name)
					      : (struct herald_json){member->name.data,
								     member->name.bytes},
		};
		struct check_failure failure = {0};
		struct check_call inner = *call;

		inner.value = &name;
		inner.seen = NULL;
		if (!check_same_quietly(&inner, keyword, call->failure ? &failure : NULL))
			return check_fail(call, "the name of a member is not valid: %s",
					  failure.reason ? failure.reason : member->name.data);
	}
	return true;
}

bool
check_properties(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; is_object(call) && i < call->value->count; i++) {
		const struct json_tree *schema =
			json_tree_find(keyword, call->value->members[i].name);

		if (schema && !check_member(call, schema, i))
			return false;
	}
	return true;
}

bool
check_pattern_properties(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; is_object(call) && i < call->value->count; i++)
		for (size_t j = 0; j < keyword->count; j++)
			if (check_matches(call, &keyword->members[j].name,
					  call->value->members[i].name) &&
			    !check_member(call, &keyword->members[j].value, i))
				return false;
	return true;
}

/* Whether `properties` or `patternProperties` of the same schema has the member. */
static bool
is_known(const struct check_call *call, struct herald_text name)
{
	const struct json_tree *patterns = json_tree_get(call->schema, "patternProperties");

	if (json_tree_find(json_tree_get(call->schema, "properties"), name))
		return true;
	for (size_t i = 0; patterns && i < patterns->count; i++)
		if (check_matches(call, &patterns->members[i].name, name))
			return true;
	return false;
}

/* A schema for the member that nothing else is for. */
static bool
check_other(const struct check_call *call, const struct json_tree *schema, size_t index)
{
	if (!json_tree_is_false(schema))
		return check_member(call, schema, index);
	return check_fail(call, "unknown member \"%s\"", call->value->members[index].name.data);
}

bool
check_additional_properties(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; is_object(call) && i < call->value->count; i++)
		if (!is_known(call, call->value->members[i].name) && !check_other(call, keyword, i))
			return false;
	return true;
}

bool
check_unevaluated_properties(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; is_object(call) && i < call->value->count; i++)
		if (!call->seen[i] && !check_other(call, keyword, i))
			return false;
	return true;
}
