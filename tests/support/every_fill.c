/*
 * Fills a struct with random values that its schema allows. Shares no code with the codec, so that
 * it can test it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "every_kind.h"
#include "every_schema.h"

/* splitmix64: every start gives a good sequence. */
uint64_t
every_random_next(struct every_random *random)
{
	uint64_t z = random->state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

uint64_t
every_random_below(struct every_random *random, uint64_t limit)
{
	return every_random_next(random) % limit;
}

/* What fills one struct. */
struct filler {
	struct every_random *random;
	struct herald_arena *arena;
	bool failed;
	bool not_null; /* the next transparent struct must have a value */
};

static uint64_t
below(struct filler *filler, uint64_t limit)
{
	return every_random_below(filler->random, limit);
}

/* Zeroed memory; a place to write to, and a failure, when there is none. */
static void *
take(struct filler *filler, size_t bytes)
{
	static char nowhere[1024];
	void *block = herald_arena_alloc(filler->arena, bytes);

	if (block == NULL) {
		filler->failed = true;
		return bytes <= sizeof(nowhere) ? nowhere : NULL;
	}
	memset(block, 0, bytes);
	return block;
}

/* The characters of random strings: of every length in UTF-8, and what needs an escape. */
static const char *const characters[] = {
	"a",
	"Z",
	"0",
	" ",
	"/",
	"~",
	"\"",
	"\\",
	"\b",
	"\f",
	"\n",
	"\r",
	"\t",
	"\x01",
	"\x1F",
	"\x7F",
	"\xC2\x80",
	"\xC3\xA9",
	"\xDF\xBF",
	"\xE0\xA0\x80",
	"\xE2\x82\xAC",
	"\xED\x9F\xBF",
	"\xEE\x80\x80",
	"\xEF\xBF\xBF",
	"\xF0\x90\x80\x80",
	"\xF0\x9F\x98\x80",
	"\xF4\x8F\xBF\xBF",
};

/* A string of `least` to `most` bytes; a NUL is among them when that is allowed. */
static size_t
fill_string(struct filler *filler, size_t least, size_t most, bool nul, char *out)
{
	size_t wanted = least + below(filler, most - least + 1), bytes = 0;
	bool plain = below(filler, 3) == 0;

	while (bytes < wanted) {
		size_t index = below(filler, sizeof(characters) / sizeof(characters[0]));
		const char *character = plain ? "x" : characters[index];
		size_t length = strlen(character);

		if (nul && below(filler, 20) == 0) {
			out[bytes++] = '\0';
		} else if (length <= wanted - bytes) {
			memcpy(out + bytes, character, length);
			bytes += length;
		} else {
			out[bytes++] = '.';
		}
	}
	out[bytes] = '\0';
	return bytes;
}

/* A string as the field allows it, at most `room` bytes. */
static size_t
fill_field_string(struct filler *filler, const struct herald_field *field, size_t room, bool nul,
		  char *out)
{
	size_t most = field->max_bytes != 0 && field->max_bytes < room ? field->max_bytes : room;
	size_t count = 0;

	if (field->one_of == NULL)
		return fill_string(filler, field->min_bytes, most, nul, out);
	while (field->one_of[count] != NULL)
		count++;
	strcpy(out, field->one_of[below(filler, count)]);
	return strlen(out);
}

static double
random_double(struct filler *filler, const struct herald_field *field)
{
	double value;
	uint64_t bits;

	if (field->lower_bound.is_set && field->upper_bound.is_set)
		return (double)field->lower_bound.value +
		       (double)(field->upper_bound.value - field->lower_bound.value) *
			       (double)below(filler, 1001) / 1000;
	do {
		bits = every_random_next(filler->random);
		memcpy(&value, &bits, sizeof(value));
	} while (!isfinite(value));
	return value;
}

static float
random_float(struct filler *filler, const struct herald_field *field)
{
	float value;
	uint32_t bits;

	if (field->lower_bound.is_set && field->upper_bound.is_set)
		return (float)random_double(filler, field);
	do {
		bits = (uint32_t)every_random_next(filler->random);
		memcpy(&value, &bits, sizeof(value));
	} while (!isfinite(value));
	return value;
}

/* A signed integer: often one of the ends. */
static int64_t
random_signed(struct filler *filler, const struct herald_field *field, int64_t min, int64_t max)
{
	if (field->lower_bound.is_set && field->lower_bound.value > (long double)min)
		min = (int64_t)field->lower_bound.value;
	if (field->upper_bound.is_set && field->upper_bound.value < (long double)max)
		max = (int64_t)field->upper_bound.value;
	switch (below(filler, 6)) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		if (max == min)
			return min;
		/* Short ones and long ones. */
		return (int64_t)((uint64_t)min +
				 (every_random_next(filler->random) >> below(filler, 64)) %
					 ((uint64_t)max - (uint64_t)min));
	}
}

