/*
 * Draws schemas. A struct is laid out as a compiler would do it: each member at the next offset
 * that suits its type.
 */
#include "random_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/check.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* Of a struct, with its variants' fields. Most structs have far fewer. */
#define MOST_FIELDS 64

/* Structs in each other: what is drawn, and the structs that it is in. */
#define MOST_NESTED 4

/* What draws a schema and those that it refers to. */
struct drawer {
	struct every_random *random;
	struct herald_arena *arena;
	const bool *refuses;
	const struct table *open[MOST_NESTED]; /* those that are being drawn */
	size_t open_count;
	unsigned names; /* how many names there are */
};

/* What a schema is used for. */
enum use { USE_ANY, USE_FLAT, USE_MAP };

/* A struct that is being drawn. */
struct table {
	struct drawer *drawer;
	struct herald_schema *schema;
	struct herald_field *fields;
	size_t count, bytes, alignment;
	enum use use;
};

static uint64_t
below(struct drawer *drawer, uint64_t limit)
{
	return every_random_below(drawer->random, limit);
}

static bool
one_in(struct drawer *drawer, uint64_t count)
{
	return below(drawer, count) == 0;
}

/* Zeroed memory. */
static void *
take(struct drawer *drawer, size_t bytes)
{
	void *block = herald_arena_alloc(drawer->arena, bytes);

	if (!block)
		abort();
	return memset(block, 0, bytes);
}

/* A name that no other member and no other struct has. */
static const char *
draw_name(struct drawer *drawer)
{
	char *name = take(drawer, 16);

	snprintf(name, 16, "m%u", drawer->names++);
	return name;
}

/* A key with special characters, of many lengths, or none: then it is the name in C. */
static const char *
draw_key(struct drawer *drawer)
{
	static const char *const beginnings[] = {
		"a", "\"", "\\/", "\xC3\xA9", "\xF0\x9F\x98\x80\n", "~1", " ", "aaaaaaaa", "\x01",
	};
	const size_t room = 160;
	char *key;
	size_t bytes = 0;

	if (!one_in(drawer, 4))
		return NULL;
	key = take(drawer, room);
	for (size_t i = below(drawer, one_in(drawer, 8) ? 12 : 3); i > 0; i--) {
		strcpy(key + bytes, beginnings[below(drawer, COUNT(beginnings))]);
		bytes += strlen(key + bytes);
	}
	snprintf(key + bytes, room - bytes, "%u", drawer->names++);
	return key;
}

/* Add a line that is not for the JSON: for bytes that would be padding. */
static void
add_padding(struct table *table, size_t offset, size_t bytes)
{
	table->fields[table->count++] = (struct herald_field){
		.owner = table->schema->name,
		.name = draw_name(table->drawer),
		.offset = offset,
		.bytes = bytes,
	};
}

/* The next offset for a member. */
static size_t
place(struct table *table, size_t bytes, size_t alignment)
{
	size_t gap = (alignment - table->bytes % alignment) % alignment, offset;

	if (gap > 0 && table->schema->no_padding)
		add_padding(table, table->bytes, gap);
	offset = table->bytes + gap;
	table->bytes = offset + bytes;
	if (alignment > table->alignment)
		table->alignment = alignment;
	return offset;
}

/* Size and alignment of a value in memory. */
struct size {
	size_t bytes, alignment;
};

#define SIZE_OF(TYPE)                                                                              \
	(struct size)                                                                              \
	{                                                                                          \
		sizeof(TYPE), _Alignof(TYPE)                                                       \
	}

