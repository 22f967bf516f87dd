/*
 * Decodes documents with a generated schema and encodes them again, for tests/interop/generated.py:
 * each argument is a file, and each line of output is its JSON, or "error: " and why it failed.
 * --schema prints the exported schema.
 *
 * HEADER and SCHEMA are defined when it is compiled.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>
#include <herald/json_schema.h>

#include HEADER

static char document[32 << 20];

/* Returns the number of bytes; 0 if the file cannot be read. */
static size_t
read_document(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t bytes = file ? fread(document, 1, sizeof(document), file) : 0;

	if (file)
		fclose(file);
	return bytes;
}

/* Print the schema, which must accept what the one that it was generated from does. */
static int
print_schema(void)
{
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	enum herald_status status =
		herald_schema_json(&SCHEMA, &HERALD_JSON_SCHEMA_OPTIONS(.indent = 0), &out, &error);
	if (status == HERALD_OK)
		printf("%.*s\n", (int)out.bytes, out.data);
	else
		herald_error_print(stderr, "generated", &error);
	herald_buffer_finish(&out);
	return status == HERALD_OK ? 0 : 2;
}

static void
decode_and_encode(const struct herald_codec *codec, struct herald_arena *arena, void *value,
		  const char *path)
{
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	if (herald_codec_decode(codec, document, read_document(path), arena, value, &error) !=
		    HERALD_OK ||
	    herald_codec_encode(codec, value, &out, &error) != HERALD_OK)
		herald_error_print(stdout, "error", &error);
	else
		printf("%.*s\n", (int)out.bytes, out.data);
	herald_buffer_finish(&out);
	herald_arena_reset(arena);
}

int
main(int argc, char **argv)
{
	const struct herald_limits limits = {.max_depth = 256};
	struct herald_codec *codec;
	struct herald_arena *arena;
	struct herald_error error;
	void *value = calloc(1, SCHEMA.bytes);

	if (argc == 2 && strcmp(argv[1], "--schema") == 0)
		return print_schema();
	if (!value || herald_arena_create(NULL, 256u << 20, &arena) != HERALD_OK)
		return 2;
	if (herald_codec_create(&SCHEMA, &limits, NULL, &codec, &error) != HERALD_OK) {
		herald_error_print(stderr, "generated", &error);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		decode_and_encode(codec, arena, value, argv[i]);
	herald_codec_destroy(codec);
	herald_arena_destroy(arena);
	free(value);
	return 0;
}
