/*
 * Tagged unions in each other whose tags come after their values. To find a tag, the values before
 * it are skipped, and in each of them is another such object. Here is counted how often a string is
 * skipped: the program is linked with --wrap, and the strings in question have an escape, because
 * the other ones are skipped without a call. Such documents are also cut at each byte and decoded
 * with too little memory. What a union decodes to is tested in test_variant.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include "support/decoding.h"
#include "support/draw.h"
#include "support/every_kind.h"
#include "support/exhausting.h"
#include "support/failing_allocator.h"
#include "json/reader/string_read.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* One of each kind of place for another node: in a case, and in a list that is in all cases. */
struct node {
	const char *kind;
	union {
		const struct node *next;
		struct herald_json raw;
	} body;
	const struct node *children;
	size_t children_count;
};

HERALD_SCHEMA(node,
	HERALD_LIST(node, children, node),
	HERALD_VARIANT(node, body, kind,
		HERALD_CASE("node", next, node),
		HERALD_CASE_OTHER(raw)),
	HERALD_FIELD(node, kind, .required = true));

static const struct herald_limits limits = {.max_depth = 1024, .max_list_count = 1 << 20};

char *real_skip_string(struct herald__reader *reader, char *at,
		       enum herald__string_role role) __asm__("__real_herald__skip_string");
char *counting_skip_string(struct herald__reader *reader, char *at,
			   enum herald__string_role role) __asm__("__wrap_herald__skip_string");

static size_t calls;

char *
counting_skip_string(struct herald__reader *reader, char *at, enum herald__string_role role)
{
	calls++;
	return real_skip_string(reader, at, role);
}

/* A text that grows. */
struct text {
	char *data;
	size_t bytes, capacity;
};

static void
add(struct text *text, const char *more)
{
	size_t bytes = strlen(more);

	if (text->capacity - text->bytes <= bytes) {
		text->capacity = 2 * (text->capacity + bytes) + 100;
		assert_non_null(text->data = realloc(text->data, text->capacity));
	}
	memcpy(text->data + text->bytes, more, bytes + 1);
	text->bytes += bytes;
}

/* A way to have nodes in each other: what is before and after the inner node. */
struct nest {
	const char *before, *after;
	const char *innermost_before, *innermost_after;
	enum herald_status status;
};

#define STRINGS ((size_t)5000)

static struct text
nest_strings(const struct nest *nest, size_t depth)
{
	struct text text = {0};

	for (size_t i = 0; i < depth; i++)
		add(&text, nest->before);
	add(&text, nest->innermost_before);
	for (size_t i = 0; i < STRINGS; i++)
		add(&text, i > 0 ? ",{\"a\":\"\\n\"}" : "{\"a\":\"\\n\"}");
	add(&text, nest->innermost_after);
	for (size_t i = 0; i < depth; i++)
		add(&text, nest->after);
	return text;
}

static const struct nest nests[] = {
	/* The tag after the value, in the middle, and first. */
	{"{\"body\":", ",\"kind\":\"node\"}", "{\"body\":[", "],\"kind\":\"x\"}", HERALD_OK},
	{"{\"body\":", ",\"kind\":\"node\",\"y\":[1]}", "{\"body\":[", "],\"kind\":\"x\"}",
	 HERALD_OK},
	{"{\"kind\":\"node\",\"body\":", "}", "{\"kind\":\"x\",\"body\":[", "]}", HERALD_OK},
	/* By turns, and with an escape in the tag's name. */
	{"{\"body\":{\"kind\":\"node\",\"body\":", "},\"k\\u0069nd\":\"node\"}", "{\"body\":[",
	 "],\"kind\":\"x\"}", HERALD_OK},
	/* Through lists. */
	{"{\"children\":[{\"body\":1,\"kind\":\"\"},", "],\"kind\":\"\"}", "{\"body\":[",
	 "],\"kind\":\"x\"}", HERALD_OK},
	/* Errors: no tag, no tag anywhere, the wrong type, and syntax. */
	{"{\"body\":", ",\"kind\":\"node\"}", "{\"body\":[", "]}", HERALD_MISSING},
	{"{\"children\":[", "]}", "{\"body\":[", "]}", HERALD_MISSING},
	{"{\"children\":[", "],\"kind\":1}", "{\"children\":1,\"body\":[", "]}", HERALD_BAD_TYPE},
	{"{\"children\":[", "],\"kind\":\"\"}", "{\"body\":[", ";],\"kind\":\"x\"}",
	 HERALD_BAD_JSON},
	{"{\"body\":", ",\"kind\":\"node\"}", "{\"body\":[", "],\"kind\":\"x}", HERALD_BAD_JSON},
};

/* The number of calls for a document. Its values are decoded, too. */
static size_t
count_calls(const struct nest *nest, size_t depth)
{
	struct herald_codec *codec = decoding_codec(&node_schema, &limits);
	struct text text = nest_strings(nest, depth);
	struct herald_error error = {0};
	enum herald_status status;
	struct node node;

	calls = 0;
	status = herald_codec_decode(codec, text.data, text.bytes, decoding_arena(), &node, &error);
	if (status != nest->status)
		fail_msg("%s: %s: %s: %s", nest->before, herald_status_name(status), error.path,
			 error.message);
	free(text.data);
	herald_arena_reset(decoding_arena());
	herald_codec_destroy(codec);
	return calls;
}

