/*
 * Makes structs of tagged unions: the tag, the members that all alternatives have, and the union of
 * the others. generate_union.c finds the tag.
 */
#include "generate_schema.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

/* Whether an alternative has members besides the tag. */
static bool
has_other_members(const struct tagged *tagged, const struct tagged_case *one)
{
	struct memory_list names = view_members(&one->view);

	for (size_t i = 0; i < names.count; i++)
		if (!json_texts_equal(*(const struct herald_text *)names.items[i], tagged->tag))
			return true;
	return false;
}

/* The struct of an alternative of `view`, without the tag; NULL if it has no other members. */
static struct c_struct *
convert_case(struct generation *generation, const struct view *view, const struct tagged *tagged,
	     const struct tagged_case *one, const char *hint)
{
	struct c_model *model = generation->model;
	const char *title = json_tree_string(one->schema, "title");

	if (!has_other_members(tagged, one))
		return NULL;
	if (title && strlen(title) < 40)
		hint = c_name_of(model->arena, text_of(title), hint);
	struct c_struct *out = c_struct_begin(
		model, c_name_take(model, generate_name_of(generation, &one->view, hint)));
	out->doc = one->view.doc;
	generate_note_object(generation, &one->view, &out->notes);
	generate_note_required(generation, &one->view, view, NULL, &out->notes);
	generate_members(generation, &one->view, view, tagged->tag, out);
	c_struct_end(model, out);
	return out;
}

/* Add the enum that is the tag. Returns its name. */
static const char *
add_tag(struct generation *generation, const struct tagged *tagged, struct c_struct *out)
{
	struct c_model *model = generation->model;
	struct memory_list names = {0};
	const char *hint = memory_print(model->arena, "%s_%s",
					out->name + strlen(model->name) +
						(strcmp(out->name, model->name) != 0),
					c_name_of(model->arena, tagged->tag, "tag"));

	for (size_t i = 0; i < tagged->cases.count; i++) {
		const struct memory_list *values =
			&((const struct tagged_case *)tagged->cases.items[i])->values;

		for (size_t j = 0; j < values->count; j++)
			memory_list_add(model->arena, &names, values->items[j]);
	}
	struct c_type type = {.kind = C_ENUM,
			      .names = generate_enum(generation, NULL, &names, tagged->is_numeric,
						     *hint == '_' ? hint + 1 : hint)};
	return c_struct_add(model, out, tagged->tag, &type, true)->name;
}

/* The view of a member of an alternative. */
static struct view *
view_of_member(struct generation *generation, const struct tagged_case *one,
	       struct herald_text name)
{
	struct view *out = memory_take(generation->model->arena, sizeof(*out));
	struct memory_list schemas = view_member(&one->view, name);

	view_init_all(out, generation->files, &generation->work, &schemas);
	return out;
}

/* Whether an alternative has this member and the tag only, as a struct, and nothing else to say. */
static bool
is_only_member(struct generation *generation, const struct tagged *tagged,
	       const struct tagged_case *one, struct herald_text name)
{
	struct memory_list notes = {0};
	struct tagged inner;
	const struct view *member = view_of_member(generation, one, name);

	view_note_unchecked(&one->view, generation->model->arena, VIEW_OBJECT, false, &notes);
	generate_note_left_out(generation, &one->view, &notes);
	return view_members(&one->view).count ==
		       1 + (view_member(&one->view, tagged->tag).count > 0) &&
	       view_member(&one->view, name).count > 0 && notes.count == 0 &&
	       !member->is_nullable && member->types == VIEW_OBJECT &&
	       (member->union_ ? !generate_tagged(generation, member, &inner)
			       : generate_is_struct(member));
}

/*
 * The member that has the alternatives: the only one besides the tag, in all that have another.
 * Returns false if it is not in a member of its own, but in the same object as the tag.
 */
static bool
find_body(struct generation *generation, const struct view *view, const struct tagged *tagged,
	  struct herald_text *name, bool *is_required)
{
	*name = (struct herald_text){0};
	for (size_t i = 0; i < tagged->cases.count; i++) {
		const struct tagged_case *one = tagged->cases.items[i];
		struct memory_list names = view_members(&one->view);

		for (size_t j = 0; j < names.count && view_work(view->work, 1); j++) {
			const struct herald_text *other = names.items[j];

			if (json_texts_equal(*other, tagged->tag))
				continue;
			bool requires =
				view_requires(&one->view, *other) || view_requires(view, *other);
			if (!name->data) {
				*name = *other;
				*is_required = requires;
			}
			if (!json_texts_equal(*other, *name) || requires != *is_required ||
			    !is_only_member(generation, tagged, one, *name))
				return false;
		}
	}
	return name->data && strlen(name->data) == name->bytes;
}

