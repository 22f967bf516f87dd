/*
 * Makes structs of sample documents: merges them into one shape, and converts it. What differs
 * between samples is optional, or raw JSON.
 */
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/json.h>
#include <herald/time.h>

#include "generate.h"
#include "text.h"

/* Objects with more names than this are maps. */
#define MAX_MEMBERS 1000

/* What the values at one place of the samples have in common. */
struct shape {
	size_t nulls, bools, integers, reals, strings, arrays, objects;
	bool is_unsigned;      /* an integer is above INT64_MAX */
	bool is_negative;      /* one is below 0 */
	bool is_large;         /* one is beyond 2 to the power of 53, as a double may not hold */
	bool is_exact;         /* all numbers fit into their type */
	bool are_times;        /* all strings */
	bool has_nul;          /* a string */
	size_t items;          /* elements of all arrays */
	struct shape *element; /* of arrays */
	struct memory_list members; /* struct shape_member */
};

struct shape_member {
	struct herald_text name;
	size_t count; /* of the objects that have it */
	struct shape shape;
};

/* A struct that was made, by its members. */
struct made {
	const char *hint;
	const char *signature;
	struct c_struct *result;
};

struct sampling {
	struct c_model *model;
	struct memory_list made;
	const char *root_name; /* of the next struct; NULL: by its hint */
};

static struct c_type
convert(struct sampling *sampling, const struct shape *shape, const char *hint);

/* Merging. */

static struct shape
new_shape(void)
{
	return (struct shape){.is_exact = true, .are_times = true};
}

static void merge(struct herald_arena *arena, struct shape *shape, const struct json_tree *value);

/* The member with this name. Beyond MAX_MEMBERS the object is a map, whose names do not matter: all
 * further ones share the last member, which has what they have in common. */
static struct shape_member *
find_member(struct herald_arena *arena, struct shape *shape, struct herald_text name)
{
	for (size_t i = 0; i < shape->members.count; i++) {
		struct shape_member *member = (struct shape_member *)shape->members.items[i];

		if (member->name.bytes == name.bytes &&
		    memcmp(member->name.data, name.data, name.bytes) == 0)
			return member;
	}
	if (shape->members.count > MAX_MEMBERS)
		return (struct shape_member *)shape->members.items[MAX_MEMBERS];
	struct shape_member *member = memory_take(arena, sizeof(*member));
	*member = (struct shape_member){.name = name, .shape = new_shape()};
	memory_list_add(arena, &shape->members, member);
	return member;
}

/* Whether a number is written without a fraction and an exponent. */
static bool
is_plain(struct herald_json number)
{
	for (size_t i = 0; i < number.bytes; i++)
		if (strchr(".eE", number.data[i]))
			return false;
	return true;
}

static void
merge_number(struct shape *shape, const struct json_tree *value)
{
	int64_t number;
	uint64_t magnitude;
	double real;

	if (herald_json_read_int64(&value->json, &number) == HERALD_OK) {
		shape->integers++;
		shape->is_negative |= number < 0;
		shape->is_large |= number > INT64_C(1) << 53 || number < -(INT64_C(1) << 53);
	} else if (herald_json_read_uint64(&value->json, &magnitude) == HERALD_OK) {
		shape->integers++;
		shape->is_unsigned = shape->is_large = true;
	} else {
		shape->reals++;
		shape->is_exact &= !is_plain(value->json) &&
				   herald_json_read_double(&value->json, &real) == HERALD_OK;
	}
}

static void
merge_string(struct shape *shape, struct herald_text text)
{
	struct herald_time time;

	shape->strings++;
	shape->has_nul |= memchr(text.data, '\0', text.bytes) != NULL;
	shape->are_times &= herald_time_parse(text.data, text.bytes, &time, NULL) == HERALD_OK;
}