static struct size
size_of(enum herald_kind kind)
{
	switch (kind) {
	case HERALD_KIND_BOOL:
		return SIZE_OF(bool);
	case HERALD_KIND_INT8:
	case HERALD_KIND_UINT8:
		return SIZE_OF(int8_t);
	case HERALD_KIND_INT16:
	case HERALD_KIND_UINT16:
		return SIZE_OF(int16_t);
	case HERALD_KIND_INT32:
	case HERALD_KIND_UINT32:
		return SIZE_OF(int32_t);
	case HERALD_KIND_INT64:
	case HERALD_KIND_UINT64:
		return SIZE_OF(int64_t);
	case HERALD_KIND_FLOAT:
		return SIZE_OF(float);
	case HERALD_KIND_DOUBLE:
		return SIZE_OF(double);
	case HERALD_KIND_ENUM:
		return SIZE_OF(int);
	case HERALD_KIND_TEXT:
		return SIZE_OF(struct herald_text);
	case HERALD_KIND_TIME:
		return SIZE_OF(struct herald_time);
	case HERALD_KIND_JSON:
		return SIZE_OF(struct herald_json);
	case HERALD_KIND_MAP:
		return SIZE_OF(struct herald_map);
	case HERALD_KIND_JSON_MAP:
		return SIZE_OF(struct herald_json_map);
	default:
		return SIZE_OF(void *);
	}
}

static struct herald_bound
bound(int value)
{
	return (struct herald_bound){.is_set = true, .value = value};
}

/* Bounds of a number. A float has both or none, because every_fill() would not find others. */
static void
draw_bounds(struct drawer *drawer, struct herald_field *field, enum herald_kind kind)
{
	bool is_unsigned = kind >= HERALD_KIND_UINT8 && kind <= HERALD_KIND_UINT64;
	bool is_float = kind == HERALD_KIND_FLOAT;
	int least = is_unsigned ? (int)below(drawer, 5) : -(int)below(drawer, 129);

	if (!one_in(drawer, 3))
		return;
	if (is_float || !one_in(drawer, 3))
		field->lower_bound = bound(least);
	if (is_float || !one_in(drawer, 3))
		field->upper_bound = bound(least < 0 ? (int)below(drawer, 128) : least + 9);
}

static void
draw_number(struct drawer *drawer, struct herald_field *field, enum herald_kind kind)
{
	bool is_real = kind == HERALD_KIND_FLOAT || kind == HERALD_KIND_DOUBLE;

	draw_bounds(drawer, field, kind);
	field->quoted = one_in(drawer, 6);
	field->lenient = (field->quoted || !is_real) && one_in(drawer, 4);
}

static void
draw_string(struct drawer *drawer, struct herald_field *field, enum herald_kind kind)
{
	static const char *const values[] = {"", "a", "\"\\", "\xC3\xA9", NULL};
	size_t most = kind == HERALD_KIND_CHARS ? field->bytes - 1 : 200;

	if (most >= 2 && one_in(drawer, 6)) {
		field->one_of = values + below(drawer, COUNT(values) - 1);
		return;
	}
	if (most > 0 && one_in(drawer, 4))
		field->max_bytes = 1 + below(drawer, most);
	if (one_in(drawer, 4))
		field->min_bytes =
			below(drawer, 1 + (field->max_bytes > 0 ? field->max_bytes : most / 2));
}

static void
draw_enum(struct drawer *drawer, struct herald_field *field)
{
	static const struct herald_name names[] = {
		{"", 1}, {"zero", 0}, {"\"minus\"", -7}, {"one", 1}, {"large", 2000000000},
	};
	size_t first = below(drawer, COUNT(names));

	field->names = names + first;
	field->names_count = 1 + below(drawer, COUNT(names) - first);
	field->numeric = one_in(drawer, 4);
	field->quoted = field->numeric && one_in(drawer, 3);
	field->lenient = field->quoted && one_in(drawer, 2);
	if (one_in(drawer, 4))
		field->unknown = (struct herald_unknown){
			.is_set = true,
			.value = one_in(drawer, 2) ? 77 : field->names->value,
		};
}

