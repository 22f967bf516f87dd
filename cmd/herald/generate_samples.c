/*
 * Makes structs of sample documents: merges them into one shape, and converts it. What differs
 * between samples is optional, or raw JSON.
 */
#include <float.h>
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/buffer.h>
#include <herald/codec.h>
#include <herald/json.h>
#include <herald/schema.h>
#include <herald/time.h>

#include "decimal.h"
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
	bool has_nul_name;     /* a member of an object */
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

static bool
has_nul(struct herald_text text)
{
	return memchr(text.data, '\0', text.bytes) != NULL;
}

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

struct real {
	double value;
};

HERALD_SCHEMA_WITH(real,
	(.transparent = true),
	HERALD_FIELD(real, value, .required = true));

/* Whether a number is the same when a double has it and Herald writes it again. */
static bool
is_written_again(const struct herald_json *number, const struct real *real)
{
	struct herald_codec *codec = NULL;
	struct herald_buffer text;
	bool is_same = false;

	herald_buffer_init(&text, NULL, 0);
	if (herald_codec_create(&real_schema, NULL, NULL, &codec, NULL) == HERALD_OK &&
	    herald_codec_encode(codec, real, &text, NULL) == HERALD_OK)
		is_same =
			decimal_compare(*number, (struct herald_json){text.data, text.bytes}) == 0;
	herald_codec_destroy(codec);
	herald_buffer_finish(&text);
	return is_same;
}

/* Whether a double keeps all digits of a number. */
static bool
is_exact_double(struct herald_json number)
{
	size_t digits = 0;
	struct real real;

	if (herald_json_read_double(&number, &real.value) != HERALD_OK)
		return false;
	for (size_t i = 0; i < number.bytes && !strchr("eE", number.data[i]); i++)
		digits += number.data[i] >= (digits > 0 ? '0' : '1') && number.data[i] <= '9';
	/* Unless it is nearly too small or too large, a double keeps 15. */
	double magnitude = real.value < 0 ? -real.value : real.value;
	return (digits <= DBL_DIG && magnitude > 1e-300 && magnitude < 1e300) ||
	       is_written_again(&number, &real);
}

static void
merge_number(struct shape *shape, const struct json_tree *value)
{
	int64_t number;
	uint64_t magnitude;

	if (herald_json_read_int64(&value->json, &number) == HERALD_OK) {
		shape->integers++;
		shape->is_negative |= number < 0;
		shape->is_large |= number > INT64_C(1) << 53 || number < -(INT64_C(1) << 53);
	} else if (herald_json_read_uint64(&value->json, &magnitude) == HERALD_OK) {
		shape->integers++;
		shape->is_unsigned = shape->is_large = true;
	} else {
		shape->reals++;
		shape->is_exact &= !is_plain(value->json) && is_exact_double(value->json);
	}
}

static void
merge_string(struct shape *shape, struct herald_text text)
{
	struct herald_time time;

	shape->strings++;
	shape->has_nul |= has_nul(text);
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
			shape->has_nul_name |= has_nul(value->members[i].name);
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

/* Whether several objects all have the same names: then they are members, not data. */
static bool
has_fixed_names(const struct shape *shape)
{
	for (size_t i = 0; i < shape->members.count; i++)
		if (((const struct shape_member *)shape->members.items[i])->count != shape->objects)
			return false;
	return shape->objects > 1;
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
		       memchr(member->name.data, '/', member->name.bytes) || has_nul(member->name);
	}
	return shape->members.count > MAX_MEMBERS ||
	       (2 * odd > shape->members.count && !has_fixed_names(shape));
}

/* Add what one shape has to another. */
static void
merge_shape(struct herald_arena *arena, struct shape *out, const struct shape *shape)
{
	out->nulls += shape->nulls;
	out->bools += shape->bools;
	out->integers += shape->integers;
	out->reals += shape->reals;
	out->strings += shape->strings;
	out->is_unsigned |= shape->is_unsigned;
	out->is_negative |= shape->is_negative;
	out->is_large |= shape->is_large;
	out->is_exact &= shape->is_exact;
	out->are_times &= shape->are_times;
	out->has_nul |= shape->has_nul;
	out->has_nul_name |= shape->has_nul_name;
	out->arrays += shape->arrays;
	out->objects += shape->objects;
	out->items += shape->items;
	if (shape->element && !out->element) {
		out->element = memory_take(arena, sizeof(*out->element));
		*out->element = new_shape();
	}
	if (shape->element && out->element)
		merge_shape(arena, out->element, shape->element);
	for (size_t i = 0; i < shape->members.count; i++) {
		const struct shape_member *from = shape->members.items[i];
		struct shape_member *member = find_member(arena, out, from->name);

		member->count += from->count;
		merge_shape(arena, &member->shape, &from->shape);
	}
}

/* What the members of an object have in common, as the values of a map. Returns false if that is
 * not one type. */
static bool
merge_members(struct herald_arena *arena, const struct shape *shape, struct shape *out)
{
	*out = new_shape();
	for (size_t i = 0; i < shape->members.count; i++)
		merge_shape(arena, out,
			    &((const struct shape_member *)shape->members.items[i])->shape);
	return count_types(out) == 1;
}

/* A text that is the same for equal structs, and for no others: the length of a key tells where it
 * ends. */
static const char *
signature_of(struct sampling *sampling, const struct c_struct *from)
{
	struct herald_arena *arena = sampling->model->arena;
	const char *out = memory_print(arena, "%d%zu ", from->is_transparent, from->notes.count);

	for (size_t i = 0; i < from->members.count; i++) {
		const struct c_member *member = from->members.items[i];
		const struct c_type *type = &member->type;
		const struct c_type *element = type->element;

		out = memory_print(
			arena, "%s%zu:%.*s %d %s %s %d %s %s %d%d%d%d;", out, member->key.bytes,
			(int)member->key.bytes, member->key.data ? member->key.data : "",
			(int)type->kind, type->number ? type->number : "",
			type->target ? type->target->name : "", element ? (int)element->kind : -1,
			element && element->number ? element->number : "",
			element && element->target ? element->target->name : "",
			element && element->is_nullable, member->is_required, type->is_nullable,
			member->is_key);
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

	/* Names of a map have no NUL. */
	if (shape->has_nul_name)
		return raw(sampling, shape, "Raw JSON: the name of a member has a NUL.");
	memory_list_add(sampling->model->arena, &type.notes,
			"Its names look like data, so it is a map.");
	if (!merge_members(sampling->model->arena, shape, &value))
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

		if (has_nul(member->name))
			continue;
		struct c_type inner =
			convert(sampling, &member->shape,
				c_name_of(sampling->model->arena, member->name, "member"));

		inner.is_nullable = member->shape.nulls > 0;
		c_struct_add(sampling->model, out, member->name, &inner,
			     member->count == shape->objects);
	}
	if (shape->has_nul_name)
		memory_list_add(sampling->model->arena, &out->notes,
				"Left out: a member whose name has a NUL.");
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
		type.notes = inner->notes;
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
				count_types(shape) == 0
					? "All samples are null: use herald_json_schema."
					: "The samples have different types: use "
					  "herald_json_schema.");
	else if (is_struct)
		convert(&sampling, shape, "payload");
	else
		wrap(&sampling, shape, "payload");
}
