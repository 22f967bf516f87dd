/*
 * Fuzzes the codec's vector code against the codes of lesser machines: the same core, compiled
 * without AVX2 and in plain C, each into a module of its own. All get the same bytes and must agree
 * on all that a caller sees: the status, the place and the text of an error, the struct, and what
 * it is encoded as. The same bytes are a string to encode as well, with some room in the buffer or
 * with none.
 *
 * The document lies between two pages that nobody may touch, once against each of them: a byte read
 * beyond its ends is a crash, and its alignment that depends on its size.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <herald/codec.h>

#include "../tests/support/every_kind.h"
#include "target.h"

/* A finding must end the process even where assert() is compiled out. */
#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

typedef enum herald_status
create_function(const struct herald_schema *, const struct herald_limits *,
		const struct herald_allocator *, struct herald_codec **, struct herald_error *);
typedef enum herald_status decode_function(const struct herald_codec *, char *, size_t,
					   struct herald_arena *, void *, struct herald_error *);
typedef enum herald_status encode_function(const struct herald_codec *, const void *,
					   struct herald_buffer *, struct herald_error *);
typedef enum herald_status
create_arena_function(const struct herald_allocator *, size_t, struct herald_arena **);
typedef void reset_arena_function(struct herald_arena *);

/* One of the cores. */
struct variant {
	decode_function *decode;
	encode_function *encode;
	reset_arena_function *reset;
	struct herald_codec *codec, *text_codec;
	struct herald_arena *arena;
	char *begin; /* the pages between the two that nobody may touch */
	size_t bytes;
};

/* What a caller sees of one decoding. */
struct outcome {
	enum herald_status status;
	struct herald_error error;
	struct every_kind decoded;
};

/* The bytes as a string. */
struct text {
	struct herald_text v;
};
HERALD_SCHEMA(text, HERALD_FIELD(text, v));

static const char *const modules[] = {LESSER_MODULES};

#define LESSER_COUNT (sizeof(modules) / sizeof(modules[0]))

static struct variant best, lesser[LESSER_COUNT];

/* A symbol of the module; ISO C has no cast from what dlsym() returns to a function. */
static void
find_symbol(void *module, const char *name, void *out)
{
	void *symbol = dlsym(module, name);

	CHECK(symbol != NULL);
	memcpy(out, &symbol, sizeof(symbol));
}

static void
create_best(struct variant *variant)
{
	variant->decode = herald_codec_decode;
	variant->encode = herald_codec_encode;
	variant->reset = herald_arena_reset;
	CHECK(herald_codec_create(every_kind_table, NULL, NULL, &variant->codec, NULL) ==
	      HERALD_OK);
	CHECK(herald_codec_create(&text_schema, NULL, NULL, &variant->text_codec, NULL) ==
	      HERALD_OK);
	CHECK(herald_arena_create(NULL, 0, &variant->arena) == HERALD_OK);
}

static void
create_lesser(struct variant *variant, const char *path)
{
	void *module;
	create_function *create;
	create_arena_function *create_arena;

	CHECK((module = dlopen(path, RTLD_NOW | RTLD_LOCAL)) != NULL);
	find_symbol(module, "herald_codec_decode", &variant->decode);
	find_symbol(module, "herald_codec_encode", &variant->encode);
	find_symbol(module, "herald_arena_reset", &variant->reset);
	find_symbol(module, "herald_codec_create", &create);
	find_symbol(module, "herald_arena_create", &create_arena);
	CHECK(variant->decode != herald_codec_decode);
	CHECK(create(every_kind_table, NULL, NULL, &variant->codec, NULL) == HERALD_OK);
	CHECK(create(&text_schema, NULL, NULL, &variant->text_codec, NULL) == HERALD_OK);
	CHECK(create_arena(NULL, 0, &variant->arena) == HERALD_OK);
}

static void
create_all(void)
{
	if (best.codec != NULL)
		return;
	create_best(&best);
	for (size_t i = 0; i < LESSER_COUNT; i++)
		create_lesser(&lesser[i], modules[i]);
}