/* Options of a value of a kind without a schema, or of the elements of a list. */
static void
draw_options(struct drawer *drawer, struct herald_field *field, enum herald_kind kind)
{
	if (kind >= HERALD_KIND_INT8 && kind <= HERALD_KIND_DOUBLE) {
		draw_number(drawer, field, kind);
	} else if (kind == HERALD_KIND_ENUM) {
		draw_enum(drawer, field);
	} else if (kind == HERALD_KIND_BOOL) {
		field->numeric = one_in(drawer, 4);
		field->quoted = field->numeric && one_in(drawer, 3);
		field->lenient = one_in(drawer, 4);
	} else if (kind == HERALD_KIND_TIME) {
		field->epoch = (enum herald_epoch)below(drawer, 3);
		field->quoted = field->epoch != HERALD_EPOCH_NONE && one_in(drawer, 3);
		field->lenient = one_in(drawer, 4);
	} else if (kind >= HERALD_KIND_STRING && kind <= HERALD_KIND_CHARS) {
		draw_string(drawer, field, kind);
	}
}

static void
draw_counts(struct drawer *drawer, struct herald_field *field)
{
	if (one_in(drawer, 4))
		field->min_count = 1 + below(drawer, 2);
	if (one_in(drawer, 4))
		field->max_count = field->min_count + 1 + below(drawer, 4);
}

/* A line, with a key of its own or not. Where its value is, is drawn later. */
static struct herald_field *
add_field(struct table *table, enum herald_kind kind)
{
	struct herald_field *field = &table->fields[table->count++];

	*field = (struct herald_field){
		.owner = table->schema->name,
		.name = draw_name(table->drawer),
		.key = draw_key(table->drawer),
		.doc = one_in(table->drawer, 9) ? "says \"what\" it is" : NULL,
		.kind = kind,
		.required = one_in(table->drawer, 5),
	};
	return field;
}

/* Find places for a line's value and what belongs to it. In a union, at `offset`. */
static void
put(struct table *table, struct herald_field *field, struct size size)
{
	bool has_first = field->optional && one_in(table->drawer, 2);

	field->bytes = size.bytes;
	if (has_first)
		field->has_offset = place(table, sizeof(bool), 1);
	field->offset = place(table, size.bytes, size.alignment);
	if (field->optional && !has_first)
		field->has_offset = place(table, sizeof(bool), 1);
	if (field->kind == HERALD_KIND_LIST || field->kind == HERALD_KIND_VALUES ||
	    field->kind == HERALD_KIND_STRUCT_MAP)
		field->count_offset = place(table, sizeof(size_t), _Alignof(size_t));
}

static struct size
struct_size(const struct herald_schema *schema)
{
	return (struct size){schema->bytes, schema->alignment};
}

static const struct herald_schema *draw_schema(struct drawer *drawer, enum use use);

/* Options of a kind of a value without a schema; its size. */
static struct size
draw_scalar(struct table *table, struct herald_field *field)
{
	struct drawer *drawer = table->drawer;
	struct size size = size_of(field->kind);

	if (field->kind == HERALD_KIND_CHARS)
		size = (struct size){1 + below(drawer, 24), 1};
	field->bytes = size.bytes;
	field->optional = !field->required && one_in(drawer, 4);
	draw_options(drawer, field, field->kind);
	if (field->kind == HERALD_KIND_MAP || field->kind == HERALD_KIND_JSON_MAP)
		draw_counts(drawer, field);
	return size;
}

static enum herald_kind
draw_element(struct drawer *drawer)
{
	enum herald_kind kind = HERALD_KIND_BOOL + (enum herald_kind)below(drawer, 19);

	return kind == HERALD_KIND_CHARS                                 ? HERALD_KIND_INT64
	       : kind == HERALD_KIND_MAP || kind == HERALD_KIND_JSON_MAP ? HERALD_KIND_STRING
									 : kind;
}

static void
draw_nullable(struct drawer *drawer, struct herald_field *field)
{
	field->nullable =
		(field->element == HERALD_KIND_STRING || field->element == HERALD_KIND_TEXT) &&
		one_in(drawer, 2);
}

