/*
 * Schemas that are drawn, not written: structs of every kind in each other. Random values come back
 * from their JSON, in another order of members too; JSON that is damaged is refused, or comes back
 * from what it was decoded to; tables that are damaged are refused, or write to their struct only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/codec.h>
#include <herald/json.h>
#include <herald/json_schema.h>

#include "codec/decode.h"
#include "support/decoding.h"
#include "support/draw.h"
#include "support/every_kind.h"
#include "support/exhausting.h"
#include "support/random_table.h"

/* The longest document. Longer ones say nothing new. */
#define MOST_BYTES ((size_t)64 << 10)

/* A schema that was drawn, and what is needed to use it. */
struct drawn {
	struct every_random random;
	struct herald_arena *tables, *values;
	const struct herald_schema *schema;
	struct herald_codec *codec, *any;
	struct herald_limits limits; /* of both codecs */
	bool refuses;
	unsigned number;
	unsigned round_trips, damaged, accepted, exhausted, refused_tables, accepted_tables;
};

static uint64_t
below(struct drawn *drawn, uint64_t limit)
{
	return every_random_below(&drawn->random, limit);
}

static void
begin_table(struct drawn *drawn)
{
	struct herald_error error;

	herald_arena_reset(drawn->tables);
	drawn->number++;
	drawn->refuses = false;
	drawn->schema = random_table(&drawn->random, drawn->tables, &drawn->refuses);
	drawn->limits = (struct herald_limits){.replace_lone_surrogates = below(drawn, 2)};
	if (herald_codec_create(drawn->schema, &drawn->limits, NULL, &drawn->codec, &error) !=
	    HERALD_OK)
		fail_msg("table %u: %s: %s", drawn->number, error.path, error.message);
	drawn->any = decoding_codec(&herald_json_schema, &drawn->limits);
}

static void
fail_document(const struct drawn *drawn, const char *what, const struct herald_buffer *text,
	      const struct herald_error *error)
{
	struct herald_buffer schema;

	herald_buffer_init(&schema, NULL, 0);
	(void)!herald_schema_json(drawn->schema, NULL, &schema, NULL);
	/* Longer than the messages of cmocka may be. */
	fprintf(stderr, "%.*s\n%.*s\n", (int)schema.bytes, schema.data, (int)text->bytes,
		text->data);
	herald_buffer_finish(&schema);
	fail_msg("table %u: %s: %s: %s", drawn->number, what, error ? error->path : "",
		 error ? error->message : "");
}

static void
append(struct herald_buffer *buffer, const char *text, size_t bytes)
{
	assert_int_equal(herald_buffer_append(buffer, text, bytes), HERALD_OK);
}

/* A random struct of the schema; NULL if one is too large. */
static void *
draw_value(struct drawn *drawn)
{
	void *value;

	herald_arena_reset(drawn->values);
	value = herald_arena_alloc(drawn->values, drawn->schema->bytes);
	assert_non_null(value);
	return every_fill(drawn->schema, &drawn->random, drawn->values, below(drawn, 3), value)
		       ? value
		       : NULL;
}

/* The value is equal after it was encoded and decoded. */
static void
come_back(struct drawn *drawn, const void *value, struct herald_buffer *text)
{
	struct herald_error error = {.path = ""};
	size_t bytes = drawn->schema->bytes;
	void *out = malloc(bytes);

	assert_non_null(out);
	if (herald_codec_encode(drawn->codec, value, text, &error) != HERALD_OK)
		fail_document(drawn, "not encoded", text, &error);
	if (decode_bytes(drawn->codec, text->data, text->bytes, out, bytes, &error) != HERALD_OK)
		fail_document(drawn, "not decoded", text, &error);
	if (!every_equal(drawn->schema, value, out))
		fail_document(drawn, "another value", text, NULL);
	free(out);
	drawn->round_trips++;
}

/* Checks that refuse are asked when encoding if and only if they are when decoding. */
static void
refuse(struct drawn *drawn, const void *value, const struct herald_buffer *text)
{
	struct herald_buffer out;
	enum herald_status encoded, decoded;
	void *place = malloc(drawn->schema->bytes);

	assert_non_null(place);
	herald_buffer_init(&out, NULL, 0);
	drawn->refuses = true;
	encoded = herald_codec_encode(drawn->codec, value, &out, NULL);
	decoded = decode_bytes(drawn->codec, text->data, text->bytes, place, drawn->schema->bytes,
			       NULL);
	drawn->refuses = false;
	if (encoded != decoded || (decoded != HERALD_OK && decoded != HERALD_BAD_VALUE))
		fail_document(drawn, "a check was not asked", text, NULL);
	herald_buffer_finish(&out);
	free(place);
}

