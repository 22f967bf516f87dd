/*
 * Decodes documents with a generated schema and encodes them again, for tests/interop/generated.py:
 * each argument is a file, and each line of output is its JSON, or "error: " and why it failed.
 *
 * HEADER and SCHEMA are defined when it is compiled.
 */
#include <stdio.h>
#include <stdlib.h>

#include <herald/codec.h>

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
