/*
 * Which of several schemas was probably meant for a value that none of them accepts: the one whose
 * constants fit. A member with `const` or `enum` is often the tag of a union. Whether a value is
 * valid is decided in check_logic.c.
 */
#include <herald/array.h>

#include "check.h"

/* The schemas that are searched for one alternative, which may refer to each other. They may all be
 * within each other, so this limits the depth, too. */
#define MAX_VISITS 1000
/* References in a row, of a member. */
#define MAX_REFS 16

/* A search for the constants of one alternative. */
struct search {
	const struct check_call *call;
	const struct json_member *member; /* for `values`; NULL: none */
	size_t visits;
	struct check_fit fit;
	struct json_tree values; /* that the member may have, fewest; without elements: any */
};

/* The values that a schema lists. No elements: it lists none. */
static struct json_tree
listed_values(const struct json_tree *schema)
{
	const struct json_tree *constant = json_tree_get(schema, "const");
	const struct json_tree *several = json_tree_get(schema, "enum");

	if (constant)
		return (struct json_tree){.items = constant, .count = 1};
	return several ? *several : (struct json_tree){0};
}

static bool
is_listed(const struct check_call *call, const struct json_tree *value,
	  const struct json_tree *values)
{
	for (size_t i = 0; i < values->count && check_spend(call, i % 32 == 31); i++)
		if (check_equal(call, value, &values->items[i]))
			return true;
	return false;
}

/* Whether a schema is only its $ref: in draft-07, what is next to one does not count. */
static bool
is_only_ref(const struct json_tree *schema)
{
	const struct schema_place *place = schema_place_of(schema);

	return place && place->resource->draft == SCHEMA_DRAFT_7 && json_tree_get(schema, "$ref");
}

/* The values that the schema of a member lists: its own, or else those that it refers to. */
static struct json_tree
member_values(const struct search *search, const struct json_tree *schema)
{
	struct json_tree values = {0};

	for (size_t i = 0; schema && values.count == 0 && i < MAX_REFS; i++) {
		if (!is_only_ref(schema))
			values = listed_values(schema);
		schema = schema_ref(search->call->checker->files, schema);
	}
	return values;
}

/* Compare a member of the value with the constants of its schema. */
static void
compare_member(struct search *search, const struct json_member *member,
	       const struct json_tree *schema)
{
	struct json_tree values = member_values(search, schema);

	if (values.count == 0)
		return;
	if (is_listed(search->call, &member->value, &values)) {
		search->fit.fits++;
		return;
	}
	search->fit.misfits++;
	if (member == search->member &&
	    (search->values.count == 0 || values.count < search->values.count))
		search->values = values;
}

/* Compare the value with what a schema says itself about its type and its members. */
static void
compare_value(struct search *search, const struct check_call *quiet, const struct json_tree *schema)
{
	const struct json_tree *value = quiet->value;
	const struct json_tree *type = json_tree_get(schema, "type");
	const struct json_tree *not = json_tree_get(schema, "not");
	const struct json_tree *members = json_tree_get(schema, "properties");

	if ((type && !check_type(quiet, type)) || (not &&!check_not(quiet, not )))
		search->fit.is_excluded = true;
	if (value->type != HERALD_JSON_OBJECT)
		return;
	for (size_t i = 0; members && i < value->count; i++) {
		const struct json_tree *of = json_tree_find(members, value->members[i].name);

		if (of)
			compare_member(search, &value->members[i], of);
	}
}

/* Compare the value with a schema, and with those that hold for the same value. */
static void
visit(struct search *search, const struct json_tree *schema)
{
	const struct json_tree *all = json_tree_get(schema, "allOf");
	struct check_call quiet = *search->call;

	quiet.failure = NULL;
	quiet.seen = NULL;
	if (!schema || search->visits == MAX_VISITS ||
	    !check_spend(&quiet, 1 + quiet.value->count / 8))
		return;
	search->visits++;
	if (json_tree_get(schema, "$ref"))
		visit(search, schema_ref(search->call->checker->files, schema));
	if (is_only_ref(schema))
		return;
	for (size_t i = 0; all && i < all->count && search->visits < MAX_VISITS; i++)
		visit(search, &all->items[i]);
	compare_value(search, &quiet, schema);
}

struct check_fit
check_fit(const struct check_call *call, const struct json_tree *schema)
{
	struct search search = {.call = call};

	visit(&search, schema);
	return search.fit;
}

bool
check_fits_better(const struct check_fit *a, const struct check_fit *b)
{
	if (a->is_excluded != b->is_excluded)
		return b->is_excluded;
	if (a->misfits != b->misfits)
		return a->misfits < b->misfits;
	if ((a->fits > 0) != (b->fits > 0))
		return a->fits > 0;
	return a->depth > b->depth;
}

/* Add values to a list that is long enough, unless they are in it. */
static void
add_values(const struct check_call *call, struct json_tree *all, struct json_tree *items,
	   const struct json_tree *values)
{
	for (size_t i = 0; i < values->count && check_spend(call, 1); i++)
		if (!is_listed(call, &values->items[i], all))
			items[all->count++] = values->items[i];
}

/*
 * The values that alternatives allow for a member, if it fits none of them. Without `items`, their
 * number at most. 0: the member fits, or an alternative allows any value.
 */
static size_t
collect_values(const struct check_call *call, const struct json_tree *alternatives,
	       const struct json_member *member, struct json_tree *items)
{
	struct json_tree all = {.items = items};
	size_t count = 0;

	for (size_t i = 0; i < alternatives->count; i++) {
		struct search search = {.call = call, .member = member};

		visit(&search, &alternatives->items[i]);
		if (search.fit.is_excluded)
			continue;
		if (search.values.count == 0)
			return 0;
		count += search.values.count;
		if (items)
			add_values(call, &all, items, &search.values);
	}
	return items ? all.count : count;
}

bool
check_fail_tag(const struct check_call *call, const struct json_tree *alternatives)
{
	for (size_t i = 0; i < call->value->count; i++) {
		const struct json_member *member = &call->value->members[i];
		size_t count = collect_values(call, alternatives, member, NULL);

		if (count == 0)
			continue;
		struct json_tree *items =
			memory_take_array(call->checker->arena, count, sizeof(*items));
		const struct json_tree values = {
			.items = items,
			.count = collect_values(call, alternatives, member, items),
		};
		struct check_call inner = *call;
		inner.value = &member->value;
		inner.depth++;
		check_fail_values(&inner, &values);
		return true;
	}
	return false;
}
