/*
 * Keywords that apply other schemas to the same value: references, allOf, anyOf, oneOf, not, if,
 * dependentSchemas.
 */
#include <string.h>

#include "check.h"

bool
check_ref(const struct check_call *call, const struct json_tree *keyword)
{
	const struct json_tree *target = schema_ref(call->checker->files, call->schema);

	if (!target)
		return check_fail(call, "nothing is at the reference %s", keyword->text.data);
	return check_same(call, target);
}

/* What a dynamic anchor means: the anchor of the same name in the outermost resource of the dynamic
 * scope that has one; without one, the anchor itself (2020-12, 8.2.3.2). */
static const struct json_tree *
find_dynamic(const struct check_scope *scope, const struct schema_anchor *resolved)
{
	const struct json_tree *found = resolved->schema;

	for (; scope && scope->resource; scope = scope->outer) {
		const struct schema_anchor *anchor =
			schema_anchor_find(scope->resource, resolved->name);

		if (anchor && anchor->is_dynamic)
			found = anchor->schema;
	}
	return found;
}

bool
check_dynamic_ref(const struct check_call *call, const struct json_tree *keyword)
{
	const struct schema_anchor *dynamic = NULL;
	const struct json_tree *target =
		schema_dynamic_ref(call->checker->files, call->schema, &dynamic);

	if (!target)
		return check_fail(call, "nothing is at the reference %s", keyword->text.data);
	/* All resources around may be asked. */
	if (!check_spend(call, call->scope->depth / 8))
		return false;
	return check_same(call, dynamic ? find_dynamic(call->scope, dynamic) : target);
}

bool
check_all_of(const struct check_call *call, const struct json_tree *keyword)
{
	for (size_t i = 0; i < keyword->count; i++)
		if (!check_same(call, &keyword->items[i]))
			return false;
	return true;
}

/* The alternative that was probably meant, and how it fails. */
struct nearest {
	struct check_failure failure;
	struct check_fit fit;
};

/* The number of schemas that are valid. Stops at `enough`, unless it must know what each of them
 * evaluates. */
static size_t
count_valid(const struct check_call *call, const struct json_tree *keyword, size_t enough,
	    struct nearest *nearest)
{
	size_t count = 0;

	*nearest = (struct nearest){0};
	for (size_t i = 0; i < keyword->count; i++) {
		struct check_failure failure = {0};
		struct check_fit fit;

		if (check_same_quietly(call, &keyword->items[i], call->failure ? &failure : NULL)) {
			count++;
		} else if (failure.value) {
			fit = check_fit(call, &keyword->items[i]);
			fit.depth = failure.depth;
			if (!nearest->failure.value || check_fits_better(&fit, &nearest->fit))
				*nearest = (struct nearest){failure, fit};
		}
		if (count == enough && !call->seen)
			break;
	}
	return count;
}

/* None is valid: the reason of the one that came nearest. */
static bool
fail_alternatives(const struct check_call *call, const char *name,
		  const struct json_tree *alternatives, const struct nearest *nearest)
{
	struct check_failure *failure = call->failure;

	if (!failure || failure->value)
		return false;
	if (!nearest->failure.value)
		return check_fail(call, "expected one of the %zu schemas of %s",
				  alternatives->count, name);
	if (nearest->fit.misfits > 0 && check_fail_tag(call, alternatives))
		return false;
	*failure = nearest->failure;
	if (alternatives->count > 1 && !failure->is_nearest) {
		failure->is_nearest = true;
		failure->reason =
			memory_print(call->checker->arena, "%s (the nearest of %zu in %s)",
				     failure->reason, alternatives->count, name);
		check_spend(call, strlen(failure->reason) / 64);
	}
	return false;
}

bool
check_any_of(const struct check_call *call, const struct json_tree *keyword)
{
	struct nearest nearest;

	return count_valid(call, keyword, 1, &nearest) > 0 ||
	       fail_alternatives(call, "anyOf", keyword, &nearest);
}

bool
check_one_of(const struct check_call *call, const struct json_tree *keyword)
{
	struct nearest nearest;
	size_t count = count_valid(call, keyword, 2, &nearest);

	if (count == 0)
		return fail_alternatives(call, "oneOf", keyword, &nearest);
	return count == 1 ||
	       check_fail(call, "expected exactly one schema of oneOf to be valid, but %s are",
			  count == 2 ? "two" : "several");
}

bool
check_not(const struct check_call *call, const struct json_tree *keyword)
{
	struct check_call inner = *call;

	inner.seen = NULL;
	return !check_same_quietly(&inner, keyword, NULL) ||
	       check_fail(call, "%s is what \"not\" excludes", check_show(call, call->value));
}

bool
check_if(const struct check_call *call, const struct json_tree *keyword)
{
	const struct json_tree *then = json_tree_get(
		call->schema, check_same_quietly(call, keyword, NULL) ? "then" : "else");

	return !then || check_same(call, then);
}

bool
check_dependent_schemas(const struct check_call *call, const struct json_tree *keyword)
{
	if (!check_spend(call, keyword->count / 8))
		return false;
	for (size_t i = 0; i < keyword->count; i++)
		if (json_tree_find(call->value, keyword->members[i].name) &&
		    !check_same(call, &keyword->members[i].value))
			return false;
	return true;
}
