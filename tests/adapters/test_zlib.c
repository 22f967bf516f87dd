/*
 * The zlib adapter: gzip and deflate as an endpoint decodes them, in pieces, corrupt, and within
 * limits of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ZLIB_CONST
#include <zlib.h>

#include <herald/zlib.h>

#include "http/endpoint_fixture.h"
#include "support/compress.h"
#include "support/draw.h"
#include "support/events.h"
#include "support/failing_allocator.h"

#define MAX_BYTES 2000
#define TOO_LARGE "413 {\"error\":\"the body is larger than 2000 bytes\"}"
#define GZIP "expected a body in gzip (RFC 1952): "
#define DEFLATE "expected a body in deflate in zlib format (RFC 1950): "

static struct fixture
open_coded(struct herald_allocator allocator)
{
	return open_endpoint(allocator,
			     &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = MAX_BYTES,
						      .content_codings = herald_zlib_codings()));
}

static struct herald_http_request *
begin(const struct fixture *fixture, const char *content_encoding)
{
	return herald_http_request_create(
		fixture->endpoint,
		&(struct herald_http_head){.method = "POST",
					   .content_type = "application/json",
					   .content_encoding = content_encoding,
					   .content_length = HERALD_HTTP_NO_LENGTH});
}

/* A body that grows. */
struct body {
	char data[16384];
	size_t bytes;
};

static void
add(struct body *body, const void *data, size_t bytes)
{
	assert_true(bytes <= sizeof(body->data) - body->bytes);
	memcpy(body->data + body->bytes, data, bytes);
	body->bytes += bytes;
}

static void
add_compressed(struct body *body, int format, int level, const char *data, size_t bytes)
{
	size_t compressed_bytes;
	char *compressed = compress_body(format, level, data, bytes, &compressed_bytes);

	add(body, compressed, compressed_bytes);
	free(compressed);
}

/* The answer to a body in two pieces. */
static const char *
answer_of(const struct fixture *fixture, const char *coding, const struct body *body, size_t cut)
{
	struct herald_http_request *request = begin(fixture, coding);

	assert_null(herald_http_request_response(request));
	if (herald_http_request_append(request, body->data, cut))
		herald_http_request_append(request, body->data + cut, body->bytes - cut);
	trace[0] = '\0'; /* It has no room for so many events. */
	const char *text = text_of(herald_http_request_finish(request));
	herald_http_request_destroy(request);
	return text;
}

static void
check_splits(const struct fixture *fixture, const char *coding, const struct body *body,
	     const char *expected)
{
	for (size_t cut = 0; cut <= body->bytes; cut++)
		assert_string_equal(answer_of(fixture, coding, body, cut), expected);
}

/* An error, with the place. */
static void
check_error(const struct fixture *fixture, const char *coding, const struct body *body,
	    const char *error, size_t at)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "400 {\"error\":\"%s, at byte %zu\"}", error, at);
	for (size_t cut = 0; cut <= body->bytes; cut++)
		assert_string_equal(answer_of(fixture, coding, body, cut), expected);
}

/* Valid bodies. */

static void
test_every_level_and_split(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});

	(void)state;
	for (int level = 0; level <= 9; level++) {
		struct body gzip = {.bytes = 0}, deflated = {.bytes = 0};

		add_compressed(&gzip, COMPRESS_GZIP, level, SEED_EVENT, strlen(SEED_EVENT));
		add_compressed(&deflated, COMPRESS_DEFLATE, level, SEED_EVENT, strlen(SEED_EVENT));
		check_splits(&fixture, "gzip", &gzip, "200 " SUCCESS);
		check_splits(&fixture, "X-GZIP", &gzip, "200 " SUCCESS);
		check_splits(&fixture, "Deflate", &deflated, "200 " SUCCESS);
	}
	close_endpoint(&fixture);
}