static void
merge(struct herald_arena *arena, struct shape *shape, const struct json_tree *value)
{
	switch (value->type) {
	case HERALD_JSON_BOOL:
		shape->bools++;
		break;
	case HERALD_JSON_NUMBER:
		merge_number(shape, value);
		break;
	case HERALD_JSON_STRING:
		merge_string(shape, value->text);
		break;
	case HERALD_JSON_ARRAY:
		shape->arrays++;
		shape->items += value->count;
		if (!shape->element) {
			shape->element = memory_take(arena, sizeof(*shape->element));
			*shape->element = new_shape();
		}
		for (size_t i = 0; i < value->count; i++)
			merge(arena, shape->element, &value->items[i]);
		break;
	case HERALD_JSON_OBJECT:
		shape->objects++;
		for (size_t i = 0; i < value->count; i++) {
			struct shape_member *member =
				find_member(arena, shape, value->members[i].name);

			member->count++;
			merge(arena, &member->shape, &value->members[i].value);
		}
		break;
	default:
		shape->nulls++;
		break;
	}
}

/* Converting. */

/* How many of the types a value can have occur. */
static size_t
count_types(const struct shape *shape)
{
	return (shape->bools > 0) + (shape->integers + shape->reals > 0) + (shape->strings > 0) +
	       (shape->arrays > 0) + (shape->objects > 0);
}

static struct c_type
raw(struct sampling *sampling, const struct shape *shape, const char *why)
{
	struct c_type type = {.kind = C_JSON, .is_nullable = shape->nulls > 0};

	memory_list_add(sampling->model->arena, &type.notes, why);
	return type;
}

static const char *
list_types(struct herald_arena *arena, const struct shape *shape)
{
	const struct {
		const char *name;
		size_t count;
	} names[] = {
		{"a boolean", shape->bools},   {"a number", shape->integers + shape->reals},
		{"a string", shape->strings},  {"an array", shape->arrays},
		{"an object", shape->objects},
	};
	const char *out = "";

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		if (names[i].count > 0)
			out = memory_print(arena, "%s%s%s", out, *out != '\0' ? " or " : "",
					   names[i].name);
	return memory_print(arena, "Raw JSON: %s.", out);
}

static struct c_type
convert_number(struct sampling *sampling, const struct shape *shape)
{
	struct c_type type = {.kind = C_NUMBER, .number = "int64_t"};

	if (!shape->is_exact || (shape->is_unsigned && shape->is_negative) ||
	    (shape->is_large && shape->reals > 0))
		return raw(sampling, shape, "Raw JSON: a number that no type in C holds.");
	if (shape->reals > 0)
		type.number = "double";
	else if (shape->is_unsigned)
		type.number = "uint64_t";
	return type;
}

/* Whether names look like data rather than like members: "2024-01-31", "app.example.com/name". */
static bool
are_keys(const struct shape *shape)
{
	size_t odd = 0;

	for (size_t i = 0; i < shape->members.count; i++) {
		const struct shape_member *member = shape->members.items[i];
		char first = member->name.bytes > 0 ? member->name.data[0] : '0';

		odd += (first >= '0' && first <= '9') ||
		       memchr(member->name.data, '/', member->name.bytes) ||
		       memchr(member->name.data, ' ', member->name.bytes) ||
		       memchr(member->name.data, '\0', member->name.bytes);
	}
	return 2 * odd > shape->members.count || shape->members.count > MAX_MEMBERS;
}

/* What the members of an object have in common, as the values of a map. */
static bool
merge_members(const struct shape *shape, struct shape *out)
{
	*out = new_shape();
	for (size_t i = 0; i < shape->members.count; i++) {
		const struct shape *member =
			&((const struct shape_member *)shape->members.items[i])->shape;

		out->nulls += member->nulls;
		out->bools += member->bools;
		out->integers += member->integers;
		out->reals += member->reals;
		out->strings += member->strings;
		out->is_unsigned |= member->is_unsigned;
		out->is_negative |= member->is_negative;
		out->is_large |= member->is_large;
		out->is_exact &= member->is_exact;
		out->are_times &= member->are_times || member->strings == 0;
		out->has_nul |= member->has_nul;
		out->arrays += member->arrays;
		out->objects += member->objects;
	}
	return out->arrays == 0 && out->objects == 0 && count_types(out) == 1;
}

