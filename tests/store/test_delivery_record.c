/*
 * Deliveries as they are stored: what is refused when it is published, what is read back, and
 * records that are broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/codec.h>
#include <herald/schema.h>

#include "store/delivery_record.h"
#include "support/draw.h"
#include "support/failing_allocator.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define MAX_BODY_BYTES 100
#define URL "http://a.example/"

struct paid {
	const char *order;
	int32_t amount;
};

HERALD_SCHEMA(paid, HERALD_FIELD(paid, order, .required = true),
	      HERALD_FIELD(paid, amount));

static struct herald_codec *
paid_codec(void)
{
	struct herald_codec *codec;

	assert_int_equal(herald_codec_create(&paid_schema, NULL, NULL, &codec, NULL), HERALD_OK);
	return codec;
}

/* Checking. */

static void
test_what_is_refused(void **state)
{
	struct herald_codec *codec = paid_codec();
	struct paid unnamed = {.amount = 1}, large = {.order = NULL};
	char long_url[65540], name[120], many[65][8];
	const char *headers_65[65];
	static const char *const no_colon[] = {"X-A: b", "no colon"};
	static const char *const reserved[] = {"Herald-Attempt: 1"};
	const struct {
		struct herald_delivery delivery;
		enum herald_status status;
		size_t offset;
		const char *path, *message;
	} rows[] = {
		{{.url = NULL}, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "url", "expected a URL"},
		{{.url = ""}, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "url", "expected a URL"},
		{{.url = "ftp://a/"},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "url",
		 "expected an http or https URL"},
		{{.url = "http://a/b c"}, HERALD_BAD_VALUE, 10, "url", "expected a URL in ASCII"},
		{{.url = "http://a:0/"},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "url",
		 "port 0 is not allowed"},
		{{.url = long_url}, HERALD_BAD_LENGTH, HERALD_NO_OFFSET, "url", "65536 bytes"},
		{{.url = URL, .id = "a b"},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "id",
		 "id: may hold visible ASCII"},
		{{.url = URL, HERALD_BODY(long_url, 101)},
		 HERALD_BAD_LENGTH,
		 HERALD_NO_OFFSET,
		 "body",
		 "body: has 101 bytes, more than 100"},
		{{.url = URL, .body_bytes = 3},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "body",
		 "body: is NULL"},
		{{.url = URL, .content_type = "text/plain"},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "content_type",
		 "content_type: is set, but the body is not"},
		{{.url = URL, HERALD_HEADERS(no_colon)},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "headers[1]",
		 "headers[1]: must begin with a name"},
		{{.url = URL, HERALD_HEADERS(reserved)},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "headers[0]",
		 "has the reserved prefix"},
		{{.url = URL, HERALD_HEADERS(headers_65)},
		 HERALD_BAD_LENGTH,
		 HERALD_NO_OFFSET,
		 "headers_count",
		 "headers_count: is 65"},
		{{.url = URL, .codec = codec},
		 HERALD_BAD_VALUE,
		 HERALD_NO_OFFSET,
		 "value",
		 "value: is NULL"},
		{{.url = URL, .codec = codec, .value = &unnamed},
		 HERALD_MISSING,
		 HERALD_NO_OFFSET,
		 "/order",
		 "order"},
		{{.url = URL, .codec = codec, .value = &large},
		 HERALD_BAD_LENGTH,
		 HERALD_NO_OFFSET,
		 "value",
		 "value: has more than 100 bytes"},
	};

	(void)state;
	memset(long_url, 'a', sizeof(long_url) - 1);
	memcpy(long_url, URL, strlen(URL));
	long_url[65537] = '\0';
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	large.order = name;
	for (size_t i = 0; i < COUNT(many); i++) {
		snprintf(many[i], sizeof(many[i]), "X%zu: v", i);
		headers_65[i] = many[i];
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald__checked_delivery checked;
		struct herald_error error = {.status = HERALD_OK};

		assert_int_equal(herald__delivery_check(&rows[i].delivery, MAX_BODY_BYTES, NULL,
							&checked, &error),
				 rows[i].status);
		if (error.status != rows[i].status || error.offset != rows[i].offset ||
		    strcmp(error.path, rows[i].path) != 0 ||
		    !strstr(error.message, rows[i].message))
			fail_msg("row %zu: %s, byte %zu, at %s: %s", i,
				 herald_status_name(error.status), error.offset, error.path,
				 error.message);
		herald__delivery_check_finish(&checked);
		assert_int_equal(herald__delivery_check(&rows[i].delivery, MAX_BODY_BYTES, NULL,
							&checked, NULL),
				 rows[i].status);
		herald__delivery_check_finish(&checked);
	}
	herald_codec_destroy(codec);
}