#define MOST_MEMBERS 128

/* Append a value with the members of its objects in another order. An object that has two of one
 * name is raw JSON: there, the order counts. */
static void
shuffle(struct drawn *drawn, const struct herald_json *json, struct herald_buffer *out)
{
	struct herald_json_walk walk, members[MOST_MEMBERS];
	bool is_object = herald_json_type_of(json) == HERALD_JSON_OBJECT;
	size_t count = herald_json_count(json);

	if ((!is_object && herald_json_type_of(json) != HERALD_JSON_ARRAY) ||
	    count > MOST_MEMBERS) {
		append(out, json->data, json->bytes);
		return;
	}
	herald_json_walk_init(&walk, json);
	for (size_t i = 0; herald_json_walk_next(&walk); i++) {
		size_t other = is_object ? below(drawn, i + 1) : i;

		for (size_t j = 0; j < i; j++)
			if (is_object && walk.name.bytes == members[j].name.bytes &&
			    memcmp(walk.name.data, members[j].name.data, walk.name.bytes) == 0) {
				append(out, json->data, json->bytes);
				return;
			}
		members[i] = walk;
		members[i] = members[other];
		members[other] = walk;
	}
	append(out, is_object ? "{" : "[", 1);
	for (size_t i = 0; i < count; i++) {
		append(out, ",", i > 0);
		if (is_object) {
			append(out, members[i].name.data, members[i].name.bytes);
			append(out, ":", 1);
		}
		shuffle(drawn, &members[i].value, out);
	}
	append(out, is_object ? "}" : "]", 1);
}

static json_t *
load(const struct drawn *drawn, const struct herald_buffer *text)
{
	const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
	json_t *json = json_loadb(text->data, text->bytes, flags, NULL);

	if (!json)
		fail_document(drawn, "not JSON", text, NULL);
	return json;
}

/* In another order, the members decode to the same. Maps are then in another order, too. */
static void
come_back_shuffled(struct drawn *drawn, const struct herald_buffer *text)
{
	struct herald_json json = {text->data, text->bytes};
	struct herald_buffer shuffled, again;
	struct herald_error error = {.path = ""};
	void *out = malloc(drawn->schema->bytes);
	json_t *one, *other;

	assert_non_null(out);
	herald_buffer_init(&shuffled, NULL, 0);
	herald_buffer_init(&again, NULL, 0);
	shuffle(drawn, &json, &shuffled);
	if (decode_bytes(drawn->codec, shuffled.data, shuffled.bytes, out, drawn->schema->bytes,
			 &error) != HERALD_OK ||
	    herald_codec_encode(drawn->codec, out, &again, &error) != HERALD_OK)
		fail_document(drawn, "in another order", &shuffled, &error);
	one = load(drawn, text);
	other = load(drawn, &again);
	if (!json_equal(one, other)) {
		fprintf(stderr, "%.*s\n%.*s\n", (int)text->bytes, text->data, (int)again.bytes,
			again.data);
		fail_document(drawn, "another value in another order", &shuffled, NULL);
	}
	json_decref(one);
	json_decref(other);
	herald_buffer_finish(&shuffled);
	herald_buffer_finish(&again);
	free(out);
}

/* Change a byte, or a few bytes from one place to another; returns the new length. `text` has room
 * for as much again. */
static size_t
damage(struct drawn *drawn, char *text, size_t bytes)
{
	static const char values[] = "\"\\{}[],:0-et /u9.n\x01\x7F\x80\xC3";
	static const char lone[] = "\\ud83d";
	size_t at = below(drawn, bytes), length = 1 + below(drawn, 12), from;
	const char *quote;

	switch (below(drawn, 6)) {
	case 0: /* cut out */
		length = length < bytes - at ? length : bytes - at;
		memmove(text + at, text + at + length, bytes - at - length);
		return bytes - length;
	case 1: /* insert a copy of others */
		from = below(drawn, bytes);
		length = length < bytes - from ? length : bytes - from;
		memmove(text + at + length, text + at, bytes - at);
		memmove(text + at, text + (from < at ? from : from + length), length);
		return bytes + length;
	case 2: /* half a surrogate pair at the beginning or the end of a string */
		if (!(quote = memchr(text + at, '"', bytes - at)))
			return bytes;
		at = (size_t)(quote - text) + below(drawn, 2);
		memmove(text + at + strlen(lone), text + at, bytes - at);
		memcpy(text + at, lone, strlen(lone));
		return bytes + strlen(lone);
	case 3:
		text[at] = (char)(text[at] ^ (char)(1 << below(drawn, 8)));
		return bytes;
	default:
		text[at] = values[below(drawn, sizeof(values))];
		return bytes;
	}
}