/* A text that is the same for equal structs. */
static const char *
signature_of(struct sampling *sampling, const struct c_struct *from)
{
	struct herald_arena *arena = sampling->model->arena;
	const char *out = from->is_transparent ? "=" : "";

	for (size_t i = 0; i < from->members.count; i++) {
		const struct c_member *member = from->members.items[i];
		const struct c_type *type = &member->type;
		const struct c_type *element = type->element;

		out = memory_print(
			arena, "%s%.*s:%d%s%s%d%s%s%d%d%d;", out, (int)member->key.bytes,
			member->key.data ? member->key.data : "", (int)type->kind,
			type->number ? type->number : "", type->target ? type->target->name : "",
			element ? (int)element->kind : -1,
			element && element->number ? element->number : "",
			element && element->target ? element->target->name : "",
			element && element->is_nullable, member->is_required, type->is_nullable);
	}
	return out;
}

/* End a struct: the same one as before, if there is one with the same members. */
static struct c_struct *
end_struct(struct sampling *sampling, struct c_struct *out, const char *hint, const char *outer)
{
	struct c_model *model = sampling->model;
	const char *signature = signature_of(sampling, out);
	struct made *made = memory_take(model->arena, sizeof(*made));

	for (size_t i = 0; i < sampling->made.count; i++) {
		const struct made *other = sampling->made.items[i];
		bool is_alike = strcmp(other->hint, hint) == 0 || out->members.count >= 4;

		if (!out->name && is_alike && strcmp(other->signature, signature) == 0)
			return other->result;
	}
	if (!out->name && outer) {
		/* "pull_request_user" if there is another "user". */
		for (size_t i = 0; i < sampling->made.count; i++)
			if (strcmp(((const struct made *)sampling->made.items[i])->hint, hint) ==
			    0) {
				out->name = c_name_take(
					model, memory_print(model->arena, "%s_%s", outer, hint));
				break;
			}
	}
	if (!out->name)
		out->name = c_name_take(model, hint);
	*made = (struct made){hint, signature, out};
	memory_list_add(model->arena, &sampling->made, made);
	c_struct_end(model, out);
	return out;
}

static struct c_struct *
begin_struct(struct sampling *sampling)
{
	const char *name = sampling->root_name;

	sampling->root_name = NULL;
	return c_struct_begin(sampling->model, name);
}

static struct c_type
convert_map(struct sampling *sampling, const struct shape *shape, const char *hint)
{
	struct c_type type = {.kind = C_JSON_MAP};
	struct shape value;
	char *name = c_name_singular(sampling->model->arena, hint);

	memory_list_add(sampling->model->arena, &type.notes,
			"The names of its members differ from sample to sample.");
	if (!merge_members(shape, &value))
		return type;
	const char *root = sampling->root_name;
	sampling->root_name = NULL;
	struct c_struct *entry = begin_struct(sampling);
	entry->is_transparent = true;
	c_struct_add_key(sampling->model, entry);
	struct c_type inner = convert(sampling, &value, name);
	c_struct_add(sampling->model, entry, text_of("value"), &inner, value.nulls == 0);
	sampling->root_name = root;
	type.kind = C_MAP;
	type.target = end_struct(sampling, entry,
				 memory_print(sampling->model->arena, "%s_entry", name), NULL);
	return type;
}