static uint64_t
random_unsigned(struct filler *filler, const struct herald_field *field, uint64_t max)
{
	uint64_t min = 0;

	if (field->lower_bound.is_set && field->lower_bound.value > 0)
		min = (uint64_t)field->lower_bound.value;
	if (field->upper_bound.is_set && field->upper_bound.value < (long double)max)
		max = (uint64_t)field->upper_bound.value;
	switch (below(filler, 6)) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		if (max == min)
			return min;
		return min + (every_random_next(filler->random) >> below(filler, 64)) % (max - min);
	}
}

static struct herald_time
random_time(struct filler *filler, bool epoch)
{
	/* A day from both ends, so that no offset leads out of the years 0000 to 9999. */
	int64_t first = INT64_C(-62167219200) + 86400, last = INT64_C(253402300799) - 86400;

	return (struct herald_time){
		.seconds = first + (int64_t)below(filler, (uint64_t)(last - first)),
		.nanoseconds = (int32_t)(below(filler, 2) ? 0 : below(filler, 1000000000)),
		.offset_minutes =
			(int16_t)(epoch || below(filler, 2) ? 0 : (int)below(filler, 2879) - 1439),
	};
}

static struct herald_json
random_json(struct filler *filler)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-1.5e+300",
		"\"\"",
		"\"\\u0000 \\ud800\\udc00\"",
		"[]",
		"{}",
		"[ 1 , [2, {\"a\" : {}}]]",
		"{\"a\":1,\"a\":2}",
		"123456789012345678901234",
	};
	const char *text = texts[below(filler, sizeof(texts) / sizeof(texts[0]))];

	return (struct herald_json){text, strlen(text)};
}

static struct herald_map
random_map(struct filler *filler, const struct herald_field *field)
{
	size_t most = field->max_count != 0 ? field->max_count : 40;
	struct herald_map map = {.count = field->min_count +
					  below(filler, most - field->min_count + 1)};
	struct herald_pair *pairs = herald_arena_alloc(filler->arena, map.count * sizeof(*pairs));

	map.pairs = pairs;
	for (size_t i = 0; pairs != NULL && i < map.count; i++) {
		char *key = take(filler, 64), *value = take(filler, 64);
		/* The number makes it unique; only the first may have none, and be empty. */
		size_t bytes = i > 0 ? (size_t)snprintf(key, 16, "%zu ", i) : 0;

		fill_string(filler, 0, 40, false, key + bytes);
		fill_string(filler, 0, 40, false, value);
		pairs[i] = (struct herald_pair){key, value};
	}
	if (pairs == NULL)
		filler->failed = true;
	/* What begins like another one's number would not be unique. */
	if (map.count > 0 && pairs != NULL && pairs[0].key[0] >= '0' && pairs[0].key[0] <= '9')
		pairs[0].key = "";
	return map;
}

/* A value as decoding would have it: strings by their text alone, the rest by its JSON too. */
static struct herald_json_pair
random_json_pair(struct filler *filler, const char *key, const char *string)
{
	struct herald_json json = random_json(filler);

	switch (*json.data) {
	case '"':
		return (struct herald_json_pair){key, string, {NULL, 0}};
	case 'n':
		return (struct herald_json_pair){key, "", json};
	case '{':
	case '[':
		return (struct herald_json_pair){key, NULL, json};
	default:
		return (struct herald_json_pair){key, json.data, json};
	}
}

/* The keys and strings of a random map, with other values among them. */
static struct herald_json_map
random_json_map(struct filler *filler, const struct herald_field *field)
{
	struct herald_map strings = random_map(filler, field);
	struct herald_json_pair *pairs =
		herald_arena_alloc(filler->arena, strings.count * sizeof(*pairs));

	if (pairs == NULL || strings.pairs == NULL) {
		filler->failed = true;
		return (struct herald_json_map){NULL, 0};
	}
	for (size_t i = 0; i < strings.count; i++)
		pairs[i] = random_json_pair(filler, strings.pairs[i].key, strings.pairs[i].value);
	return (struct herald_json_map){pairs, strings.count};
}

