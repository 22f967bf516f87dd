/*
 * Tagged unions: an anyOf or oneOf of objects that a member tells apart. Finds the member; what is
 * made of it is in generate_schema.c.
 */
#include "generate_schema.h"

#include <string.h>

#include "text.h"

/* Cases that a table can have (herald/schema.h). */
#define MAX_CASES 64

static bool
is_same(struct herald_text a, struct herald_text b)
{
	return a.bytes == b.bytes && memcmp(a.data, b.data, a.bytes) == 0;
}

/* The views of all alternatives that are not null. */
static const char *
read_cases(struct generation *generation, const struct view *view, struct tagged *out)
{
	struct herald_arena *arena = generation->model->arena;

	for (size_t i = 0; i < view->union_->count && view_work(view->work, 1); i++) {
		struct tagged_case *one = memory_take(arena, sizeof(*one));

		one->schema = &view->union_->items[i];
		view_init(&one->view, view->files, view->work, one->schema);
		if (one->view.types == 0)
			continue;
		if (one->view.types != VIEW_OBJECT)
			return "not all of them are objects";
		if (one->view.union_)
			return "there are alternatives within them";
		memory_list_add(arena, &out->cases, one);
		if (out->cases.count > MAX_CASES)
			return "there are more than 64";
	}
	return out->cases.count < 2 ? "there is only one" : NULL;
}

/* Whether the member has one value of its own in each alternative, which it requires. */
static bool
set_values(struct generation *generation, const struct view *view, struct tagged *out)
{
	struct memory_map known = {0};

	for (size_t i = 0; i < out->cases.count && view_work(view->work, 1); i++) {
		struct tagged_case *one = (struct tagged_case *)out->cases.items[i];
		struct memory_list schemas = view_member(&one->view, out->tag), values = {0};
		struct view *member = memory_take(generation->model->arena, sizeof(*member));

		if (schemas.count == 0 ||
		    !(view_requires(&one->view, out->tag) || view_requires(view, out->tag)))
			return false;
		view_init_all(member, view->files, view->work, &schemas);
		if (member->types != VIEW_STRING || member->is_nullable || member->union_ ||
		    !generate_names(generation, member, &values) || values.count != 1)
			return false;
		one->value = *(const struct herald_text *)values.items[0];
		if (memchr(one->value.data, '\0', one->value.bytes) ||
		    memory_map_get(&known, one->value))
			return false;
		memory_map_set(generation->model->arena, &known, one->value, one);
	}
	return true;
}

/* Whether an alternative has a member that is also outside of the union. */
static bool
has_shared_member(const struct view *view, const struct tagged *tagged)
{
	struct memory_list names = view_members(view);

	for (size_t i = 0; i < names.count && view_work(view->work, 1); i++) {
		const struct herald_text *name = names.items[i];

		for (size_t j = 0; j < tagged->cases.count; j++) {
			const struct tagged_case *one = tagged->cases.items[j];

			if (!is_same(*name, tagged->tag) &&
			    view_member(&one->view, *name).count > 0)
				return true;
		}
	}
	return false;
}

const char *
generate_tagged(struct generation *generation, const struct view *view, struct tagged *out)
{
	*out = (struct tagged){0};
	if (view->types != VIEW_OBJECT)
		return "not all of them are objects";
	if (view->unions > 1)
		return "there are several lists of them";
	const char *reason = read_cases(generation, view, out);
	if (reason)
		return reason;
	const struct tagged_case *first = out->cases.items[0];
	struct memory_list names = view_members(&first->view);
	for (size_t i = 0; i < names.count && view_work(view->work, 1); i++) {
		out->tag = *(const struct herald_text *)names.items[i];
		if (strlen(out->tag.data) == out->tag.bytes && set_values(generation, view, out))
			return has_shared_member(view, out)
				       ? "members of theirs are also outside of them"
				       : NULL;
	}
	return "no member that all require has another single value in each";
}
