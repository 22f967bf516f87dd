/*
 * What herald/json.h reads, for tests/json/against_python.py to compare. Reads pairs of a document
 * and a JSON Pointer from the standard input, each as its length in decimal, a line feed, and its
 * bytes. Prints a line for each pair:
 *
 *	refused OFFSET    herald_json_check() refuses the document.
 *	status NAME       herald_json_find() fails.
 *	at OFFSET BYTES i=1 u=1 d=1 count=0 s=-
 *	                  The value: as an integer and as a number (empty if it has none), the
 *	                  number of its members, and its string in hexadecimal after a '"'.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/json.h>

/* Read a length and as many bytes. NULL at the end. The caller frees it. */
static char *
read_block(size_t *bytes)
{
	char line[32];

	if (!fgets(line, sizeof(line), stdin))
		return NULL;
	*bytes = strtoul(line, NULL, 10);
	/* No byte more, so that ASan sees reads past the end. */
	char *block = malloc(*bytes ? *bytes : 1);
	if (block && fread(block, 1, *bytes, stdin) != *bytes) {
		free(block);
		return NULL;
	}
	return block;
}

static void
print_string(const struct herald_json *json, struct herald_arena *arena)
{
	struct herald_text text;

	if (herald_json_read_string(json, arena, &text) != HERALD_OK) {
		puts(" s=-");
		return;
	}
	printf(" s=\"");
	for (size_t i = 0; i < text.bytes; i++)
		printf("%02x", (unsigned char)text.data[i]);
	putchar('\n');
}

static void
print_value(const struct herald_json *json, struct herald_arena *arena)
{
	int64_t int64;
	uint64_t uint64;
	double real;

	printf(" i=");
	if (herald_json_read_int64(json, &int64) == HERALD_OK)
		printf("%" PRId64, int64);
	printf(" u=");
	if (herald_json_read_uint64(json, &uint64) == HERALD_OK)
		printf("%" PRIu64, uint64);
	printf(" d=");
	if (herald_json_read_double(json, &real) == HERALD_OK)
		printf("%.17g", real);
	printf(" count=%zu", herald_json_count(json));
	print_string(json, arena);
}

static void
look_up(const char *document, size_t bytes, const char *pointer, struct herald_arena *arena)
{
	struct herald_json json, found;
	struct herald_error error;

	if (herald_json_check(document, bytes, NULL, &json, &error) != HERALD_OK) {
		printf("refused %zu\n", error.offset);
		return;
	}
	enum herald_status status = herald_json_find(&json, pointer, &found, &error);
	if (status != HERALD_OK) {
		printf("status %s\n", herald_status_name(status));
		return;
	}
	printf("at %zu %zu", (size_t)(found.data - document), found.bytes);
	print_value(&found, arena);
}

int
main(void)
{
	struct herald_arena *arena = NULL;
	char *document, *pointer = NULL;
	size_t bytes, pointer_bytes;

	if (herald_arena_create(NULL, 0, &arena) != HERALD_OK)
		return 1;
	while ((document = read_block(&bytes)) && (pointer = read_block(&pointer_bytes))) {
		char *text = herald_arena_copy(arena, pointer, pointer_bytes);

		if (text)
			look_up(document, bytes, text, arena);
		fflush(stdout);
		free(document);
		free(pointer);
		herald_arena_reset(arena);
	}
	free(document);
	herald_arena_destroy(arena);
	return 0;
}