/* A value of a kind that has neither a schema nor a count. */
static void
fill_value(struct filler *filler, const struct herald_field *field, enum herald_kind kind,
	   void *out)
{
	char *string;
	size_t bytes;

	switch (kind) {
	case HERALD_KIND_BOOL:
		*(bool *)out = below(filler, 2) != 0;
		return;
	case HERALD_KIND_INT8:
		*(int8_t *)out = (int8_t)random_signed(filler, field, INT8_MIN, INT8_MAX);
		return;
	case HERALD_KIND_INT16:
		*(int16_t *)out = (int16_t)random_signed(filler, field, INT16_MIN, INT16_MAX);
		return;
	case HERALD_KIND_INT32:
		*(int32_t *)out = (int32_t)random_signed(filler, field, INT32_MIN, INT32_MAX);
		return;
	case HERALD_KIND_INT64:
		*(int64_t *)out = random_signed(filler, field, INT64_MIN, INT64_MAX);
		return;
	case HERALD_KIND_UINT8:
		*(uint8_t *)out = (uint8_t)random_unsigned(filler, field, UINT8_MAX);
		return;
	case HERALD_KIND_UINT16:
		*(uint16_t *)out = (uint16_t)random_unsigned(filler, field, UINT16_MAX);
		return;
	case HERALD_KIND_UINT32:
		*(uint32_t *)out = (uint32_t)random_unsigned(filler, field, UINT32_MAX);
		return;
	case HERALD_KIND_UINT64:
		*(uint64_t *)out = random_unsigned(filler, field, UINT64_MAX);
		return;
	case HERALD_KIND_FLOAT:
		*(float *)out = random_float(filler, field);
		return;
	case HERALD_KIND_DOUBLE:
		do
			*(double *)out = random_double(filler, field);
		while ((field->lower_bound.is_set &&
			*(double *)out < (double)field->lower_bound.value) ||
		       (field->upper_bound.is_set &&
			*(double *)out > (double)field->upper_bound.value));
		return;
	case HERALD_KIND_STRING:
		string = take(filler, 256);
		fill_field_string(filler, field, 200, false, string);
		*(const char **)out = string;
		return;
	case HERALD_KIND_TEXT:
		string = take(filler, 256);
		bytes = fill_field_string(filler, field, 200, true, string);
		*(struct herald_text *)out = (struct herald_text){string, bytes};
		return;
	case HERALD_KIND_CHARS:
		memset(out, 0, field->bytes);
		fill_field_string(filler, field, field->bytes - 1, false, out);
		return;
	case HERALD_KIND_TIME:
		*(struct herald_time *)out = random_time(filler, field->epoch != HERALD_EPOCH_NONE);
		return;
	case HERALD_KIND_JSON:
		do
			*(struct herald_json *)out = random_json(filler);
		while (field->required && field->kind == kind &&
		       strcmp(((struct herald_json *)out)->data, "null") == 0);
		return;
	case HERALD_KIND_MAP:
		*(struct herald_map *)out = random_map(filler, field);
		return;
	case HERALD_KIND_JSON_MAP:
		*(struct herald_json_map *)out = random_json_map(filler, field);
		return;
	case HERALD_KIND_ENUM:
		*(int *)out = field->names[below(filler, field->names_count)].value;
		return;
	default:
		return;
	}
}

static bool
fill_struct(struct filler *filler, const struct herald_schema *schema, size_t depth, char *out);

static void
fill_items(struct filler *filler, const struct herald_field *field, size_t depth, char *items,
	   size_t count)
{
	size_t bytes = every_item_bytes(field);

	for (size_t i = 0; i < count; i++)
		if (field->nullable && below(filler, 3) == 0)
			memset(items + i * bytes, 0, bytes);
		else if (field->schema)
			fill_struct(filler, field->schema, depth, items + i * bytes);
		else
			fill_value(filler, field, field->element, items + i * bytes);
}

/* Give each member of a map another key. */
static void
fill_keys(struct filler *filler, const struct herald_schema *schema, char *items, size_t count)
{
	size_t offset = 0;

	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].kind == HERALD_KIND_KEY)
			offset = schema->fields[i].offset;
	for (size_t i = 0; i < count; i++) {
		char *key = take(filler, 64);

		fill_string(filler, 0, 40, false, key + snprintf(key, 16, "%zu ", i));
		memcpy(items + i * schema->bytes + offset, &key, sizeof(key));
	}
}

static void
fill_list(struct filler *filler, const struct herald_field *field, size_t depth, char *out)
{
	size_t most = field->max_count != 0 ? field->max_count : 9;
	size_t count = field->min_count + below(filler, most - field->min_count + 1);
	size_t bytes = every_item_bytes(field);
	char *items = herald_arena_alloc(filler->arena, count * bytes);

	if (items == NULL) {
		filler->failed = true;
		return;
	}
	memset(items, 0, count * bytes);
	fill_items(filler, field, depth > 0 ? depth - 1 : 0, items, count);
	if (field->kind == HERALD_KIND_STRUCT_MAP)
		fill_keys(filler, field->schema, items, count);
	memcpy(out + field->offset, &items, sizeof(items));
	memcpy(out + field->count_offset, &count, sizeof(count));
}

