/*
 * Decodes documents with many generated schemas and encodes them again, for
 * tests/interop/random_schemas.py: each line of input is the number of a schema, a tab and a
 * document; each line of output is the JSON of the document, or "error: " and why it failed.
 *
 * SOURCES is a file that includes what was generated, and defines SCHEMAS(X) with an
 * X(number, schema) for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/codec.h>

#include SOURCES

#define ROW(number, schema) {number, &schema},

static const struct {
	long number;
	const struct herald_schema *schema;
} rows[] = {SCHEMAS(ROW)};

/* Returns NULL after a message if a table is refused. */
static struct herald_codec *
create_codec(long number)
{
	struct herald_codec *codec = NULL;
	struct herald_error error;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number &&
		    herald_codec_create(rows[i].schema, NULL, NULL, &codec, &error) != HERALD_OK)
			herald_error_print(stdout, "refused", &error);
	return codec;
}

static void
decode_and_encode(const struct herald_codec *codec, struct herald_arena *arena, char *document)
{
	struct herald_buffer out;
	struct herald_error error;
	void *value = calloc(1, 1 << 20);

	herald_buffer_init(&out, NULL, 0);
	if (!value ||
	    herald_codec_decode(codec, document, strlen(document), arena, value, &error) !=
		    HERALD_OK ||
	    herald_codec_encode(codec, value, &out, &error) != HERALD_OK)
		herald_error_print(stdout, "error", &error);
	else
		printf("%.*s\n", (int)out.bytes, out.data);
	herald_buffer_finish(&out);
	herald_arena_reset(arena);
	free(value);
}

int
main(void)
{
	static char line[1 << 20];
	struct herald_arena *arena;
	struct herald_codec *codec = NULL;
	long last = -1;

	if (herald_arena_create(NULL, 64u << 20, &arena) != HERALD_OK)
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		char *document = strchr(line, '\t');
		long number = strtol(line, NULL, 10);

		if (number != last) {
			herald_codec_destroy(codec);
			codec = create_codec(number);
			last = number;
		}
		if (document && codec)
			decode_and_encode(codec, arena, document + 1);
		else
			printf("error: no codec\n");
	}
	herald_codec_destroy(codec);
	herald_arena_destroy(arena);
	return 0;
}
