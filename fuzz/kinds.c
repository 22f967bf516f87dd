/*
 * Fuzzes unions, maps, lists of lists, fixed arrays, enums and numbers in other forms: a document
 * decodes exactly if a second reader, on top of jansson, finds that it fits, and then has the same
 * values. The second reader, kinds/reader.c, knows the schemas below by heart; it uses nothing of
 * the codec.
 *
 * All schemas reject unknown members, so that a duplicate member is an error to both. Not compared:
 *
 * - Documents that Herald refuses with HERALD_LIMIT.
 * - Numbers that jansson cannot hold (json_error_numeric_overflow), and documents with a NUL byte,
 *   which jansson 2.14 loses after a number. See differential.c.
 * - Whether a real is accepted for an integer or a time, if the double may not be what the digits
 *   say: see is_inexact().
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <herald/codec.h>

#include "kinds/kinds.h"
#include "target.h"

static const struct herald_name sizes[] = {
	{"small", SIZE_SMALL}, {"large", SIZE_LARGE}, {"other", SIZE_OTHER}};

HERALD_SCHEMA_WITH(circle, (.reject_unknown = true),
	HERALD_FIELD(circle, radius, .required = true, HERALD_RANGE(-9, 99)),
	HERALD_FIELD(circle, name));

HERALD_SCHEMA_WITH(node, (.reject_unknown = true),
	HERALD_POINTER(node, next, node),
	HERALD_FIELD(node, flag));

HERALD_SCHEMA_WITH(row, (.transparent = true), HERALD_VALUES(row, cells, .max_count = 5));

HERALD_SCHEMA_WITH(price, (.transparent = true),
	HERALD_KEY(price, sku),
	HERALD_FIELD(price, cents, .required = true));

HERALD_SCHEMA_WITH(person, (.reject_unknown = true),
	HERALD_KEY(person, key),
	HERALD_FIELD(person, age));

HERALD_SCHEMA_WITH(series, (.transparent = true),
	HERALD_KEY(series, name),
	HERALD_VALUES(series, cells, .min_count = 1));

static bool
is_lucky(const struct span *span, struct herald_refusal *refusal)
{
	return span->from != 77 || herald_refuse(refusal, "from", "is %d", (int)span->from);
}
HERALD_CHECK(is_lucky, span);

HERALD_SCHEMA_WITH(span, (.reject_unknown = true, .check = &is_lucky_check),
	HERALD_FIELD(span, from),
	HERALD_FIELD(span, to, HERALD_MAX(0)));

HERALD_SCHEMA_WITH(shape, (.reject_unknown = true),
	HERALD_ENUM(shape, kind, sizes, .required = true),
	HERALD_VARIANT(shape, body, kind,
		HERALD_CASE("small", circle),
		HERALD_CASE("large", node)));

HERALD_SCHEMA_WITH(notice, (.reject_unknown = true),
	HERALD_FIELD(notice, type, .required = true),
	HERALD_FLAT_VARIANT(notice, data, type,
		HERALD_CASE("circle", circle),
		HERALD_CASE("n\"", node)));

HERALD_SCHEMA_WITH(open, (.reject_unknown = true),
	HERALD_VARIANT(open, data, type,
		HERALD_CASE("node", node),
		HERALD_CASE_FIELD("truth", truth),
		HERALD_CASE_OTHER(text)),
	HERALD_OPTIONAL(open, note, HERALD_WHEN(type, "truth")),
	HERALD_FIELD(open, type, .required = true));

HERALD_SCHEMA_WITH(deep, (.reject_unknown = true),
	HERALD_LIST(deep, list, deep),
	HERALD_VARIANT(deep, body, type,
		HERALD_CASE("inner", inner, deep),
		HERALD_CASE_FIELD("leaf", leaf),
		HERALD_CASE_OTHER(text)),
	HERALD_FIELD(deep, type, .required = true));

HERALD_SCHEMA_WITH(pointed, (.reject_unknown = true),
	HERALD_POINTER_VARIANT(pointed, at, op,
		HERALD_CASE("small", circle),
		HERALD_CASE("other", node)),
	HERALD_ENUM(pointed, op, sizes, .required = true, .numeric = true));

HERALD_SCHEMA_WITH(kinds, (.reject_unknown = true),
	HERALD_STRUCT(kinds, shape, shape),
	HERALD_LIST(kinds, notices, notice),
	HERALD_LIST(kinds, opens, open),
	HERALD_POINTER(kinds, pointed, pointed),
	HERALD_MAP(kinds, prices, price, .max_count = 20),
	HERALD_MAP(kinds, people, person),
	HERALD_MAP(kinds, series, series),
	HERALD_STRUCT(kinds, span, span, .flat = true),
	HERALD_LIST(kinds, rows, row),
	HERALD_ARRAY(kinds, pair),
	HERALD_OPTIONAL_ARRAY(kinds, trio, HERALD_MAX(9)),
	HERALD_STRUCT_ARRAY(kinds, nodes, node),
	HERALD_VALUES(kinds, holes, .nullable = true, .max_bytes = 6),
	HERALD_ENUMS(kinds, sizes, sizes),
	HERALD_ENUM(kinds, unknown, sizes, HERALD_UNKNOWN(SIZE_OTHER)),
	HERALD_ENUM(kinds, number, sizes, .numeric = true, HERALD_UNKNOWN(SIZE_LARGE)),
	HERALD_OPTIONAL_ENUM(kinds, maybe, sizes),
	HERALD_FIELD(kinds, quoted, .quoted = true),
	HERALD_FIELD(kinds, loose, .lenient = true),
	HERALD_FIELD(kinds, loose_quoted, .quoted = true, .lenient = true),
	HERALD_FIELD(kinds, bit, .numeric = true),
	HERALD_FIELD(kinds, loose_bit, .lenient = true),
	HERALD_FIELD(kinds, epoch, .epoch = HERALD_EPOCH_SECONDS),
	HERALD_POINTER(kinds, deep, deep),
	HERALD_ARRAY(kinds, reals),
	HERALD_VALUES(kinds, floats),
	HERALD_VALUES(kinds, texts, .nullable = true),
	HERALD_FIELD(kinds, quoted_real, .quoted = true),
	HERALD_FIELD(kinds, quoted_bit, .quoted = true, .numeric = true),
	HERALD_FIELD(kinds, milliseconds, .quoted = true, .epoch = HERALD_EPOCH_MILLISECONDS));

static struct herald_codec *strict_codec, *replacing_codec;
static struct herald_arena *arena;

static void
create_all(void)
{
	struct herald_limits limits = {.max_depth = 1024, .max_key_bytes = SIZE_MAX};

	if (arena != NULL)
		return;
	CHECK(herald_codec_create(&kinds_schema, &limits, NULL, &strict_codec, NULL) == HERALD_OK);
	limits.replace_lone_surrogates = true;
	CHECK(herald_codec_create(&kinds_schema, &limits, NULL, &replacing_codec, NULL) ==
	      HERALD_OK);
	CHECK(herald_arena_create(NULL, 0, &arena) == HERALD_OK);
}

/* The code unit of the escape at `at`, or 0. */
static unsigned int
code_unit(const char *at, const char *end)
{
	char digits[5] = "";

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return 0;
	memcpy(digits, at + 2, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4
		       ? (unsigned int)strtoul(digits, NULL, 16)
		       : 0;
}

/* Make each lone surrogate U+FFFD, for jansson, which refuses them. */
static void
replace_surrogates(char *text, size_t bytes)
{
	char *end = text + bytes;

	for (char *at = text; at < end; at++) {
		unsigned int unit = code_unit(at, end), next;

		if (*at != '\\')
			continue;
		at++;
		if (unit < 0xD800 || unit > 0xDFFF)
			continue;
		next = code_unit(at + 5, end);
		if (unit < 0xDC00 && next >= 0xDC00 && next <= 0xDFFF)
			at += 10;
		else
			memcpy(at + 1, "FFFD", 4);
	}
}

static char *
copy(const uint8_t *data, size_t size)
{
	char *block = malloc(size + (size == 0));

	CHECK(block != NULL);
	if (size > 0)
		memcpy(block, data, size);
	return block;
}

static void
compare(const struct herald_codec *codec, const uint8_t *data, size_t size)
{
	struct kinds kinds;
	json_error_t error;
	char *ours = copy(data, size), *theirs = copy(data, size);
	enum herald_status status = herald_codec_decode(codec, ours, size, arena, &kinds, NULL);
	bool uncertain = false;
	json_t *root;

	if (codec == replacing_codec)
		replace_surrogates(theirs, size);
	root = json_loadb(theirs, size, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
			  &error);
	if (root != NULL && status == HERALD_OK)
		CHECK(fits_kinds(root, &kinds, &uncertain));
	else if (root != NULL && status != HERALD_LIMIT)
		CHECK(!fits_kinds(root, NULL, &uncertain) || uncertain);
	else if (root == NULL && status == HERALD_OK)
		CHECK(json_error_code(&error) == json_error_numeric_overflow);
	json_decref(root);
	free(ours);
	free(theirs);
	herald_arena_reset(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	create_all();
	if (size > 0 && memchr(data, '\0', size) != NULL)
		return 0;
	compare(strict_codec, data, size);
	compare(replacing_codec, data, size);
	return 0;
}