/* What is decoded is JSON, and what is not is refused. What was decoded and can be encoded comes
 * back. */
static void
check_damaged(struct drawn *drawn, char *text, size_t bytes)
{
	const struct herald_buffer shown = {.data = text, .bytes = bytes};
	struct herald_error error = {.path = ""};
	struct herald_buffer first, second;
	struct herald_json json;
	void *out = malloc(drawn->schema->bytes);
	enum herald_status any, status;

	assert_non_null(out);
	any = decode_bytes(drawn->any, text, bytes, &json, sizeof(json), NULL);
	status = decode_bytes(drawn->codec, text, bytes, out, drawn->schema->bytes, &error);
	if (status == HERALD_OK && any != HERALD_OK)
		fail_document(drawn, "decoded, but not JSON", &shown, NULL);
	if ((status == HERALD_BAD_JSON || status == HERALD_BAD_UTF8) && any == HERALD_OK)
		fail_document(drawn, "JSON, but not for the schema", &shown, &error);
	drawn->damaged++;
	herald_buffer_init(&first, NULL, 0);
	herald_buffer_init(&second, NULL, 0);
	if (status == HERALD_OK &&
	    herald_codec_encode(drawn->codec, out, &first, &error) == HERALD_OK) {
		if (decode_bytes(drawn->codec, first.data, first.bytes, out, drawn->schema->bytes,
				 &error) != HERALD_OK ||
		    herald_codec_encode(drawn->codec, out, &second, &error) != HERALD_OK)
			fail_document(drawn, "not encoded again", &first, &error);
		if (first.bytes != second.bytes ||
		    memcmp(first.data, second.data, first.bytes) != 0)
			fail_document(drawn, "encoded as another text", &first, NULL);
		drawn->accepted++;
	} else if (status == HERALD_OK && strstr(error.message, "a value with a name") == NULL) {
		fail_document(drawn, "decoded, but not encoded", &shown, &error);
	}
	herald_buffer_finish(&first);
	herald_buffer_finish(&second);
	free(out);
}

static void
damage_document(struct drawn *drawn, const struct herald_buffer *text)
{
	char *copy = malloc(2 * text->bytes + 100);

	assert_non_null(copy);
	for (size_t i = 0; i < 40; i++) {
		size_t bytes = text->bytes;

		memcpy(copy, text->data, bytes);
		for (uint64_t times = 1 + below(drawn, 2); times > 0 && bytes > 0; times--)
			bytes = damage(drawn, copy, bytes);
		check_damaged(drawn, copy, bytes);
	}
	free(copy);
}

static void
use_value(struct drawn *drawn)
{
	void *value = draw_value(drawn);
	struct herald_buffer text;

	if (!value)
		return;
	herald_buffer_init(&text, NULL, 0);
	come_back(drawn, value, &text);
	if (text.bytes <= MOST_BYTES) {
		refuse(drawn, value, &text);
		come_back_shuffled(drawn, &text);
		damage_document(drawn, &text);
	}
	if (text.bytes < 400) {
		append(&text, "", 1);
		cut_document(drawn->schema, NULL, text.data);
		exhaust_memory(drawn->schema, text.data);
		drawn->exhausted++;
	}
	herald_buffer_finish(&text);
}

/* Another number in a random place of a line or of the schema. */
static void
damage_table(struct drawn *drawn, struct herald_schema *schema, struct herald_field *fields)
{
	struct herald_field *field = &fields[below(drawn, schema->fields_count)];
	size_t *const numbers[] = {&field->offset,       &field->bytes,    &field->has_offset,
				   &field->count_offset, &schema->bytes,   &schema->alignment,
				   &field->min_count,    &field->min_bytes};
	bool *const truths[] = {&field->optional,       &field->required,     &field->quoted,
				&field->numeric,        &field->lenient,      &field->flat,
				&field->nullable,       &schema->transparent, &schema->no_padding,
				&schema->reject_unknown};
	size_t *number;
	bool *truth;

	switch (below(drawn, 5)) {
	case 0:
		field->kind = (enum herald_kind)below(drawn, HERALD_KIND_COUNT + 1);
		break;
	case 1:
		field->element = (enum herald_kind)below(drawn, HERALD_KIND_COUNT + 1);
		break;
	case 2:
		number = numbers[below(drawn, sizeof(numbers) / sizeof(numbers[0]))];
		*number += below(drawn, 2) ? (size_t)8 : (size_t)below(drawn, 33) - 16;
		break;
	case 3:
		field->schema = fields[below(drawn, schema->fields_count)].schema;
		break;
	default:
		truth = truths[below(drawn, sizeof(truths) / sizeof(truths[0]))];
		*truth = !*truth;
		break;
	}
}