/* An array in the struct. */
static struct size
draw_array(struct table *table, struct herald_field *field)
{
	struct drawer *drawer = table->drawer;
	struct size size;

	field->optional = !field->required && one_in(drawer, 4);
	if (drawer->open_count < MOST_NESTED && one_in(drawer, 3)) {
		field->element = HERALD_KIND_STRUCT;
		field->schema = draw_schema(drawer, USE_ANY);
		size = struct_size(field->schema);
	} else {
		field->element = draw_element(drawer);
		draw_options(drawer, field, field->element);
		draw_nullable(drawer, field);
		size = size_of(field->element);
	}
	size.bytes *= 1 + below(drawer, 4);
	return size;
}

/*
 * A schema for a pointer or a list: a new one, or one that this struct is in. NULL: there is none.
 * A schema with a key is for maps only, and something transparent could have no end.
 */
static const struct herald_schema *
draw_target(struct table *table)
{
	struct drawer *drawer = table->drawer;
	const struct table *open = drawer->open[below(drawer, drawer->open_count)];

	if (drawer->open_count < MOST_NESTED && !one_in(drawer, 4))
		return draw_schema(drawer, USE_ANY);
	return table->schema->transparent || open->schema->transparent || open->use == USE_MAP
		       ? NULL
		       : open->schema;
}

/* Draw a line's kind and options; returns the size of its value. */
static struct size
draw_line(struct table *table, struct herald_field *field)
{
	struct drawer *drawer = table->drawer;
	bool is_deep = drawer->open_count >= MOST_NESTED;

	switch (field->kind) {
	case HERALD_KIND_STRUCT:
		if (is_deep)
			break;
		field->schema = draw_schema(drawer, USE_ANY);
		field->optional =
			!field->required && !field->schema->transparent && one_in(drawer, 3);
		return struct_size(field->schema);
	case HERALD_KIND_POINTER:
	case HERALD_KIND_LIST:
		if (!(field->schema = draw_target(table)))
			break;
		/* What contains itself is finite. */
		field->required &= field->schema->bytes > 0;
		if (field->kind == HERALD_KIND_LIST)
			draw_counts(drawer, field);
		return size_of(field->kind);
	case HERALD_KIND_STRUCT_MAP:
		if (is_deep)
			break;
		field->schema = draw_schema(drawer, USE_MAP);
		draw_counts(drawer, field);
		return size_of(field->kind);
	case HERALD_KIND_VALUES:
		field->element = draw_element(drawer);
		draw_options(drawer, field, field->element);
		draw_nullable(drawer, field);
		draw_counts(drawer, field);
		return size_of(field->kind);
	case HERALD_KIND_ARRAY:
		return draw_array(table, field);
	default:
		return draw_scalar(table, field);
	}
	field->kind = HERALD_KIND_INT64;
	field->schema = NULL;
	return draw_scalar(table, field);
}

static enum herald_kind
draw_kind(struct drawer *drawer)
{
	static const enum herald_kind structs[] = {
		HERALD_KIND_STRUCT, HERALD_KIND_POINTER, HERALD_KIND_LIST,
		HERALD_KIND_VALUES, HERALD_KIND_ARRAY,   HERALD_KIND_STRUCT_MAP,
	};

	if (one_in(drawer, 2))
		return structs[below(drawer, COUNT(structs))];
	return HERALD_KIND_BOOL + (enum herald_kind)below(drawer, 19);
}

/* A struct whose members are in this object. */
static struct herald_field *
add_flat(struct table *table)
{
	struct herald_field *field = add_field(table, HERALD_KIND_STRUCT);

	field->key = NULL;
	field->required = false;
	field->flat = true;
	field->schema = draw_schema(table->drawer, USE_FLAT);
	return field;
}

