/*
 * Tagged unions: an anyOf or oneOf of objects that a member tells apart. Finds the member; what is
 * made of it is in generate_schema.c.
 */
#include "generate_schema.h"

#include <string.h>

#include "c_text.h"
#include "text.h"

/* Cases that a table can have (herald/schema.h). */
#define MAX_CASES 64

/* A list of the elements of `list`, and one more. */
static struct memory_list
list_and(struct herald_arena *arena, const struct memory_list *list, const void *item)
{
	struct memory_list out = {0};

	memory_list_add(arena, &out, item);
	for (size_t i = 0; i < list->count; i++)
		memory_list_add(arena, &out, list->items[i]);
	return out;
}

/*
 * Collect the views of all alternatives that are not null. Alternatives within an alternative are
 * alternatives, each together with what is around it.
 *
 * alternatives  an anyOf or oneOf.
 * around        the schemas around it that are alternatives themselves.
 * unions        the anyOf and oneOf that hold it.
 */
static const char *
read_cases(struct generation *generation, const struct json_tree *alternatives,
	   const struct memory_list *around, const struct memory_list *unions, struct tagged *out)
{
	struct herald_arena *arena = generation->model->arena;
	struct memory_list inside = list_and(arena, unions, alternatives);
	const char *reason = NULL;

	for (size_t i = 0; i < alternatives->count && !reason && view_work(&generation->work, 1);
	     i++) {
		struct tagged_case *one = memory_take(arena, sizeof(*one));
		one->schema = &alternatives->items[i];
		struct memory_list schemas = list_and(arena, around, one->schema);

		view_init_without(&one->view, generation->files, &generation->work, &schemas,
				  &inside);
		if (one->view.types == 0)
			continue;
		if (one->view.types != VIEW_OBJECT)
			return "not all of them are objects";
		if (one->view.unions > 1)
			return "there are several lists of them";
		if (one->view.union_) {
			reason = read_cases(generation, one->view.union_, &schemas, &inside, out);
			continue;
		}
		memory_list_add(arena, &out->cases, one);
		if (out->cases.count > MAX_CASES)
			return "there are more than 64";
	}
	return reason;
}

/* The discriminator next to the alternatives, or the same one in each; NULL: there is none. It is
 * a keyword of OpenAPI and AsyncAPI. */
static const struct json_tree *
find_discriminator(const struct view *view, const struct tagged *tagged)
{
	const struct json_tree *out = view_get(view, "discriminator");

	for (size_t i = 0; !out && i < tagged->cases.count; i++)
		out = view_get(&((const struct tagged_case *)tagged->cases.items[i])->view,
			       "discriminator");
	return out;
}

/* The member that a discriminator names. */
static struct herald_text
discriminator_name(const struct json_tree *discriminator)
{
	const struct json_tree *name = discriminator && discriminator->type == HERALD_JSON_OBJECT
					       ? json_tree_get(discriminator, "propertyName")
					       : discriminator;

	return name && name->type == HERALD_JSON_STRING ? name->text : (struct herald_text){0};
}

/* The values for which a discriminator says that an alternative is meant: those that its mapping
 * has, else the name of the alternative. */
static struct memory_list
mapped_values(struct herald_arena *arena, const struct json_tree *discriminator,
	      const struct tagged_case *one)
{
	const struct json_tree *mapping = json_tree_get(discriminator, "mapping");
	const char *ref = json_tree_string(one->schema, "$ref");
	struct memory_list out = {0};

	for (size_t i = 0; mapping && mapping->type == HERALD_JSON_OBJECT && i < mapping->count;
	     i++) {
		const struct json_member *member = &mapping->members[i];
		const char *target = member->value.text.data;

		if (member->value.type == HERALD_JSON_STRING &&
		    ((ref && strcmp(ref, target) == 0) ||
		     (one->view.name && strcmp(one->view.name, target) == 0)))
			memory_list_add(arena, &out, &member->name);
	}
	if (out.count == 0 && one->view.name) {
		struct herald_text *name = memory_take(arena, sizeof(*name));

		*name = text_of(one->view.name);
		memory_list_add(arena, &out, name);
	}
	return out;
}

/*
 * The values of the tag in an alternative: those that its schema lists, or its discriminator. There
 * are none if it is not required, or neither a string nor an integer.
 *
 * are_integers  set to true if they are integers.
 */
static struct memory_list
values_of(struct generation *generation, const struct view *view, const struct tagged *tagged,
	  const struct tagged_case *one, bool *are_integers)
{
	struct memory_list schemas = view_member(&one->view, tagged->tag), values = {0};
	const struct json_tree *discriminator = find_discriminator(view, tagged);
	bool is_named =
		discriminator && json_texts_equal(discriminator_name(discriminator), tagged->tag);

	if (!(view_requires(&one->view, tagged->tag) || view_requires(view, tagged->tag)))
		return values;
	if (schemas.count > 0) {
		struct view *member = memory_take(generation->model->arena, sizeof(*member));

		view_init_all(member, view->files, view->work, &schemas);
		*are_integers = member->types == VIEW_INTEGER;
		if (*are_integers && !member->is_nullable && !member->union_ &&
		    !generate_integers(generation, member, &values))
			values = (struct memory_list){0};
		if (member->types != VIEW_STRING || member->is_nullable || member->union_ ||
		    generate_names(generation, member, &values))
			return values;
	}
	return is_named ? mapped_values(generation->model->arena, discriminator, one) : values;
}

/*
 * Whether the member has values of its own in each alternative, which requires it.
 *
 * has_many  set to true if there are more than a table can have.
 */
static bool
set_values(struct generation *generation, const struct view *view, struct tagged *out,
	   bool *has_many)
{
	struct memory_map known = {0};

	for (size_t i = 0; i < out->cases.count && view_work(view->work, 1); i++) {
		struct tagged_case *one = (struct tagged_case *)out->cases.items[i];
		bool are_integers = false;

		one->values = values_of(generation, view, out, one, &are_integers);
		if (one->values.count == 0 || (i > 0 && are_integers != out->is_numeric))
			return false;
		out->is_numeric = are_integers;
		for (size_t j = 0; j < one->values.count; j++) {
			const struct herald_text *value = one->values.items[j];

			if (value->bytes > C_LITERAL_BYTES ||
			    memchr(value->data, '\0', value->bytes) ||
			    memory_map_get(&known, *value))
				return false;
			memory_map_set(generation->model->arena, &known, *value, one);
		}
	}
	*has_many |= known.count > MAX_CASES;
	return known.count <= MAX_CASES;
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

			if (!json_texts_equal(*name, tagged->tag) &&
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
	const char *reason = read_cases(generation, view->union_, &(struct memory_list){0},
					&(struct memory_list){0}, out);
	if (!reason && out->cases.count < 2)
		reason = "there is only one";
	if (reason)
		return reason;
	const struct tagged_case *first = out->cases.items[0];
	bool has_many = false;
	struct memory_list names = view_members(&first->view);
	struct herald_text named = discriminator_name(find_discriminator(view, out));
	/* The one that a discriminator names comes first. */
	if (named.data)
		names = list_and(generation->model->arena, &names, &named);
	for (size_t i = 0; i < names.count && view_work(view->work, 1); i++) {
		out->tag = *(const struct herald_text *)names.items[i];
		if (strlen(out->tag.data) == out->tag.bytes &&
		    set_values(generation, view, out, &has_many))
			return has_shared_member(view, out)
				       ? "members of theirs are also outside of them"
				       : NULL;
	}
	if (has_many)
		return "the member that tells them apart has more than 64 values";
	return "no member that all require has different strings or integers in each";
}