static void
fill_pointer(struct filler *filler, const struct herald_field *field, size_t depth, char *out)
{
	char *target = herald_arena_alloc(filler->arena, field->schema->bytes);

	if (target == NULL) {
		filler->failed = true;
		return;
	}
	filler->not_null = true;
	fill_struct(filler, field->schema, depth > 0 ? depth - 1 : 0, target);
	memcpy(out + field->offset, &target, sizeof(target));
}

static bool
may_be_absent(enum herald_kind kind)
{
	return kind == HERALD_KIND_STRING || kind == HERALD_KIND_TEXT || kind == HERALD_KIND_JSON ||
	       kind == HERALD_KIND_MAP || kind == HERALD_KIND_JSON_MAP ||
	       kind == HERALD_KIND_POINTER || kind == HERALD_KIND_LIST ||
	       kind == HERALD_KIND_VALUES || kind == HERALD_KIND_STRUCT_MAP;
}

static void
fill_field(struct filler *filler, const struct herald_field *field, bool not_null, size_t depth,
	   char *out)
{
	bool inner = field->kind == HERALD_KIND_POINTER || field->kind == HERALD_KIND_LIST ||
		     field->kind == HERALD_KIND_STRUCT_MAP;

	if (!field->required && !not_null &&
	    ((inner && depth == 0) ||
	     ((field->optional || may_be_absent(field->kind)) && below(filler, 4) == 0)))
		return;
	if (field->optional)
		out[field->has_offset] = true;
	if (field->kind == HERALD_KIND_STRUCT) {
		filler->not_null = not_null || field->required;
		fill_struct(filler, field->schema, depth, out + field->offset);
	} else if (field->kind == HERALD_KIND_POINTER)
		fill_pointer(filler, field, depth, out);
	else if (field->kind == HERALD_KIND_ARRAY)
		fill_items(filler, field, depth, out + field->offset,
			   field->bytes / every_item_bytes(field));
	else if (field->kind == HERALD_KIND_LIST || field->kind == HERALD_KIND_VALUES ||
		 field->kind == HERALD_KIND_STRUCT_MAP)
		fill_list(filler, field, depth, out);
	else
		fill_value(filler, field, field->kind, out + field->offset);
}

static void
set_tag(const struct herald_field *tag, const char *value, char *out)
{
	struct herald_text text = {value, strlen(value)};

	if (tag->kind == HERALD_KIND_STRING)
		memcpy(out + tag->offset, &value, sizeof(value));
	else if (tag->kind == HERALD_KIND_TEXT)
		memcpy(out + tag->offset, &text, sizeof(text));
	else
		strncpy(out + tag->offset, value, tag->bytes); /* and zeros after it */
}

/* Give a tag that is a string the value of one of the lines. If it may have others, it sometimes
 * stays as it is. */
static void
fill_tag(struct filler *filler, const struct herald_schema *schema, char *out)
{
	const struct herald_field *line = NULL, *tag = NULL;
	size_t lines = 0;
	bool is_open = false;

	for (size_t i = 0; i < schema->fields_count; i++) {
		const struct herald_field *field = &schema->fields[i];

		if (field->tag == NULL)
			continue;
		tag = every_tag_of(schema, field->tag);
		is_open |= field->when == NULL || tag->one_of != NULL;
		if (field->when != NULL && below(filler, ++lines) == 0)
			line = field;
	}
	if (line != NULL && tag->kind != HERALD_KIND_ENUM && (!is_open || below(filler, 2)))
		set_tag(tag, line->when, out);
}

static bool
fill_struct(struct filler *filler, const struct herald_schema *schema, size_t depth, char *out)
{
	bool not_null = filler->not_null && schema->transparent;

	filler->not_null = false;
	memset(out, 0, schema->bytes);
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].tag == NULL)
			fill_field(filler, &schema->fields[i], not_null, depth, out);
	fill_tag(filler, schema, out);
	for (size_t i = 0; i < schema->fields_count; i++)
		if (schema->fields[i].tag != NULL && every_counts(schema, &schema->fields[i], out))
			fill_field(filler, &schema->fields[i], not_null, depth, out);
	every_meet_check(schema, out);
	return !filler->failed;
}

bool
every_fill(const struct herald_schema *schema, struct every_random *random,
	   struct herald_arena *arena, size_t depth, void *out)
{
	struct filler filler = {.random = random, .arena = arena};

	return fill_struct(&filler, schema, depth, out);
}
