/*
 * Fuzzes what is JSON: what we accept equals what jansson accepts, and an object of doubles,
 * integers and strings has the same values by both. The known differences, which are excluded just
 * so:
 *
 * - Nesting: we are asked for 1,024 levels, the most that we take; jansson takes 2,048. Documents
 *   that we refuse with HERALD_LIMIT are not compared.
 * - Numbers: a real that no double holds is JSON to us where it is not wanted, and an error to
 *   jansson; an integer that no long long holds, likewise. JSON_DECODE_INT_AS_REAL takes the second
 *   away; the first is json_error_numeric_overflow, and is not compared.
 * - \u0000 in a string: taken by jansson with JSON_ALLOW_NUL; in a member's name never: it is
 *   json_error_null_byte_in_key (or json_error_null_character), and is not compared.
 * - A NUL byte right after a number or a word: jansson 2.14 loses it and goes on. A document with a
 *   NUL byte that jansson takes is not compared, only checked to be refused by us.
 * - Noncharacters and everything else that is UTF-8: both take it. Escapes, surrogates, white
 *   space, control characters, what follows the document: no difference.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <herald/codec.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

struct values {
	bool has_real;
	double real;
	struct herald_text text;
	bool has_truth;
	bool truth;
};

HERALD_SCHEMA(values,
	HERALD_OPTIONAL(values, real, .key = "r"),
	HERALD_FIELD(values, text, .key = "t"),
	HERALD_OPTIONAL(values, truth, .key = "b"));

static struct herald_codec *any_codec, *values_codec;
static struct herald_arena *arena;

static void
create_all(void)
{
	const struct herald_limits limits = {.max_depth = 1024, .max_key_bytes = SIZE_MAX};

	if (arena != NULL)
		return;
	CHECK(herald_codec_create(&herald_json_schema, &limits, NULL, &any_codec, NULL) ==
	      HERALD_OK);
	CHECK(herald_codec_create(&values_schema, &limits, NULL, &values_codec, NULL) == HERALD_OK);
	CHECK(herald_arena_create(NULL, 0, &arena) == HERALD_OK);
}

static bool
is_known_difference(const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_numeric_overflow:
	case json_error_null_byte_in_key:
	case json_error_null_character:
	case json_error_out_of_memory:
		return true;
	default:
		return false;
	}
}

static enum herald_status
decode_copy(const struct herald_codec *codec, const uint8_t *data, size_t size, void *out,
	    char **block)
{
	*block = malloc(size + (size == 0));
	CHECK(*block != NULL);
	if (size > 0)
		memcpy(*block, data, size);
	return herald_codec_decode(codec, *block, size, arena, out, NULL);
}

/* The members that both have are the same. What has a wrong type, is a duplicate or is null is
 * not. */
static void
compare_values(const uint8_t *data, size_t size, const json_t *root)
{
	const json_t *real = json_object_get(root, "r"), *text = json_object_get(root, "t"),
		     *truth = json_object_get(root, "b");
	struct values values;
	char *block;
	enum herald_status status = decode_copy(values_codec, data, size, &values, &block);

	if (status == HERALD_OK) {
		CHECK(values.has_real == (real != NULL && !json_is_null(real)));
		CHECK(values.has_truth == (truth != NULL && !json_is_null(truth)));
		CHECK((values.text.data != NULL) == (text != NULL && !json_is_null(text)));
		if (values.has_real)
			CHECK(json_is_real(real) && json_real_value(real) == values.real);
		if (values.has_truth)
			CHECK(json_is_boolean(truth) && json_is_true(truth) == values.truth);
		if (values.text.data != NULL)
			CHECK(json_is_string(text) &&
			      json_string_length(text) == values.text.bytes &&
			      memcmp(json_string_value(text), values.text.data,
				     values.text.bytes) == 0);
	} else if (status == HERALD_BAD_TYPE) {
		CHECK(!json_is_object(root) || real != NULL || text != NULL || truth != NULL);
	} else {
		CHECK(status == HERALD_DUPLICATE || status == HERALD_LIMIT ||
		      status == HERALD_OUT_OF_RANGE);
	}
	free(block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_error_t error;
	json_t *root;
	struct herald_json any;
	enum herald_status status;
	char *block;

	create_all();
	status = decode_copy(any_codec, data, size, &any, &block);
	free(block);
	root = json_loadb((const char *)data, size,
			  JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	if (root != NULL && memchr(data, '\0', size) != NULL)
		CHECK(status != HERALD_OK);
	else if (status != HERALD_LIMIT && (root != NULL || !is_known_difference(&error)))
		CHECK((status == HERALD_OK) == (root != NULL));
	if (status == HERALD_OK && root != NULL)
		compare_values(data, size, root);
	json_decref(root);
	herald_arena_reset(arena);
	return 0;
}
