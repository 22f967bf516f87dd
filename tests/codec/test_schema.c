/*
 * The checks of a schema as a whole when a codec is created: what is refused, with the path of the
 * member in C; members that were left out at any place; and what is not refused. Its lines are in
 * test_schema_fields.c. Code that must not compile is in misuse/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/message.h>

#include "codec/schema_box.h"
#include "support/failing_allocator.h"

/* What is said of a gap in a struct: before the member, or behind it. */
#define NO_FIELD                                                                                   \
	" member of the struct has no field; use HERALD_PRIVATE for members that are not in JSON"
#define EARLIER "an earlier" NO_FIELD
#define LATER "a later" NO_FIELD

static void
test_bad_schemas(void **state)
{
	static const struct {
		const char *name;
		struct herald_schema schema;
		const char *path, *message;
	} cases[] = {
		{"all zero", {.name = NULL}, "?", "the schema needs a name, a size and fields"},
		{"no name",
		 {.bytes = sizeof(struct box),
		  .alignment = 8,
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "?",
		 "the schema needs a name, a size and fields"},
		{"no size",
		 {.name = "box", .alignment = 8, .fields = box_fields, .fields_count = FIELDS},
		 "box",
		 "the schema needs a name, a size and fields"},
		{"no fields",
		 {.name = "box", .bytes = sizeof(struct box), .alignment = 8},
		 "box",
		 "the schema needs a name, a size and fields"},
		{"no fields",
		 {.name = "box", .bytes = sizeof(struct box), .alignment = 8, .fields = box_fields},
		 "box",
		 "the schema needs a name, a size and fields"},
		{"endless fields",
		 {.name = "box",
		  .bytes = sizeof(struct box),
		  .alignment = 8,
		  .fields = box_fields,
		  .fields_count = SIZE_MAX},
		 "box",
		 "the schema has too many fields"},
		{"no alignment",
		 {.name = "box",
		  .bytes = sizeof(struct box),
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "box",
		 "the schema's alignment does not match its struct"},
		{"not an alignment",
		 {.name = "box",
		  .bytes = sizeof(struct box),
		  .alignment = 3,
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "box",
		 "the schema's alignment does not match its struct"},
		{"a size that is not a multiple",
		 {.name = "box",
		  .bytes = sizeof(struct box) - 4,
		  .alignment = 8,
		  .fields = box_fields,
		  .fields_count = FIELDS},
		 "box",
		 "the schema's alignment does not match its struct"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect_bad(&cases[i].schema, cases[i].path, cases[i].message, cases[i].name);
}

/* Each field left out in turn: a gap, and where it is. */
static void
test_every_member_left_out(void **state)
{
	(void)state;
	for (size_t left_out = 0; left_out < FIELDS; left_out++) {
		struct herald_field fields[FIELDS];
		struct herald_schema schema = box_schema;
		struct herald_codec *codec = NULL;
		struct herald_error error;

		memcpy(fields, box_fields, left_out * sizeof(*fields));
		memcpy(fields + left_out, box_fields + left_out + 1,
		       (FIELDS - 1 - left_out) * sizeof(*fields));
		schema.fields = fields;
		schema.fields_count = FIELDS - 1;
		/* An int or two bools before a double leave no more than alignment would. */
		if (left_out == CHOICE || left_out == MAYBE)
			continue;
		if (herald_codec_create(&schema, NULL, NULL, &codec, &error) == HERALD_OK)
			fail_msg("%s left out, and accepted", box_fields[left_out].name);
		assert_int_equal(error.status, HERALD_BAD_SCHEMA);
		/* It names the member behind the gap, or before it at the end. */
		if (left_out < FIELDS - 1)
			assert_string_equal(strchr(error.path, '.') + 1,
					    box_fields[left_out + 1].name);
		else
			assert_string_equal(strchr(error.path, '.') + 1,
					    box_fields[left_out - 1].name);
	}
}

/* The same by the macros: at the beginning, in the middle, at the end; a count, a has_. */
struct order {
	const char *id;
	int64_t cents;
	const struct every_leaf *lines;
	size_t lines_count;
	double weight;
	void *own;
};

HERALD_SCHEMA_WITH(order, (.doc = "All of it."),
	HERALD_FIELD(order, id),
	HERALD_FIELD(order, cents),
	HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight),
	HERALD_PRIVATE(order, own));

/* The macros' lines say their struct too. */
static void
test_owners_of_macros(void **state)
{
	const struct herald_schema *const schemas[] = {&every_leaf_schema, &order_schema,
						       &herald_message_schema, every_kind_table};

	(void)state;
	for (size_t i = 0; i < COUNT(schemas); i++)
		for (size_t j = 0; j < schemas[i]->fields_count; j++)
			assert_string_equal(schemas[i]->fields[j].owner, schemas[i]->name);
}

#define WITHOUT(NAME, ...)                                                                         \
	static const union herald_lines_of_struct_order NAME##_fields[] = {__VA_ARGS__};           \
	static const struct herald_schema NAME = {.name = "order",                                 \
						  .bytes = sizeof(struct order),                   \
						  .alignment = _Alignof(struct order),             \
						  .fields =                                        \
							  &NAME##_fields[0].line_of_struct_order,  \
						  .fields_count = COUNT(NAME##_fields)}

WITHOUT(without_id, HERALD_FIELD(order, cents), HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));
WITHOUT(without_cents, HERALD_FIELD(order, id), HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));
WITHOUT(without_lines, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));
WITHOUT(without_weight, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_LIST(order, lines, every_leaf), HERALD_PRIVATE(order, own));
WITHOUT(without_own, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_LIST(order, lines, every_leaf), HERALD_FIELD(order, weight));
WITHOUT(without_count, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_POINTER(order, lines, every_leaf), HERALD_FIELD(order, weight),
	HERALD_PRIVATE(order, own));
WITHOUT(in_any_order, HERALD_PRIVATE(order, own), HERALD_FIELD(order, weight),
	HERALD_LIST(order, lines, every_leaf), HERALD_FIELD(order, cents), HERALD_FIELD(order, id));
WITHOUT(one_twice, HERALD_FIELD(order, id), HERALD_FIELD(order, cents),
	HERALD_FIELD(order, cents, .key = "more"), HERALD_LIST(order, lines, every_leaf),
	HERALD_FIELD(order, weight), HERALD_PRIVATE(order, own));

static void
test_members_left_out(void **state)
{
	(void)state;
	expect_good(&order_schema);
	expect_good(&in_any_order);
	expect_bad(&without_id, "order.cents", EARLIER, "without id");
	expect_bad(&without_cents, "order.lines", EARLIER, "without cents");
	expect_bad(&without_lines, "order.weight", EARLIER, "without lines");
	expect_bad(&without_weight, "order.own", EARLIER, "without weight");
	expect_bad(&without_own, "order.weight", LATER, "without own");
	expect_bad(&without_count, "order.weight", EARLIER, "without lines_count");
	expect_bad(&one_twice, "order.cents", "the member overlaps another one", "cents twice");
}

/* Padding is not a member that was left out. */
struct padded {
	int8_t a;
	int64_t b;
	int8_t c;
	int16_t d;
	bool has_e;
	int32_t e;
	char f[3];
	struct every_leaf g;
	bool h;
};

HERALD_SCHEMA(padded,
	HERALD_FIELD(padded, a),
	HERALD_FIELD(padded, b),
	HERALD_FIELD(padded, c),
	HERALD_FIELD(padded, d),
	HERALD_OPTIONAL(padded, e),
	HERALD_FIELD(padded, f),
	HERALD_STRUCT(padded, g, every_leaf),
	HERALD_FIELD(padded, h));

/* The envelope with further members; its own padding follows the message. */
struct my_message {
	struct herald_message message;
	const char *tenant;
	bool urgent;
};

HERALD_SCHEMA(my_message,
	HERALD_MESSAGE_FIELDS(my_message, message),
	HERALD_FIELD(my_message, tenant),
	HERALD_FIELD(my_message, urgent));

struct all_private {
	int a, b;
};
HERALD_SCHEMA(all_private, HERALD_PRIVATE(all_private, a), HERALD_PRIVATE(all_private, b));

static void
test_good_schemas(void **state)
{
	struct all_private out;
	struct herald_codec *codec;

	(void)state;
	expect_good(&padded_schema);
	expect_good(&my_message_schema);
	expect_good(&herald_message_schema);
	expect_good(&herald_json_schema);
	expect_good(every_kind_table);
	codec = decoding_codec(&all_private_schema, NULL);
	decode_good(codec, "{\"a\":1,\"b\":2}", &out, sizeof(out));
	assert_true(out.a == 0 && out.b == 0);
	herald_codec_destroy(codec);
}

/* A schema deep below the root that is wrong: the path is its own. */
struct inner {
	int64_t a, b;
};
HERALD_SCHEMA(inner, HERALD_FIELD(inner, a));
struct middle {
	const struct inner *list;
	size_t list_count;
};
HERALD_SCHEMA(middle, HERALD_LIST(middle, list, inner));
struct outer {
	const struct middle *pointer;
};
HERALD_SCHEMA(outer, HERALD_POINTER(outer, pointer, middle));

static void
test_inner_schemas_are_checked(void **state)
{
	(void)state;
	expect_bad(&outer_schema, "inner.a", LATER, "b left out of an inner struct");
}

/* A table by hand whose inner struct is not aligned, or wants more than memory has. */
static void
test_alignment_of_inner_structs(void **state)
{
	static const struct herald_field shifted[] = {
		{.owner = "shifted",
		 .name = "a",
		 .offset = 0,
		 .bytes = 4,
		 .kind = HERALD_KIND_INT32},
		{.owner = "shifted",
		 .name = "leaf",
		 .offset = 4,
		 .bytes = sizeof(struct every_leaf),
		 .kind = HERALD_KIND_STRUCT,
		 .schema = &every_leaf_schema},
		{.owner = "shifted",
		 .name = "b",
		 .offset = 28,
		 .bytes = 4,
		 .kind = HERALD_KIND_INT32},
	};
	static const struct herald_schema schema = {.name = "shifted",
						    .bytes = 32,
						    .alignment = 8,
						    .fields = shifted,
						    .fields_count = 3};
	static const struct herald_field wide[] = {
		{.owner = "over_aligned", .name = "a", .bytes = 64, .kind = HERALD_KIND_CHARS}};
	static const struct herald_schema over_aligned = {.name = "over_aligned",
							  .bytes = 64,
							  .alignment = 64,
							  .fields = wide,
							  .fields_count = 1};

	(void)state;
	assert_int_equal(sizeof(struct every_leaf), 24);
	expect_bad(&schema, "shifted.leaf",
		   "the member's offset is not aligned for its schema's struct",
		   "an inner struct that is not aligned");
	expect_bad(&over_aligned, "over_aligned",
		   "the schema's alignment does not match its struct",
		   "an alignment that no memory has");
}

/* Keys with quotes, backslashes and control characters are escaped in JSON, or refused. */
struct quoted {
	int32_t a, b, c;
};
HERALD_SCHEMA(quoted,
	HERALD_FIELD(quoted, a, .key = "a\"b"),
	HERALD_FIELD(quoted, b, .key = "a\\b"),
	HERALD_FIELD(quoted, c, .key = "a\nb"));

static void
test_keys_that_need_escapes(void **state)
{
	static const char *const bad[] = {"{\"a\"b\":1}", "{\"a\\b\":1,\"a\"b\":2}", "{\"a\nb\":1}",
					  "{\"a\\\"b\":1,\"a\nb\":3}"};
	struct herald_codec *codec = NULL;
	struct herald_error error;
	struct herald_buffer buffer;
	struct quoted in = {1, 2, 3}, out;

	(void)state;
	if (herald_codec_create(&quoted_schema, NULL, NULL, &codec, &error) != HERALD_OK) {
		assert_int_equal(error.status, HERALD_BAD_SCHEMA);
		assert_string_equal(error.path, "quoted.a");
		return;
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (decode_bytes(codec, bad[i], strlen(bad[i]), &out, sizeof(out), NULL) ==
		    HERALD_OK)
			fail_msg("%s: no JSON, but decoded", bad[i]);
	decode_good(codec, "{\"a\\\"b\":1,\"a\\\\b\":2,\"a\\nb\":3}", &out, sizeof(out));
	assert_memory_equal(&in, &out, sizeof(in));
	decode_good(codec, "{\"a\\u000ab\":3,\"a\\u005cb\":2,\"a\\u0022b\":1}", &out, sizeof(out));
	assert_memory_equal(&in, &out, sizeof(in));
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_codec_encode(codec, &in, &buffer, NULL), HERALD_OK);
	memset(&out, 0, sizeof(out));
	assert_int_equal(decode_bytes(codec, buffer.data, buffer.bytes, &out, sizeof(out), &error),
			 HERALD_OK);
	assert_memory_equal(&in, &out, sizeof(in));
	herald_buffer_finish(&buffer);
	herald_codec_destroy(codec);
}

/* 1, 2, 3, ... keys, the last of which the first one has too. */
static void
test_duplicate_keys_in_large_schemas(void **state)
{
	static struct herald_field fields[300];
	static char keys[300][16];

	(void)state;
	for (size_t count = 2; count <= 300; count += count < 70 ? 1 : 77)
		for (int duplicate = 0; duplicate < 2; duplicate++) {
			struct herald_schema schema = {.name = "large",
						       .bytes = count * sizeof(int32_t),
						       .alignment = _Alignof(int32_t),
						       .fields = fields,
						       .fields_count = count};
			struct herald_codec *codec = NULL;
			struct herald_error error;

			for (size_t i = 0; i < count; i++) {
				snprintf(keys[i], sizeof(keys[i]), "%zu",
					 duplicate && i == count - 1 ? i / 2 : i);
				fields[i] = (struct herald_field){.owner = "large",
								  .name = "member",
								  .key = keys[i],
								  .kind = HERALD_KIND_INT32,
								  .offset = 4 * i,
								  .bytes = 4};
			}
			assert_int_equal(herald_codec_create(&schema, NULL, NULL, &codec, &error),
					 duplicate ? HERALD_BAD_SCHEMA : HERALD_OK);
			if (duplicate) {
				assert_string_equal(error.path, "large.member");
				assert_non_null(strstr(error.message, "duplicate key \""));
			}
			herald_codec_destroy(codec);
		}
}

static void
test_options(void **state)
{
	static const struct {
		size_t depth;
		enum herald_status status;
	} cases[] = {{0, HERALD_OK},
		     {1, HERALD_OK},
		     {1024, HERALD_OK},
		     {1025, HERALD_BAD_OPTION},
		     {SIZE_MAX, HERALD_BAD_OPTION}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct herald_limits limits = {.max_depth = cases[i].depth};
		struct herald_codec *codec = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_codec_create(every_kind_table, &limits, NULL, &codec, &error),
			cases[i].status);
		if (cases[i].status == HERALD_OK)
			herald_codec_destroy(codec);
		else
			assert_int_equal(error.status, cases[i].status);
	}
	herald_codec_destroy(NULL);
}

/* Every allocation fails, one at a time. */
static void
test_every_allocation_fails(void **state)
{
	(void)state;
	for (int mode = FAIL_ONLY; mode <= FAIL_FROM; mode++)
		for (size_t n = 1;; n++) {
			struct failing_allocator memory;
			struct herald_codec *codec = NULL;
			struct herald_error error;
			enum herald_status status;

			failing_allocator_init(&memory, (enum failing_mode)mode, n);
			status = herald_codec_create(every_kind_table, NULL, &memory.allocator,
						     &codec, &error);
			if (memory.failures == 0) {
				assert_int_equal(status, HERALD_OK);
				herald_codec_destroy(codec);
				assert_all_released(&memory);
				break;
			}
			assert_int_equal(status, HERALD_NO_MEMORY);
			assert_int_equal(error.status, HERALD_NO_MEMORY);
			assert_null(codec);
			assert_all_released(&memory);
		}
}

/* The codec does not refer to its options: they may be freed. */
static void
test_limits_are_copied(void **state)
{
	struct herald_limits limits = {.max_depth = 2};
	struct herald_codec *codec = decoding_codec(&order_schema, &limits);
	struct order out;

	(void)state;
	limits.max_depth = 1;
	decode_good(codec, "{\"lines\":[]}", &out, sizeof(out));
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owners_of_macros),
		cmocka_unit_test(test_bad_schemas),
		cmocka_unit_test(test_every_member_left_out),
		cmocka_unit_test(test_members_left_out),
		cmocka_unit_test(test_good_schemas),
		cmocka_unit_test(test_inner_schemas_are_checked),
		cmocka_unit_test(test_alignment_of_inner_structs),
		cmocka_unit_test(test_keys_that_need_escapes),
		cmocka_unit_test(test_duplicate_keys_in_large_schemas),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_every_allocation_fails),
		cmocka_unit_test(test_limits_are_copied),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, decoding_finish);
}