/* Decode directly into memory that has as many bytes as the struct, and encode what is there: ASan
 * stops if the codec touches any other byte. */
static void
use_exact_memory(const struct herald_codec *codec, size_t struct_bytes,
		 const struct herald_buffer *text)
{
	char *copy = decoding_place(text->data, text->bytes, false);
	void *place = malloc(struct_bytes);
	struct herald_buffer out;

	assert_non_null(place);
	herald_arena_reset(decoding_arena());
	herald_buffer_init(&out, NULL, 0);
	if (herald__codec_decode_part(codec, copy, text->bytes, decoding_arena(), place,
				      &herald__whole, NULL) == HERALD_OK)
		(void)!herald_codec_encode(codec, place, &out, NULL);
	herald_buffer_finish(&out);
	free(place);
}

/* A damaged table is refused, or what it describes is within the struct. */
static void
use_damaged_table(struct drawn *drawn, const struct herald_buffer *text)
{
	size_t count = drawn->schema->fields_count;
	struct herald_field *fields = malloc(count * sizeof(*fields));
	struct herald_schema schema = *drawn->schema;
	struct herald_codec *codec = NULL;

	assert_non_null(fields);
	memcpy(fields, schema.fields, count * sizeof(*fields));
	schema.fields = fields;
	damage_table(drawn, &schema, fields);
	if (herald_codec_create(&schema, NULL, NULL, &codec, NULL) == HERALD_OK) {
		use_exact_memory(codec, schema.bytes, text);
		drawn->accepted_tables++;
	} else {
		drawn->refused_tables++;
	}
	herald_codec_destroy(codec);
	free(fields);
}

static void
damage_tables(struct drawn *drawn)
{
	void *value = draw_value(drawn);
	struct herald_buffer text;

	herald_buffer_init(&text, NULL, 0);
	if (value && herald_codec_encode(drawn->codec, value, &text, NULL) == HERALD_OK &&
	    text.bytes <= MOST_BYTES)
		for (size_t i = 0; i < 30; i++)
			use_damaged_table(drawn, &text);
	herald_buffer_finish(&text);
}

/* The table can be exported. */
static void
export_table(const struct drawn *drawn)
{
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	if (herald_schema_json(drawn->schema, NULL, &out, &error) != HERALD_OK)
		fail_msg("table %u: %s: %s", drawn->number, error.path, error.message);
	json_decref(load(drawn, &out));
	herald_buffer_finish(&out);
}

static void
tables_are_what_they_say(void **state)
{
	struct drawn drawn = {.random = {draw_seed()}};
	const clock_t end = clock() + (clock_t)(draw_time_ms() * CLOCKS_PER_SEC / 1000);

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)drawn.random.state);
	assert_int_equal(herald_arena_create(NULL, (size_t)8 << 20, &drawn.tables), HERALD_OK);
	assert_int_equal(herald_arena_create(NULL, (size_t)1 << 20, &drawn.values), HERALD_OK);
	do {
		begin_table(&drawn);
		export_table(&drawn);
		for (int i = 0; i < 3; i++)
			use_value(&drawn);
		damage_tables(&drawn);
		herald_codec_destroy(drawn.codec);
		herald_codec_destroy(drawn.any);
	} while (clock() < end);
	print_message("# %u tables, %u values came back, %u of %u damaged documents were accepted, "
		      "%u lacked memory, %u of %u damaged tables were accepted\n",
		      drawn.number, drawn.round_trips, drawn.accepted, drawn.damaged,
		      drawn.exhausted, drawn.accepted_tables,
		      drawn.accepted_tables + drawn.refused_tables);
	herald_arena_destroy(drawn.tables);
	herald_arena_destroy(drawn.values);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_what_they_say),
	};

	return cmocka_run_group_tests_name("random_tables", tests, NULL, decoding_finish);
}