/* RFC 1952 section 2.2. */
static void
test_members(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct body body = {.bytes = 0};

	(void)state;
	add_compressed(&body, COMPRESS_GZIP, 9, "", 0);
	add_compressed(&body, COMPRESS_GZIP, 9, SEED_EVENT, 40);
	add_compressed(&body, COMPRESS_GZIP, 0, &SEED_EVENT[40], strlen(SEED_EVENT) - 40);
	add_compressed(&body, COMPRESS_GZIP, 1, "", 0);
	check_splits(&fixture, "gzip", &body, "200 " SUCCESS);
	close_endpoint(&fixture);
}

/* A header with everything that RFC 1952 section 2.3 has, and flushes within the data. */
static void
test_header_fields_and_flushes(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct body body = {.bytes = 0};
	gz_header header = {.text = 1,
			    .time = 1,
			    .extra = (Bytef *)"AB\2\0xy",
			    .extra_len = 6,
			    .name = (Bytef *)"event.json",
			    .comment = (Bytef *)"a comment",
			    .hcrc = 1};
	z_stream stream = {0};

	(void)state;
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, COMPRESS_GZIP, 8, Z_FIXED), Z_OK);
	assert_int_equal(deflateSetHeader(&stream, &header), Z_OK);
	stream.next_out = (Bytef *)body.data;
	stream.avail_out = sizeof(body.data);
	stream.next_in = (const Bytef *)SEED_EVENT;
	for (size_t left = strlen(SEED_EVENT); left > 0;) {
		stream.avail_in = left < 20 ? (uInt)left : 20;
		left -= stream.avail_in;
		deflate(&stream, left > 0 ? Z_SYNC_FLUSH : Z_FINISH);
	}
	body.bytes = stream.total_out;
	deflateEnd(&stream);
	check_splits(&fixture, "gzip", &body, "200 " SUCCESS);
	close_endpoint(&fixture);
}