/* The words of a name of a case: the first value of its tag, -1 as in the name of an enumerator. */
static struct herald_text
words_of_case(struct generation *generation, const struct tagged *tagged,
	      const struct tagged_case *one)
{
	const struct herald_text *value = one->values.items[0];

	if (!tagged->is_numeric || *value->data != '-')
		return *value;
	return text_of(memory_print(generation->model->arena, "n_minus_%s", value->data + 1));
}

/* Add a case to a union. */
static void
add_case(struct generation *generation, const struct tagged *tagged, const struct tagged_case *one,
	 const struct c_struct *target, bool is_pointer, struct memory_map *used,
	 struct c_type *type)
{
	struct c_model *model = generation->model;
	struct c_case *made = memory_take(model->arena, sizeof(*made));

	*made = (struct c_case){
		.name = c_member_name_take(model, used, words_of_case(generation, tagged, one)),
		.values = one->values,
		.target = target,
		.is_pointer = is_pointer,
	};
	memory_list_add(model->arena, &type->cases, made);
}

/* What an alternative without a struct would have said in its comment. */
static void
note_case(struct generation *generation, const struct view *view, const struct tagged_case *one,
	  bool is_flat, struct memory_list *notes)
{
	struct herald_arena *arena = generation->model->arena;
	const struct herald_text *value = one->values.items[0];
	struct memory_list inner = {0};

	if (is_flat)
		generate_note_object(generation, &one->view, &inner);
	generate_note_required(generation, &one->view, view, NULL, &inner);
	for (size_t i = 0; i < inner.count; i++)
		memory_list_add(arena, notes,
				memory_print(arena, "With the tag \"%s\": %s", value->data,
					     (const char *)inner.items[i]));
}

/* The union of a struct, in a member of its own, or flat. */
static void
add_union(struct generation *generation, const struct view *view, const struct tagged *tagged,
	  const char *hint, const char *tag, struct c_struct *out)
{
	struct c_model *model = generation->model;
	struct c_type type = {.kind = C_UNION, .tag = tag};
	struct herald_text body;
	struct memory_map used = {0};
	bool is_required = true;

	type.is_flat = !find_body(generation, view, tagged, &body, &is_required);
	is_required |= type.is_flat;
	for (size_t i = 0; i < tagged->cases.count; i++) {
		const struct tagged_case *one = tagged->cases.items[i];
		const char *name =
			c_name_of(model->arena, words_of_case(generation, tagged, one), "other");
		const struct c_struct *target = NULL;

		if (hint)
			name = memory_print(model->arena, "%s_%s", hint, name);
		if (type.is_flat)
			target = convert_case(generation, view, tagged, one, name);
		else if (view_member(&one->view, body).count > 0)
			target = generate_object(generation, view_of_member(generation, one, body),
						 name);
		if (target)
			add_case(generation, tagged, one, target,
				 !type.is_flat && (!is_required || !target->is_complete), &used,
				 &type);
		if (!target || !type.is_flat)
			note_case(generation, view, one, type.is_flat, &out->notes);
	}
	if (type.cases.count > 0)
		c_struct_add(model, out, type.is_flat ? text_of("body") : body, &type, is_required);
}

/* A struct with the tag, the members that all have, and a union of the others. */
static struct c_struct *
convert_tagged(struct generation *generation, const struct view *view, const struct tagged *tagged,
	       const char *hint)
{
	struct c_model *model = generation->model;
	struct c_struct *out = generate_find_made(generation, view, MADE_TAGGED);
	bool is_root = generation->root_name != NULL;
	size_t closed = 0;

	if (out)
		return out;
	hint = generate_name_of(generation, view, hint);
	out = generate_begin_made(generation, view, MADE_TAGGED, hint);
	out->doc = view->doc;
	const char *tag = add_tag(generation, tagged, out);
	generate_note_object(generation, view, &out->notes);
	generate_note_required(generation, view, NULL, tagged, &out->notes);
	generate_members(generation, view, NULL, tagged->tag, out);
	for (size_t i = 0; i < tagged->cases.count; i++)
		closed += generate_is_closed(
			&((const struct tagged_case *)tagged->cases.items[i])->view);
	out->rejects_unknown = generate_is_closed(view) || closed == tagged->cases.count;
	if (closed > 0 && !out->rejects_unknown)
		memory_list_add(model->arena, &out->notes,
				"Not checked: additionalProperties of some alternatives.");
	add_union(generation, view, tagged, is_root ? NULL : hint, tag, out);
	c_struct_end(model, out);
	return out;
}

struct c_struct *
generate_object(struct generation *generation, const struct view *view, const char *hint)
{
	struct tagged tagged;

	if (view->union_ && !generate_tagged(generation, view, &tagged))
		return convert_tagged(generation, view, &tagged, hint);
	return generate_is_struct(view) ? generate_struct(generation, view, hint) : NULL;
}