/* Make room for a document between two guard pages. */
static void
make_room(struct variant *variant, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t wanted = (bytes + page) / page * page;
	char *pages;

	if (wanted <= variant->bytes)
		return;
	if (variant->begin != NULL)
		munmap(variant->begin - page, variant->bytes + 2 * page);
	pages = mmap(NULL, wanted + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	CHECK(mprotect(pages + page, wanted, PROT_READ | PROT_WRITE) == 0);
	variant->begin = pages + page;
	variant->bytes = wanted;
}

/* Decode a copy that begins, or ends, where the room does. */
static void
decode_copy(struct variant *variant, const uint8_t *data, size_t size, bool at_end,
	    struct outcome *out)
{
	make_room(variant, size);

	char *document = variant->begin + (at_end ? variant->bytes - size : 0);

	if (size > 0)
		memcpy(document, data, size);
	memset(out, 0, sizeof(*out));
	out->error.offset = HERALD_NO_OFFSET;
	out->status = variant->decode(variant->codec, document, size, variant->arena, &out->decoded,
				      &out->error);
}

/* Encode what both made of the document; the texts are the same, or the errors. */
static void
check_encoded(const struct outcome *from_best, const struct variant *other,
	      const struct outcome *from_other)
{
	struct herald_buffer first, second;
	struct herald_error first_error = {.offset = 0}, second_error = {.offset = 0};
	enum herald_status status;

	herald_buffer_init(&first, NULL, 0);
	herald_buffer_init(&second, NULL, 0);
	status = best.encode(best.codec, &from_best->decoded, &first, &first_error);
	CHECK(other->encode(other->codec, &from_other->decoded, &second, &second_error) == status);
	CHECK(strcmp(first_error.path, second_error.path) == 0);
	CHECK(first.bytes == second.bytes);
	CHECK(first.bytes == 0 || memcmp(first.data, second.data, first.bytes) == 0);
	herald_buffer_finish(&first);
	herald_buffer_finish(&second);
}

static void
check_all(const uint8_t *data, size_t size, bool at_end)
{
	static struct outcome from_best, from_other;

	decode_copy(&best, data, size, at_end, &from_best);
	for (size_t i = 0; i < LESSER_COUNT; i++) {
		struct variant *other = &lesser[i];

		decode_copy(other, data, size, at_end, &from_other);
		CHECK(from_best.status == from_other.status);
		CHECK(from_best.error.offset == from_other.error.offset);
		CHECK(strcmp(from_best.error.path, from_other.error.path) == 0);
		CHECK(strcmp(from_best.error.message, from_other.error.message) == 0);
		if (from_best.status == HERALD_OK) {
			CHECK(every_equal(every_kind_table, &from_best.decoded,
					  &from_other.decoded));
			check_encoded(&from_best, other, &from_other);
		}
		other->reset(other->arena);
	}
	best.reset(best.arena);
}

/* Encode the bytes themselves, up to a page that nobody may touch, into a buffer with that much
 * room. */
static void
check_text(const uint8_t *data, size_t size, size_t room)
{
	struct text text = {{best.begin + best.bytes - size, size}};
	struct herald_buffer first, second;
	struct herald_error first_error, second_error;
	enum herald_status status;

	if (size > 0)
		memcpy(best.begin + best.bytes - size, data, size);
	herald_buffer_init(&first, NULL, 0);
	CHECK(herald_buffer_reserve(&first, room) == HERALD_OK);
	status = best.encode(best.text_codec, &text, &first, &first_error);
	for (size_t i = 0; i < LESSER_COUNT; i++) {
		herald_buffer_init(&second, NULL, 0);
		CHECK(herald_buffer_reserve(&second, room) == HERALD_OK);
		CHECK(lesser[i].encode(lesser[i].text_codec, &text, &second, &second_error) ==
		      status);
		CHECK(first.bytes == second.bytes && first.capacity == second.capacity);
		CHECK(memcmp(first.data, second.data, first.bytes) == 0);
		CHECK(status == HERALD_OK ||
		      strcmp(first_error.message, second_error.message) == 0);
		herald_buffer_finish(&second);
	}
	herald_buffer_finish(&first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	create_all();
	check_all(data, size, false);
	check_all(data, size, true);
	check_text(data, size, 1);
	check_text(data, size, size + 16 + size % 512);
	check_text(data, size, 6 * size + 512);
	return 0;
}