/* What only some deliverers refuse is taken: they say so later. */
static void
test_what_is_taken(void **state)
{
	static const struct {
		const char *url, *origin;
	} rows[] = {
		{"http://127.0.0.1/", "http://127.0.0.1:80"},
		{"http://169.254.169.254/", "http://169.254.169.254:80"},
		{"http://user:secret@A.example:25/x", "http://a.example:25"},
		{"https://[::1]:65535/", "https://[::1]:65535"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald__checked_delivery checked;

		assert_int_equal(herald__delivery_check(
					 &(struct herald_delivery){.url = rows[i].url, .id = ""},
					 MAX_BODY_BYTES, NULL, &checked, NULL),
				 HERALD_OK);
		assert_string_equal(checked.origin, rows[i].origin);
		assert_null(checked.delivery.id);
		assert_null(checked.delivery.event_type);
		herald__delivery_check_finish(&checked);
	}
}

/* A database is given UTF-8 of limited length only, so that no event can make a commit fail. */
static void
test_texts_are_cut(void **state)
{
	struct herald__checked_delivery checked;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(herald__delivery_check(&(struct herald_delivery){.url = URL,
									  .event_type = text,
									  .event_id = text,
									  .result = "bad \xff\n",
									  .error = text},
						MAX_BODY_BYTES, NULL, &checked, NULL),
			 HERALD_OK);
	assert_int_equal(strlen(checked.delivery.event_type), 255);
	assert_string_equal(checked.delivery.event_type + 252, "...");
	assert_int_equal(strlen(checked.delivery.event_id), 127);
	assert_int_equal(strlen(checked.delivery.error), 255);
	assert_string_equal(checked.delivery.result, "bad \xef\xbf\xbd\\n");
	herald__delivery_check_finish(&checked);
}

/* Writing and reading. */

static struct herald_text
written(struct herald_buffer *buffer, const struct herald_delivery *delivery)
{
	buffer->bytes = 0;
	assert_int_equal(herald__delivery_record_write(delivery, buffer), HERALD_OK);
	return (struct herald_text){buffer->data, buffer->bytes};
}

static void
assert_same_text(const char *text, const char *expected)
{
	assert_int_equal(!text, !expected);
	if (expected)
		assert_string_equal(text, expected);
}

static void
assert_same(const struct herald_delivery *delivery, const struct herald_delivery *expected)
{
	assert_same_text(delivery->result, expected->result);
	assert_same_text(delivery->error, expected->error);
	assert_same_text(delivery->content_type, expected->content_type);
	assert_same_text(delivery->signer, expected->signer);
	assert_int_equal(!delivery->body, !expected->body);
	assert_int_equal(delivery->body_bytes, expected->body_bytes);
	assert_int_equal(delivery->body == HERALD_EMPTY_BODY, expected->body == HERALD_EMPTY_BODY);
	if (expected->body_bytes > 0)
		assert_memory_equal(delivery->body, expected->body, expected->body_bytes);
	assert_int_equal(!delivery->headers, !expected->headers);
	assert_int_equal(delivery->headers_count, expected->headers_count);
	for (size_t i = 0; expected->headers && delivery->headers && i < expected->headers_count;
	     i++)
		assert_string_equal(delivery->headers[i], expected->headers[i]);
}

/* The bytes on disk: a later version must read them, too. */
static void
test_the_bytes(void **state)
{
	static const char *const headers[] = {"X-A: b", "X-C: d"};
	static const char expected[] = "\1r\10\0\0\0success\0e\2\0\0\0x\0t\11\0\0\0text/xml\0"
				       "h\7\0\0\0X-A: b\0h\7\0\0\0X-C: d\0b\3\0\0\0<a>";
	struct herald_buffer buffer;

	(void)state;
	herald_buffer_init(&buffer, NULL, 0);
	written(&buffer, &(struct herald_delivery){.url = URL,
						   .id = "not in it",
						   .result = "success",
						   .error = "x",
						   .content_type = "text/xml",
						   HERALD_HEADERS(headers),
						   HERALD_BODY("<a>", 3)});
	assert_int_equal(buffer.bytes, sizeof(expected) - 1);
	assert_memory_equal(buffer.data, expected, sizeof(expected) - 1);
	written(&buffer, &(struct herald_delivery){.url = URL});
	assert_int_equal(buffer.bytes, 1);

	/* A signer is in version 2 only, so that a program that does not sign sends nothing. */
	static const char named[] = "\2s\5\0\0\0acme\0b\0\0\0\0";
	written(&buffer,
		&(struct herald_delivery){.url = URL, .signer = "acme", .body = HERALD_EMPTY_BODY});
	assert_int_equal(buffer.bytes, sizeof(named) - 1);
	assert_memory_equal(buffer.data, named, sizeof(named) - 1);
	written(&buffer, &(struct herald_delivery){.url = URL, .signer = ""});
	assert_int_equal(buffer.bytes, 1);
	herald_buffer_finish(&buffer);
}

/* A text of printable ASCII, or NULL. */
static const char *
draw_text(uint64_t *seed, char *out, size_t size)
{
	size_t bytes = (size_t)draw_below(seed, size);

	if (draw_one_in(seed, 3))
		return NULL;
	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)(' ' + draw_below(seed, 95));
	out[bytes] = '\0';
	return out;
}