/* Draws texts with blanks, and pieces. */
static void
test_random_bodies(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	uint64_t random = draw_seed();

	(void)state;
	for (int round = 0; round < 300; round++) {
		static const int formats[] = {COMPRESS_GZIP, COMPRESS_DEFLATE};
		size_t format = draw_below(&random, 2);
		size_t blanks = draw_below(&random, 2 * MAX_BYTES);
		char *text = malloc(strlen(SEED_EVENT) + blanks);
		struct body body = {.bytes = 0};

		assert_non_null(text);
		memcpy(text, SEED_EVENT, strlen(SEED_EVENT));
		for (size_t i = 0; i < blanks; i++)
			text[strlen(SEED_EVENT) + i] = "\n\t \r"[draw_below(&random, 4)];
		add_compressed(&body, formats[format], (int)draw_below(&random, 10), text,
			       strlen(SEED_EVENT) + blanks);
		free(text);
		struct herald_http_request *request = begin(&fixture, format ? "deflate" : "gzip");
		for (size_t at = 0; at < body.bytes;) {
			size_t piece = 1 + draw_below(&random, body.bytes - at);

			if (!herald_http_request_append(request, body.data + at, piece))
				break;
			at += piece;
		}
		bool fits = strlen(SEED_EVENT) + blanks <= MAX_BYTES && body.bytes <= MAX_BYTES;
		trace[0] = '\0';
		assert_string_equal(text_of(herald_http_request_finish(request)),
				    fits ? "200 " SUCCESS : TOO_LARGE);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
}

/* Bad bodies. */

static void
test_ends_too_early(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct body whole[2] = {{.bytes = 0}, {.bytes = 0}};

	(void)state;
	add_compressed(&whole[0], COMPRESS_GZIP, 9, SEED_EVENT, strlen(SEED_EVENT));
	add_compressed(&whole[1], COMPRESS_DEFLATE, 9, SEED_EVENT, strlen(SEED_EVENT));
	for (int i = 0; i < 2; i++)
		for (size_t bytes = 0; bytes < whole[i].bytes; bytes++) {
			struct body body = {.bytes = 0};
			char expected[256];

			add(&body, whole[i].data, bytes);
			snprintf(expected, sizeof(expected),
				 "400 {\"error\":\"%sit ends too early, at byte %zu\"}",
				 i ? DEFLATE : GZIP, bytes);
			assert_string_equal(
				answer_of(&fixture, i ? "deflate" : "gzip", &body, bytes / 2),
				expected);
		}
	/* A second member likewise. */
	size_t bytes = whole[0].bytes;
	add(&whole[0], whole[0].data, 5);
	check_error(&fixture, "gzip", &whole[0], GZIP "it ends too early", bytes + 5);
	close_endpoint(&fixture);
}

static void
test_corrupt_bodies(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct body gzip = {.bytes = 0}, deflated = {.bytes = 0}, raw = {.bytes = 0}, body;

	(void)state;
	add_compressed(&gzip, COMPRESS_GZIP, 9, SEED_EVENT, strlen(SEED_EVENT));
	add_compressed(&deflated, COMPRESS_DEFLATE, 9, SEED_EVENT, strlen(SEED_EVENT));
	add_compressed(&raw, COMPRESS_RAW, 9, SEED_EVENT, strlen(SEED_EVENT));
	body = gzip;
	body.data[body.bytes - 8] ^= 1;
	check_error(&fixture, "gzip", &body, GZIP "incorrect data check", body.bytes - 4);
	body = gzip;
	body.data[body.bytes - 1] ^= 1;
	check_error(&fixture, "gzip", &body, GZIP "incorrect length check", body.bytes);
	body = gzip;
	add(&body, "more", 4);
	check_error(&fixture, "gzip", &body, GZIP "incorrect header check", gzip.bytes + 2);
	body = deflated;
	body.data[body.bytes - 1] ^= 1;
	check_error(&fixture, "deflate", &body, DEFLATE "incorrect data check", body.bytes);
	body = deflated;
	add(&body, "x", 1);
	check_error(&fixture, "deflate", &body, DEFLATE "bytes follow its end", deflated.bytes);
	check_error(&fixture, "deflate", &raw, DEFLATE "incorrect header check", 2);
	check_error(&fixture, "deflate", &gzip, DEFLATE "incorrect header check", 2);
	check_error(&fixture, "gzip", &deflated, GZIP "incorrect header check", 2);
	/* FDICT (RFC 1950 section 2.2). */
	body = (struct body){.data = {0x78, (char)0xbb, 1, 2, 3, 4}, .bytes = 6};
	check_error(&fixture, "deflate", &body, DEFLATE "it needs a dictionary", 6);
	assert_string_equal(trace, "");
	close_endpoint(&fixture);
}

/* Checksums find it: the event, or an error, but never something else. */
static void
test_every_bit_flipped(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct body bodies[2] = {{.bytes = 0}, {.bytes = 0}};
	size_t refused = 0;

	(void)state;
	add_compressed(&bodies[0], COMPRESS_GZIP, 9, SEED_EVENT, strlen(SEED_EVENT));
	add_compressed(&bodies[1], COMPRESS_DEFLATE, 9, SEED_EVENT, strlen(SEED_EVENT));
	for (int i = 0; i < 2; i++)
		for (size_t bit = 0; bit < 8 * bodies[i].bytes; bit++) {
			struct body body = bodies[i];

			body.data[bit / 8] ^= (char)(1 << bit % 8);
			const char *text =
				answer_of(&fixture, i ? "deflate" : "gzip", &body, body.bytes);
			if (strcmp(text, "200 " SUCCESS) == 0)
				continue;
			refused++;
			if (!strstr(text,
				    i ? "400 {\"error\":\"" DEFLATE : "400 {\"error\":\"" GZIP) &&
			    strcmp(text, TOO_LARGE) != 0)
				fail_msg("bit %zu: %s", bit, text);
		}
	/* All but the time, the system and hints in gzip's header. */
	assert_true(refused > 8 * (bodies[0].bytes + bodies[1].bytes) - 8 * 10);
	close_endpoint(&fixture);
}

/* Limits. */

/* 64 MiB of blanks; and such a body within another one's members. */
static void
test_bombs(void **state)
{
	struct failing_allocator memory;
	size_t blanks_bytes = (size_t)64 << 20, bytes;
	char *blanks = malloc(blanks_bytes);

	(void)state;
	assert_non_null(blanks);
	memset(blanks, ' ', blanks_bytes);
	char *bomb = compress_body(COMPRESS_GZIP, 9, blanks, blanks_bytes, &bytes);
	free(blanks);
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_coded(memory.allocator);
	size_t before = memory.bytes;
	struct herald_http_request *request = begin(&fixture, "gzip");
	/* The first bytes are enough. */
	assert_true(bytes > MAX_BYTES);
	assert_false(herald_http_request_append(request, bomb, MAX_BYTES));
	assert_string_equal(text_of(herald_http_request_response(request)), TOO_LARGE);
	assert_in_range(memory.peak_bytes, before, before + (64 << 10));
	/* The decoder is gone, before the request is. */
	assert_in_range(memory.bytes, before, before + (16 << 10));
	herald_http_request_destroy(request);
	free(bomb);
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

/* Bodies that never end and expand to nothing: the received bytes are limited, too. */
static void
test_endless_bodies(void **state)
{
	static const char header[] = {0x1f, (char)0x8b, 8, 8, 0, 0, 0, 0, 0, 3};
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct body empty = {.bytes = 0}, name = {.bytes = 0};

	(void)state;
	while (empty.bytes <= MAX_BYTES)
		add_compressed(&empty, COMPRESS_GZIP, 9, "", 0);
	add(&name, header, sizeof(header));
	while (name.bytes <= MAX_BYTES)
		add(&name, "name", 4);
	check_splits(&fixture, "gzip", &empty, TOO_LARGE);
	check_splits(&fixture, "gzip", &name, TOO_LARGE);
	close_endpoint(&fixture);
}

/* Memory. */

static bool
handle_while_failing(enum failing_mode mode, size_t n)
{
	struct failing_allocator memory;
	struct body body = {.bytes = 0};

	add_compressed(&body, COMPRESS_GZIP, 9, SEED_EVENT, strlen(SEED_EVENT));
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_coded(memory.allocator);
	memory.mode = mode;
	memory.fail_at = memory.calls + n;
	struct herald_http_request *request = begin(&fixture, "gzip");
	for (size_t at = 0; request && at < body.bytes; at += 50)
		if (!herald_http_request_append(request, body.data + at,
						body.bytes - at < 50 ? body.bytes - at : 50))
			break;
	const char *text =
		text_of(request ? herald_http_request_finish(request) : herald_http_unavailable());
	bool failed = memory.failures > 0;
	assert_string_equal(text,
			    !failed   ? "200 " SUCCESS
			    : request ? "503 {\"error\":\"out of memory\"} Retry-After: 1"
				      : "503 {\"error\":\"Service Unavailable\"} Retry-After: 1");
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
	assert_all_released(&memory);
	return failed;
}

static void
test_every_allocation_fails(void **state)
{
	(void)state;
	for (enum failing_mode mode = FAIL_ONLY; mode <= FAIL_FROM; mode++) {
		size_t n = 1;

		while (handle_while_failing(mode, n))
			n++;
		/* The request, the decoder, zlib's state and window, the body, the context. */
		assert_true(n > 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_level_and_split, events_setup),
		cmocka_unit_test_setup(test_members, events_setup),
		cmocka_unit_test_setup(test_header_fields_and_flushes, events_setup),
		cmocka_unit_test_setup(test_random_bodies, events_setup),
		cmocka_unit_test_setup(test_ends_too_early, events_setup),
		cmocka_unit_test_setup(test_corrupt_bodies, events_setup),
		cmocka_unit_test_setup(test_every_bit_flipped, events_setup),
		cmocka_unit_test_setup(test_bombs, events_setup),
		cmocka_unit_test_setup(test_endless_bodies, events_setup),
		cmocka_unit_test_setup(test_every_allocation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