/* Returns false for a member that is not in the JSON. */
static bool
draw_member(struct table *table)
{
	struct drawer *drawer = table->drawer;
	struct herald_field *field;

	if (one_in(drawer, 20)) {
		size_t offset = place(table, 3, 1);

		add_padding(table, offset, 3);
		return false;
	}
	if (!table->schema->transparent && drawer->open_count < MOST_NESTED && one_in(drawer, 15)) {
		field = add_flat(table);
		put(table, field, struct_size(field->schema));
		return true;
	}
	field = add_field(table, draw_kind(drawer));
	/* The null of a transparent schema would be raw JSON, or nothing. */
	if (table->schema->transparent && field->kind == HERALD_KIND_JSON)
		field->kind = HERALD_KIND_TEXT;
	put(table, field, draw_line(table, field));
	return true;
}

/* The values of tags, and the names of enums that are. */
static const struct herald_name tags[] = {
	{"a", 3},
	{"", 0},
	{"b\"\n", -1},
	{"\xC3\xA9", 7},
	{"circle", 1},
	{"aa", 1000},
	{"circle_of_stone_and", 2},
};

/* The line that decides about the lines of variants. */
static const struct herald_field *
add_tag(struct table *table)
{
	static const enum herald_kind kinds[] = {HERALD_KIND_STRING, HERALD_KIND_TEXT,
						 HERALD_KIND_CHARS, HERALD_KIND_ENUM};
	static const char *const values[] = {
		"a", "", "b\"\n", "\xC3\xA9", "circle", "aa", "circle_of_stone_and", "more", NULL};
	struct drawer *drawer = table->drawer;
	struct herald_field *tag = add_field(table, kinds[below(drawer, COUNT(kinds))]);
	struct size size = size_of(tag->kind);

	tag->required = true;
	if (tag->kind == HERALD_KIND_CHARS)
		size = (struct size){20 + below(drawer, 20), 1};
	if (tag->kind == HERALD_KIND_ENUM) {
		tag->names = tags;
		tag->names_count = COUNT(tags);
		tag->numeric = one_in(drawer, 3);
		if (one_in(drawer, 4))
			tag->unknown = (struct herald_unknown){.is_set = true, .value = 77};
	} else if (one_in(drawer, 3)) {
		tag->one_of = values;
	}
	put(table, tag, size);
	return tag;
}

/* How a variant has its values. */
enum form { FORM_UNION, FORM_FLAT, FORM_POINTER, FORMS };

/* A line of a variant, whose value begins at `begin`; returns its end. */
static size_t
add_case(struct table *table, const struct herald_field *tag, const char *when, enum form form,
	 size_t begin, const char *key)
{
	struct drawer *drawer = table->drawer;
	struct table inner = *table;
	struct herald_field *field;
	struct size size;

	if (form == FORM_FLAT) {
		field = add_flat(table);
		size = struct_size(field->schema);
	} else if (form == FORM_POINTER) {
		field = add_field(table, HERALD_KIND_POINTER);
		field->schema = draw_schema(drawer, USE_ANY);
		size = size_of(HERALD_KIND_POINTER);
		field->required = false;
	} else {
		field = add_field(table, draw_kind(drawer));
		size = draw_line(table, field);
	}
	if (form != FORM_FLAT)
		field->key = key;
	field->tag = tag->name;
	field->when = when;
	/* Laid out as a struct in the union, which begins as every type may. */
	inner.bytes = begin;
	put(&inner, field, size);
	return inner.bytes;
}

static void
add_variant(struct table *table, const struct herald_field *tag)
{
	struct drawer *drawer = table->drawer;
	enum form form = (enum form)below(drawer, FORMS);
	size_t begin = place(table, 0, _Alignof(void *)), end = begin, cases = 0;
	const char *key = draw_name(drawer);

	if (drawer->open_count >= MOST_NESTED)
		form = FORM_UNION;
	for (size_t i = 0; i <= COUNT(tags); i++) {
		/* At last, all other values. */
		const char *when = i < COUNT(tags) ? tags[i].name : NULL;
		size_t case_end;

		if (!one_in(drawer, 2) && (i < COUNT(tags) || cases > 0))
			continue;
		case_end = add_case(table, tag, when, form, begin, key);
		end = case_end > end ? case_end : end;
		cases++;
	}
	table->bytes = end;
	(void)place(table, 0, _Alignof(void *));
}