/* Each way of skipping is allowed once or twice more than without nesting. */
static void
the_depth_does_not_matter(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(nests); i++) {
		size_t least = count_calls(&nests[i], 0);

		for (size_t depth = 1; depth <= 400; depth = 3 * depth + 1) {
			size_t count = count_calls(&nests[i], depth);

			if (count > 6 * STRINGS + least)
				fail_msg("case %zu, depth %zu: %zu calls instead of %zu", i, depth,
					 count, least);
		}
	}
}

/* Decode a document with the tags last, with a fresh arena. */
static enum herald_status
decode_last(const struct herald_allocator *allocator, size_t max_bytes, struct herald_error *error)
{
	struct herald_codec *codec = decoding_codec(&node_schema, &limits);
	struct text text = nest_strings(&nests[0], 60);
	struct herald_arena *arena = NULL;
	enum herald_status status = herald_arena_create(allocator, max_bytes, &arena);
	struct node node;

	if (status == HERALD_OK)
		status = herald_codec_decode(codec, text.data, text.bytes, arena, &node, error);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	free(text.data);
	return status;
}

static void
every_allocation_fails(void **state)
{
	size_t n = 1;

	(void)state;
	for (;; n++) {
		struct herald_error error = {0};
		struct failing_allocator memory;

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = decode_last(&memory.allocator, 0, &error);
		assert_all_released(&memory);
		if (memory.failures == 0) {
			assert_int_equal(status, HERALD_OK);
			break;
		}
		assert_int_equal(status, HERALD_NO_MEMORY);
	}
	assert_true(n > 2);
}

/* What is remembered of the values counts towards the limit of the event's memory. */
static void
memory_is_limited(void **state)
{
	struct text text = nest_strings(&nests[0], 60);
	struct herald_error error;
	size_t limit = 2 * sizeof(struct node); /* enough for the root */

	(void)state;
	for (; limit < text.bytes; limit += 16) {
		enum herald_status status = decode_last(NULL, limit, &error);

		if (status == HERALD_OK)
			break;
		assert_int_equal(status, HERALD_LIMIT);
		assert_non_null(strstr(error.message, "memory limit"));
	}
	/* The nodes need less than this. */
	assert_in_range(limit, 61 * sizeof(struct node), text.bytes / 4);
	free(text.data);
}

/* A union whose cases have unions: in the struct, at a pointer, in a list, in a map, and flat. */
struct inner {
	const char *kind;
	union {
		int64_t number;
		const char *text;
		const struct node *node;
	} body;
};

HERALD_SCHEMA(inner,
	HERALD_FIELD(inner, kind, .required = true),
	HERALD_VARIANT_WITH(inner, body, kind, (.required = true),
		HERALD_CASE_FIELD("number", number),
		HERALD_CASE_FIELD("text", text),
		HERALD_CASE("node", node)));

struct keyed {
	const char *name;
	const char *type;
	const void *at;
};

HERALD_SCHEMA(keyed,
	HERALD_KEY(keyed, name),
	HERALD_FIELD(keyed, type, .required = true),
	HERALD_POINTER_VARIANT(keyed, at, type,
		HERALD_CASE("inner", inner), HERALD_CASE("node", node)));

struct several {
	struct inner first;
	struct inner second;
};

HERALD_SCHEMA(several,
	HERALD_STRUCT(several, first, inner, .required = true),
	HERALD_STRUCT(several, second, inner, .required = true));

struct outer {
	const char *type;
	union {
		struct inner in;
		struct several several;
		const struct inner *at;
		struct {
			const struct inner *list;
			size_t list_count;
		};
		struct {
			const struct keyed *map;
			size_t map_count;
		};
	};
};

HERALD_SCHEMA(outer,
	HERALD_FIELD(outer, type, .required = true),
	HERALD_STRUCT(outer, in, inner, HERALD_WHEN(type, "in"), .key = "v"),
	HERALD_STRUCT(outer, several, several, HERALD_WHEN(type, "flat"), .flat = true),
	HERALD_POINTER(outer, at, inner, HERALD_WHEN(type, "at"), .key = "v"),
	HERALD_LIST(outer, list, inner, HERALD_WHEN(type, "list"), .key = "v"),
	HERALD_MAP(outer, map, keyed, HERALD_WHEN(type, "map"), .key = "v"));

#define NUMBER "{\"body\":-7,\"kind\":\"number\"}"
#define TEXT "{\"kind\":\"text\",\"body\":\"a\\n\"}"
#define NODE                                                                                       \
	"{\"body\":{\"body\":{\"body\":[\"\\u0041\"],\"kind\":\"x\"},\"kind\":\"node\"},"          \
	"\"kind\":\"node\"}"