struct drawn {
	char result[32], error[256], type[40], body[300], header_texts[64][40];
	const char *headers[64];
	struct herald_delivery delivery;
};

static void
draw_delivery(uint64_t *seed, struct drawn *out)
{
	size_t headers = draw_one_in(seed, 2) ? 0 : (size_t)draw_below(seed, 65);

	out->delivery = (struct herald_delivery){
		.url = URL,
		.result = draw_text(seed, out->result, sizeof(out->result)),
		.error = draw_text(seed, out->error, sizeof(out->error)),
		.content_type = draw_text(seed, out->type, sizeof(out->type)),
		.signer = draw_one_in(seed, 2) ? "acme" : NULL,
		.headers = headers > 0 ? out->headers : NULL,
		.headers_count = headers,
	};
	for (size_t i = 0; i < headers; i++) {
		snprintf(out->header_texts[i], sizeof(out->header_texts[i]), "X-%zu: %u", i,
			 (unsigned)draw_below(seed, 1000000));
		out->headers[i] = out->header_texts[i];
	}
	if (draw_one_in(seed, 3))
		return;
	out->delivery.body_bytes = (size_t)draw_below(seed, sizeof(out->body));
	out->delivery.body = out->delivery.body_bytes > 0 ? out->body : HERALD_EMPTY_BODY;
	for (size_t i = 0; i < out->delivery.body_bytes; i++)
		out->body[i] = (char)draw_below(seed, 256);
}

/* In a block of its own, so that ASan sees a read past its end. */
static struct herald_text
own_block(struct herald_text record)
{
	char *block = malloc(record.bytes > 0 ? record.bytes : 1);

	assert_non_null(block);
	if (record.bytes > 0)
		memcpy(block, record.data, record.bytes);
	return (struct herald_text){block, record.bytes};
}

static void
test_what_is_read_is_what_was_written(void **state)
{
	uint64_t seed = draw_seed();
	struct herald_buffer buffer;

	(void)state;
	herald_buffer_init(&buffer, NULL, 0);
	for (size_t i = 0; i < 5000; i++) {
		struct drawn drawn;
		struct herald_delivery read = {.url = "unchanged"};
		const char *headers[HERALD__MAX_HEADERS];

		draw_delivery(&seed, &drawn);
		struct herald_text record = own_block(written(&buffer, &drawn.delivery));
		assert_int_equal(herald__delivery_record_read(record, headers, &read, NULL),
				 HERALD_OK);
		assert_same(&read, &drawn.delivery);
		free((char *)record.data);
	}
	herald_buffer_finish(&buffer);
}

