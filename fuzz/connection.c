/*
 * Fuzzes a connection of the HTTP server: requests of any kind, one after the other. Split in any
 * way, with answers taken in pieces of any size, functions get the same and the client is sent the
 * same. With a clock that jumps, and with pauses and ends at any byte, what is sent is still a
 * sequence of well-formed answers, and all memory comes back. The wire (tests/support/wire.h)
 * checks the promises of herald/adapter/connection.h.
 *
 * The input: two bytes from which splits and jumps are drawn; then what the client sends.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#include "../tests/support/wire.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
/* As often the server is destroyed, and must have returned all its memory. */
#define RUNS_OF_A_SERVER 256

/* An allocator that counts. */

static size_t blocks, bytes_given;

static void *
allocate(size_t bytes, void *state)
{
	(void)state;
	blocks++;
	bytes_given += bytes;
	return malloc(bytes);
}

static void *
reallocate(void *block, size_t old_bytes, size_t bytes, void *state)
{
	(void)state;
	bytes_given += bytes - old_bytes;
	return realloc(block, bytes);
}

static void
release(void *block, size_t bytes, void *state)
{
	(void)state;
	if (!block)
		return;
	blocks--;
	bytes_given -= bytes;
	free(block);
}

/* Numbers from the input. */

static uint32_t
draw(uint32_t *seed, uint32_t limit)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(*seed >> 8) * limit >> 24);
}

static struct wire wire;
static unsigned runs;

static void
begin(void)
{
	if (runs++ % RUNS_OF_A_SERVER == 0) {
		if (runs > 1)
			wire_destroy(&wire);
		CHECK(blocks == 0 && bytes_given == 0);
		const struct herald_allocator counting = {
			.allocate = allocate, .reallocate = reallocate, .release = release};
		CHECK(wire_create(&wire,
				  &HERALD_SERVER_OPTIONS(.max_header_bytes = 256, .max_headers = 6,
							 .max_target_bytes = 100,
							 .allocator = counting),
				  NULL) == HERALD_OK);
	}
	CHECK(wire_connect(&wire));
}

static void
end(void)
{
	if (wire.connection)
		wire_end(&wire);
	if (wire.connection)
		wire_flush(&wire);
	CHECK(!wire.connection);
}

/* What functions were given, and what was sent, apart from 100 Continue. */
struct outcome {
	char *answers;
	char *given;
	size_t given_bytes;
};

static struct outcome
take_outcome(void)
{
	struct outcome outcome = {wire_answers(&wire), malloc(wire.given.bytes + 1),
				  wire.given.bytes};

	CHECK(outcome.given);
	if (wire.given.bytes > 0)
		memcpy(outcome.given, wire.given.data, wire.given.bytes);
	for (char *at = outcome.answers; (at = strstr(at, "100\n"));)
		if (at == outcome.answers || at[-1] == '\n')
			memmove(at, at + 4, strlen(at + 4) + 1);
		else
			at++;
	return outcome;
}

static struct outcome
run_whole(const char *data, size_t bytes)
{
	begin();
	wire.take_bytes = 0;
	wire_send(&wire, data, bytes);
	end();
	return take_outcome();
}

static struct outcome
run_pieces(const char *data, size_t bytes, uint32_t seed)
{
	uint32_t most = draw(&seed, 2) == 0 ? 4 : 1 + (uint32_t)bytes;

	begin();
	wire.take_bytes = draw(&seed, 3) == 0 ? 0 : 1 + draw(&seed, 3000);
	for (size_t at = 0; at < bytes && wire.connection;) {
		size_t piece = 1 + draw(&seed, most);

		piece = piece < bytes - at ? piece : bytes - at;
		wire_send(&wire, data + at, piece);
		at += piece;
		if (wire.connection && draw(&seed, 2) == 0)
			wire_take(&wire);
	}
	end();
	return take_outcome();
}

/* The same with time, which may run out, and an end before the end. */
static void
run_jumps(const char *data, size_t bytes, uint32_t seed)
{
	begin();
	wire.take_bytes = 1 + draw(&seed, 3000);
	for (size_t at = 0; at < bytes && wire.connection;) {
		size_t piece = 1 + draw(&seed, (uint32_t)bytes);

		piece = piece < bytes - at ? piece : bytes - at;
		wire_send(&wire, data + at, piece);
		at += piece;
		wire.now_ms += draw(&seed, 4) == 0 ? draw(&seed, 70000) : draw(&seed, 1000);
		if (wire.connection)
			wire_expire(&wire);
		if (wire.connection && draw(&seed, 2) == 0)
			wire_take(&wire);
		if (draw(&seed, 32) == 0)
			break;
	}
	if (draw(&seed, 2) == 0)
		wire_disconnect(&wire);
	while (wire.connection) {
		uint64_t deadline = herald_http_connection_deadline(wire.connection);

		CHECK(deadline != UINT64_MAX);
		wire.now_ms = deadline > wire.now_ms ? deadline : wire.now_ms;
		if (draw(&seed, 2) == 0)
			wire_flush(&wire);
		if (wire.connection)
			wire_expire(&wire);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	const char *text = (const char *)data + 2;
	uint32_t seed = (uint32_t)data[0] << 8 | data[1];
	struct outcome whole = run_whole(text, size - 2);
	struct outcome pieces = run_pieces(text, size - 2, seed);

	CHECK(whole.given_bytes == pieces.given_bytes);
	CHECK(memcmp(whole.given, pieces.given, whole.given_bytes) == 0);
	CHECK(strcmp(whole.answers, pieces.answers) == 0);
	run_jumps(text, size - 2, seed);
	free(whole.answers);
	free(whole.given);
	free(pieces.answers);
	free(pieces.given);
	return 0;
}