static const char *const nested[] = {
	"{\"v\":" NUMBER ",\"type\":\"in\"}",
	"{\"type\":\"in\",\"v\":" TEXT "}",
	"{\"v\":" NODE ",\"type\":\"in\"}",
	"{\"first\":" NUMBER ",\"second\":" NODE ",\"type\":\"flat\"}",
	"{\"second\":" TEXT ",\"type\":\"flat\",\"first\":" NODE "}",
	"{\"v\":" NODE ",\"type\":\"at\"}",
	"{\"v\":[" TEXT "," NODE "," NUMBER "," NODE "],\"type\":\"list\"}",
	"{\"type\":\"list\",\"v\":[" NODE "," NODE "]}",
	"{\"v\":{\"b\":{\"at\":" NODE ",\"type\":\"inner\"},"
	"\"a\":{\"at\":{\"body\":1,\"kind\":\"x\"},\"type\":\"node\"},\"\":{\"type\":\"inner\"}},"
	"\"type\":\"map\"}",
};

static void
short_memory_and_cut_documents(void **state)
{
	struct herald_codec *codec = decoding_codec(&outer_schema, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(nested); i++) {
		struct outer outer;

		decode_good(codec, nested[i], &outer, sizeof(outer));
		exhaust_memory(&outer_schema, nested[i]);
		cut_document(&outer_schema, NULL, nested[i]);
	}
	herald_codec_destroy(codec);
}

/* Add a random node. `shape` decides on all but the order of members, which is the schema's without
 * `order`. */
static void
add_node(struct text *text, struct every_random *shape, struct every_random *order, size_t depth);

static void
add_body(struct text *text, struct every_random *shape, struct every_random *order, size_t depth,
	 bool is_node)
{
	static const char *const values[] = {"[[],{\"kind\":\"node\"}]", "\"kind\"",
					     "{\"a\":\"a text that is as long as a short line\"}"};

	if (is_node) {
		add_node(text, shape, order, depth - 1);
		return;
	}
	add(text, "[0");
	for (size_t i = every_random_below(shape, 6); i > 0; i--) {
		add(text, ",");
		add(text, values[every_random_below(shape, COUNT(values))]);
	}
	add(text, "]");
}

static void
add_children(struct text *text, struct every_random *shape, struct every_random *order,
	     size_t depth)
{
	add(text, "[");
	for (size_t i = depth > 0 ? every_random_below(shape, 4) : 0; i > 0; i--) {
		add_node(text, shape, order, depth - 1);
		add(text, i > 1 ? "," : "");
	}
	add(text, "]");
}

static void
add_node(struct text *text, struct every_random *shape, struct every_random *order, size_t depth)
{
	static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					   {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	const size_t *members =
		order ? orders[every_random_below(order, COUNT(orders))] : orders[0];
	bool is_node = depth > 0 && every_random_below(shape, 2);
	struct every_random body = {every_random_next(shape)}, list = {every_random_next(shape)};

	for (size_t i = 0; i < 3; i++) {
		add(text, i > 0 ? "," : "{");
		if (members[i] == 0)
			add(text, is_node ? "\"kind\":\"node\"" : "\"kind\":\"other\"");
		add(text, members[i] == 1 ? "\"body\":" : members[i] == 2 ? "\"children\":" : "");
		if (members[i] == 1)
			add_body(text, &body, order, depth, is_node);
		else if (members[i] == 2)
			add_children(text, &list, order, depth);
	}
	add(text, "}");
}

static void
encode(const struct herald_codec *codec, struct text *json, struct herald_buffer *out)
{
	struct herald_error error = {0};
	struct node node;

	if (herald_codec_decode(codec, json->data, json->bytes, decoding_arena(), &node, &error) ||
	    herald_codec_encode(codec, &node, out, &error))
		fail_msg("%s: %s", error.path, error.message);
	herald_arena_reset(decoding_arena());
	free(json->data);
}

/* Documents that differ in the order of members only decode to equal structs. */
static void
the_order_does_not_matter(void **state)
{
	struct herald_codec *codec = decoding_codec(&node_schema, &limits);
	struct every_random order = {draw_seed()};

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)order.state);
	for (size_t i = 0; i < 300; i++) {
		struct every_random shape = {every_random_next(&order)}, same = shape;
		struct text first = {0}, shuffled = {0};
		struct herald_buffer a, b;

		add_node(&first, &shape, NULL, 1 + i % 8);
		add_node(&shuffled, &same, &order, 1 + i % 8);
		herald_buffer_init(&a, NULL, 0);
		herald_buffer_init(&b, NULL, 0);
		encode(codec, &first, &a);
		encode(codec, &shuffled, &b);
		assert_int_equal(a.bytes, b.bytes);
		assert_memory_equal(a.data, b.data, a.bytes);
		herald_buffer_finish(&a);
		herald_buffer_finish(&b);
	}
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_depth_does_not_matter),
		cmocka_unit_test(every_allocation_fails),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(short_memory_and_cut_documents),
		cmocka_unit_test(the_order_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, decoding_finish);
}
