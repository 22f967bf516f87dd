/*
 * The parts that differ between C libraries, in a program that needs only the core: it is linked by
 * musl-gcc, where cmocka is not available. Writes TAP; run by tools/check-musl.
 */
#include <errno.h>
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/herald.h>

#define DEPTH 1000

struct tree {
	int32_t value;
	const struct tree *next;
	struct herald_json raw;
};

HERALD_SCHEMA(tree, HERALD_FIELD(tree, value), HERALD_POINTER(tree, next, tree),
	      HERALD_FIELD(tree, raw));

struct number {
	double v;
};

HERALD_SCHEMA(number, HERALD_FIELD(number, v, .required = true));

static int cases, failures;

static void
check(bool holds, const char *what)
{
	printf("%s %d - %s\n", holds ? "ok" : "not ok", ++cases, what);
	failures += !holds;
}

static struct herald_codec *
make_codec(const struct herald_schema *schema)
{
	const struct herald_limits limits = {.max_depth = 1024};
	struct herald_codec *codec = NULL;
	struct herald_error error;

	if (herald_codec_create(schema, &limits, NULL, &codec, &error) != HERALD_OK) {
		herald_error_print(stderr, "on_musl", &error);
		exit(1);
	}
	return codec;
}

/* `depth` times `open`, then `core`, then as many times `close`; to be freed. */
static char *
nest(const char *open, const char *core, const char *close, size_t depth)
{
	char *text = malloc((strlen(open) + strlen(close)) * depth + strlen(core) + 1), *end = text;

	if (!text)
		exit(1);
	for (size_t i = 0; i < depth; i++)
		end = stpcpy(end, open);
	end = stpcpy(end, core);
	for (size_t i = 0; i < depth; i++)
		end = stpcpy(end, close);
	return text;
}

/* What a thread of a pool does: its stack has to do for as deep as a limit allows. */
struct deep_task {
	struct herald_pool_task task;
	bool decoded, encoded, found;
};

static void
run_deep(struct herald_pool_task *task)
{
	struct deep_task *deep = (struct deep_task *)(void *)task;
	struct herald_codec *codec = make_codec(&tree_schema);
	char *text = nest("{\"value\":1,\"next\":", "{\"value\":2}", "}", DEPTH),
	     *again = strdup(text);
	char *wrong = nest("{\"raw\":", "nonsense", "}", DEPTH);
	struct herald_arena *arena = NULL;
	struct herald_buffer out;
	struct herald_error error;
	struct tree tree;

	herald_buffer_init(&out, NULL, 0);
	if (herald_arena_create(NULL, SIZE_MAX, &arena) == HERALD_OK && again) {
		deep->decoded = herald_codec_decode(codec, text, strlen(text), arena, &tree,
						    &error) == HERALD_OK;
		deep->encoded = deep->decoded &&
				herald_codec_encode(codec, &tree, &out, &error) == HERALD_OK &&
				out.bytes == strlen(again) &&
				memcmp(out.data, again, out.bytes) == 0;
		deep->found = herald_codec_decode(codec, wrong, strlen(wrong), arena, &tree,
						  &error) == HERALD_BAD_JSON &&
			      strstr(error.path, "/raw/raw/raw");
	}
	herald_buffer_finish(&out);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	free(wrong);
	free(again);
	free(text);
}

static void
check_deep_documents(void)
{
	struct herald_pool *pool = NULL;
	struct deep_task deep = {.task = {.run = run_deep, .cancelled = run_deep}};
	struct herald_error error;

	if (herald_pool_create(&HERALD_POOL_OPTIONS(.threads = 1), &pool, &error) != HERALD_OK ||
	    herald_pool_submit(pool, &deep.task) != HERALD_OK)
		exit(1);
	herald_pool_stop(pool, 10000);
	herald_pool_destroy(pool);
	check(deep.decoded, "a document 1000 levels deep is decoded on a pool's thread");
	check(deep.encoded, "and encoded");
	check(deep.found, "and an error in one is found");
}

/* Numbers that go to strtod(): halfway between two doubles, by hundreds of digits. */
static void
check_numbers(void)
{
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
	static const char json[] =
		"{\"v\":9007199254740993.00000000000000000000000000000000000000000000000000001}";
	struct herald_codec *codec = make_codec(&number_schema);
	struct herald_arena *arena = NULL;
	bool right = herald_arena_create(NULL, SIZE_MAX, &arena) == HERALD_OK;

	for (size_t i = 0; right && i < HERALD_COUNT(modes); i++) {
		char text[sizeof(json)];
		struct number number;

		memcpy(text, json, sizeof(json));
		fesetround(modes[i]);
		right = herald_codec_decode(codec, text, strlen(text), arena, &number, NULL) ==
				HERALD_OK &&
			number.v == 9007199254740994.0;
		fesetround(FE_TONEAREST);
	}
	check(right, "a number of many digits is the same however the program rounds");
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
}

static void
check_texts(void)
{
	struct herald_error error;
	struct herald_codec *codec = make_codec(&number_schema);
	struct herald_arena *arena = NULL;
	struct number number;
	char text[] = "{}";

	check(herald_arena_create(NULL, SIZE_MAX, &arena) == HERALD_OK &&
		      herald_codec_decode(codec, text, 2, arena, &number, &error) ==
			      HERALD_MISSING &&
		      strcmp(error.message, "v is required, but missing") == 0,
	      "an error names the member");
	check(strcmp(herald_errno_text(ENOENT), "No such file or directory") == 0,
	      "an error of the system has a text");
	check(herald_errno_text(123456)[0] != '\0', "and so has one that is not known");
	herald_error_set(&error, HERALD_SYSTEM, 0, "%s, %.1f", herald_errno_text(EACCES), 1.5);
	check(strcmp(error.message, "Permission denied, 1.5") == 0, "which messages can hold");
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
}

int
main(void)
{
	check_deep_documents();
	check_numbers();
	check_texts();
	printf("1..%d\n", cases);
	return failures > 0;
}