#define RECORD(TEXT)                                                                               \
	{                                                                                          \
		(TEXT), sizeof(TEXT) - 1                                                           \
	}

static void
test_broken_records(void **state)
{
	static const struct {
		struct herald_text record;
		size_t offset;
		const char *message;
	} rows[] = {
		{{NULL, 0}, 0, "it is empty at byte 0"},
		{RECORD("\3"), 0, "its version is not known at byte 0"},
		{RECORD("\1s\2\0\0\0a\0"), 1, "an unknown part at byte 1"},
		{RECORD("\2s\2\0\0\0a\0s\2\0\0\0b\0"), 8, "a second text of its kind at byte 8"},
		{RECORD("\2s\1\0\0\0\0"), 1, "an empty name of a signer at byte 1"},
		{RECORD("\2s\1\0\0\0x"), 1, "a text without a NUL at its end"},
		{RECORD("\0"), 0, "its version is not known"},
		{RECORD("\1r"), 1, "it ends within a part at byte 1"},
		{RECORD("\1r\1\0\0"), 1, "it ends within a part"},
		{RECORD("\1r\1\0\0\0"), 2, "a length is larger than the rest at byte 2"},
		{RECORD("\1b\377\377\377\377abc"), 2, "a length is larger than the rest"},
		{RECORD("\1b\4\0\0\0abc"), 2, "a length is larger than the rest"},
		{RECORD("\1b\2\0\0\0abc"), 8, "it ends within a part at byte 8"},
		{RECORD("\1r\0\0\0\0"), 1, "a text without a NUL at its end"},
		{RECORD("\1r\1\0\0\0x"), 1, "a text without a NUL at its end"},
		{RECORD("\1e\3\0\0\0a\0\0"), 1, "or with one before"},
		{RECORD("\1t\2\0\0\0a\0t\2\0\0\0b\0"), 8, "a second text of its kind at byte 8"},
		{RECORD("\1b\0\0\0\0b\0\0\0\0"), 6, "a second body at byte 6"},
		{RECORD("\1b\1\0\0\0xz\0\0\0\0"), 7, "an unknown part at byte 7"},
		{RECORD("\1h\1\0\0\0x"), 1, "a text without a NUL at its end"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_delivery read = {.url = "unchanged"};
		struct herald_error error = {.status = HERALD_OK};
		const char *headers[HERALD__MAX_HEADERS];
		struct herald_text record = own_block(rows[i].record);

		assert_int_equal(herald__delivery_record_read(record, headers, &read, &error),
				 HERALD_BAD_FORMAT);
		if (error.status != HERALD_BAD_FORMAT || error.offset != rows[i].offset ||
		    error.path[0] != '\0' ||
		    strncmp(error.message, "the stored delivery is broken: ", 31) != 0 ||
		    !strstr(error.message, rows[i].message))
			fail_msg("row %zu: byte %zu: %s", i, error.offset, error.message);
		assert_string_equal(read.url, "unchanged");
		free((char *)record.data);
	}
}

static void
test_too_many_headers(void **state)
{
	struct herald_buffer buffer;
	struct herald_delivery read;
	struct herald_error error;
	const char *headers[HERALD__MAX_HEADERS];

	(void)state;
	herald_buffer_init(&buffer, NULL, 0);
	assert_int_equal(herald_buffer_append(&buffer, "\1", 1), HERALD_OK);
	for (size_t i = 0; i < 65; i++) {
		assert_int_equal(herald__delivery_record_read(
					 (struct herald_text){buffer.data, buffer.bytes}, headers,
					 &read, NULL),
				 HERALD_OK);
		assert_int_equal(read.headers_count, i);
		assert_int_equal(herald_buffer_append(&buffer, "h\2\0\0\0a", 7), HERALD_OK);
	}
	assert_int_equal(
		herald__delivery_record_read((struct herald_text){buffer.data, buffer.bytes},
					     headers, &read, &error),
		HERALD_BAD_FORMAT);
	assert_int_equal(error.offset, 1 + 64 * 7);
	assert_string_equal(error.message,
			    "the stored delivery is broken: too many headers at byte 449");
	herald_buffer_finish(&buffer);
}

/* Whatever the bytes are, reading them is safe, and what is read stays within them. */
static void
test_bytes_that_change(void **state)
{
	uint64_t seed = draw_seed();
	struct herald_buffer buffer;
	size_t refused = 0;

	(void)state;
	herald_buffer_init(&buffer, NULL, 0);
	for (size_t i = 0; i < 20000; i++) {
		struct drawn drawn;
		struct herald_delivery read;
		struct herald_error error;
		const char *headers[HERALD__MAX_HEADERS];

		draw_delivery(&seed, &drawn);
		struct herald_text record = written(&buffer, &drawn.delivery);
		record.bytes -= draw_one_in(&seed, 2) ? draw_below(&seed, record.bytes) : 0;
		record = own_block(record);
		for (size_t changes = draw_below(&seed, 4); changes > 0; changes--)
			((char *)record.data)[draw_below(&seed, record.bytes)] =
				(char)draw_below(&seed, 256);
		enum herald_status status =
			herald__delivery_record_read(record, headers, &read, &error);
		if (status == HERALD_OK) {
			buffer.bytes = 0;
			assert_int_equal(herald__delivery_record_write(&read, &buffer), HERALD_OK);
			assert_int_equal(buffer.bytes, record.bytes);
		} else {
			refused++;
			assert_int_equal(status, HERALD_BAD_FORMAT);
			assert_true(error.offset < record.bytes || record.bytes == 0);
		}
		free((char *)record.data);
	}
	assert_true(refused > 1000);
	herald_buffer_finish(&buffer);
}

static void
test_limit_of_the_buffer(void **state)
{
	const struct herald_delivery delivery = {.url = URL, HERALD_BODY("12345678", 8)};
	struct herald_buffer buffer;

	(void)state;
	herald_buffer_init(&buffer, NULL, 14);
	assert_int_equal(herald__delivery_record_write(&delivery, &buffer), HERALD_OK);
	assert_int_equal(buffer.bytes, 14);
	herald_buffer_finish(&buffer);
	herald_buffer_init(&buffer, NULL, 13);
	assert_int_equal(herald__delivery_record_write(&delivery, &buffer), HERALD_TOO_LARGE);
	assert_int_equal(buffer.bytes, 0);
	herald_buffer_finish(&buffer);
}

static void
test_nth_allocation_fails(void **state)
{
	struct herald_codec *codec = paid_codec();
	const struct paid paid = {.order = "o-1", .amount = 5};
	size_t n = 0;

	(void)state;
	for (bool is_done = false; !is_done;) {
		struct failing_allocator memory;
		struct herald__checked_delivery checked;
		struct herald_buffer buffer;

		failing_allocator_init(&memory, FAIL_ONLY, ++n);
		herald_buffer_init(&buffer, &memory.allocator, 0);
		enum herald_status status = herald__delivery_check(
			&(struct herald_delivery){.url = URL, .codec = codec, .value = &paid},
			MAX_BODY_BYTES, &memory.allocator, &checked, NULL);
		if (status == HERALD_OK)
			status = herald__delivery_record_write(&checked.delivery, &buffer);
		is_done = memory.failures == 0;
		assert_int_equal(status, is_done ? HERALD_OK : HERALD_NO_MEMORY);
		if (is_done)
			assert_string_equal(checked.delivery.content_type, "application/json");
		else
			assert_int_equal(buffer.bytes, 0);
		herald__delivery_check_finish(&checked);
		herald_buffer_finish(&buffer);
		assert_all_released(&memory);
	}
	assert_true(n > 2);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_what_is_taken),
		cmocka_unit_test(test_texts_are_cut),
		cmocka_unit_test(test_the_bytes),
		cmocka_unit_test(test_what_is_read_is_what_was_written),
		cmocka_unit_test(test_broken_records),
		cmocka_unit_test(test_too_many_headers),
		cmocka_unit_test(test_bytes_that_change),
		cmocka_unit_test(test_limit_of_the_buffer),
		cmocka_unit_test(test_nth_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