static struct c_type
convert_object(struct sampling *sampling, const struct shape *shape, const char *hint)
{
	struct c_type type = {.kind = C_STRUCT};

	if (shape->members.count == 0) {
		type.kind = C_JSON_MAP;
		memory_list_add(sampling->model->arena, &type.notes,
				"An object without members in all samples.");
		return type;
	}
	if (are_keys(shape))
		return convert_map(sampling, shape, hint);
	struct c_struct *out = begin_struct(sampling);
	for (size_t i = 0; i < shape->members.count; i++) {
		const struct shape_member *member = shape->members.items[i];
		struct c_type inner =
			convert(sampling, &member->shape,
				c_name_of(sampling->model->arena, member->name, "member"));

		inner.is_nullable = member->shape.nulls > 0;
		c_struct_add(sampling->model, out, member->name, &inner,
			     member->count == shape->objects);
	}
	type.target = end_struct(sampling, out, hint, NULL);
	return type;
}

/* A struct whose JSON is the value of its only member. */
static struct c_struct *
wrap(struct sampling *sampling, const struct shape *shape, const char *hint)
{
	struct c_struct *out = begin_struct(sampling);

	out->is_transparent = true;
	struct c_type type = convert(sampling, shape, hint);
	type.is_nullable = shape->nulls > 0;
	c_struct_add(sampling->model, out, text_of(type.kind == C_LIST ? "items" : "value"), &type,
		     shape->nulls == 0);
	return end_struct(sampling, out, memory_print(sampling->model->arena, "%s_item", hint),
			  NULL);
}

static struct c_type
convert_array(struct sampling *sampling, const struct shape *shape, const char *hint)
{
	struct herald_arena *arena = sampling->model->arena;
	struct c_type type = {.kind = C_LIST};

	if (shape->items == 0)
		return raw(sampling, shape, "Raw JSON: an empty array in all samples.");
	struct shape *element = shape->element;
	char *singular = c_name_singular(arena, hint);
	struct c_type *inner = memory_take(arena, sizeof(*inner));
	if (count_types(element) != 1) {
		*inner = convert(sampling, element, singular);
		type.notes = inner->notes;
	} else if (element->arrays > 0 ||
		   (element->objects > 0 && (are_keys(element) || element->members.count == 0)) ||
		   (element->nulls > 0 &&
		    (element->strings == 0 || element->are_times || element->has_nul))) {
		*inner = (struct c_type){.kind = C_STRUCT,
					 .target = wrap(sampling, element, singular)};
	} else {
		*inner = convert(sampling, element, singular);
		inner->is_nullable = element->nulls > 0;
	}
	type.element = inner;
	return type;
}

static struct c_type
convert(struct sampling *sampling, const struct shape *shape, const char *hint)
{
	if (count_types(shape) == 0)
		return raw(sampling, shape, "Raw JSON: null in all samples.");
	if (count_types(shape) > 1)
		return raw(sampling, shape, list_types(sampling->model->arena, shape));
	if (shape->bools > 0)
		return (struct c_type){.kind = C_BOOL};
	if (shape->integers + shape->reals > 0)
		return convert_number(sampling, shape);
	if (shape->strings > 0)
		return (struct c_type){.kind = shape->has_nul     ? C_TEXT
					       : shape->are_times ? C_TIME
								  : C_STRING};
	if (shape->arrays > 0)
		return convert_array(sampling, shape, hint);
	return convert_object(sampling, shape, hint);
}

void
generate_samples(struct c_model *model, const struct memory_list *samples)
{
	struct sampling sampling = {.model = model, .root_name = model->name};
	struct shape *shape = memory_take(model->arena, sizeof(*shape));

	*shape = new_shape();
	c_name_use(model->arena, &model->used, model->name);
	for (size_t i = 0; i < samples->count; i++)
		merge(model->arena, shape, samples->items[i]);
	bool is_struct = shape->objects > 0 && shape->members.count > 0 && !are_keys(shape) &&
			 shape->nulls == 0;
	if (count_types(shape) != 1)
		memory_list_add(model->arena, &model->notes,
				"The samples have different types: use herald_json_schema.");
	else if (is_struct)
		convert(&sampling, shape, "payload");
	else
		wrap(&sampling, shape, "payload");
}