/* A tag and the lines that it decides about, before which or after which it may be. */
static void
add_tagged(struct table *table)
{
	struct drawer *drawer = table->drawer;
	const struct herald_field *tag = add_tag(table);
	struct herald_field *first = &table->fields[table->count - 1], copy = *tag;

	for (size_t i = 1 + below(drawer, 2); i > 0; i--)
		add_variant(table, tag);
	if (!one_in(drawer, 3))
		return;
	memmove(first, first + 1,
		(size_t)(&table->fields[table->count - 1] - first) * sizeof(*first));
	table->fields[table->count - 1] = copy;
}

/* The members of a struct, as many as it may have. */
static void
draw_members(struct table *table)
{
	struct drawer *drawer = table->drawer;
	struct herald_schema *schema = table->schema;
	size_t members = 1 + below(drawer, drawer->open_count > 2 ? 4 : 9);

	if (schema->transparent) {
		while (!draw_member(table)) {
		}
		return;
	}
	for (size_t i = 0; i < members; i++)
		(void)draw_member(table);
	if (table->use != USE_FLAT && !schema->no_padding && one_in(drawer, 3))
		add_tagged(table);
}

/* Whether the checks allow a struct: all of them or none. */
static bool
is_allowed(const void *value, const void *state, struct herald_refusal *refusal)
{
	(void)value;
	return !*(const bool *)state || herald_refuse(refusal, "none", "nothing is allowed");
}

static void
add_check(struct drawer *drawer, struct herald_schema *schema)
{
	struct herald_check *check = take(drawer, sizeof(*check));

	*check = (struct herald_check){
		.mark = HERALD_CHECK_MARK,
		.owner = schema->name,
		.function = is_allowed,
		.state = drawer->refuses,
	};
	schema->check = check;
}

/* Round the size up, and enter all into the schema. */
static void
finish(struct table *table)
{
	struct herald_schema *schema = table->schema;
	size_t bytes = (table->bytes + table->alignment - 1) / table->alignment * table->alignment;

	if (bytes > table->bytes && schema->no_padding)
		add_padding(table, table->bytes, bytes - table->bytes);
	schema->bytes = bytes;
	schema->alignment = table->alignment;
	schema->fields = table->fields;
	schema->fields_count = table->count;
	if (table->count > MOST_FIELDS)
		abort();
}

static const struct herald_schema *
draw_schema(struct drawer *drawer, enum use use)
{
	struct herald_schema *schema = take(drawer, sizeof(*schema));
	struct table table = {
		.drawer = drawer,
		.schema = schema,
		.fields = take(drawer, MOST_FIELDS * sizeof(*table.fields)),
		.alignment = 1,
		.use = use,
	};

	schema->name = draw_name(drawer);
	schema->transparent = use != USE_FLAT && one_in(drawer, 5);
	schema->reject_unknown = !schema->transparent && one_in(drawer, 4);
	schema->no_padding = one_in(drawer, 6);
	schema->doc = one_in(drawer, 9) ? "a struct" : NULL;
	if (one_in(drawer, 5))
		add_check(drawer, schema);
	drawer->open[drawer->open_count++] = &table;
	if (use == USE_MAP) {
		struct herald_field *key = add_field(&table, HERALD_KIND_KEY);

		key->key = NULL;
		key->required = false;
		put(&table, key, size_of(HERALD_KIND_KEY));
	}
	draw_members(&table);
	drawer->open_count--;
	finish(&table);
	return schema;
}

const struct herald_schema *
random_table(struct every_random *random, struct herald_arena *arena, const bool *refuses)
{
	struct drawer drawer = {.random = random, .arena = arena, .refuses = refuses};

	return draw_schema(&drawer, USE_ANY);
}
