/*
 * Fuzzes the scanner of the libevent adapter: what it passes on to evhttp and what it refuses must
 * not depend on the pieces in which the bytes arrive, and it must consume all bytes.
 *
 * The input: a byte that chooses the size of the pieces, one for the largest body, then what a
 * client sends.
 */
#include <stdlib.h>
#include <string.h>

#include "../adapters/http/libevent/scanner.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

/* The result of scanning a stream of bytes. */
struct outcome {
	char *passed;
	size_t passed_bytes;
	enum herald__scan_verdict verdict;
	enum herald__scan_state state;
};

/* Scan a piece, which is a block of its own size. */
static void
scan_piece(struct herald__scanner *scanner, const char *piece, size_t bytes, struct outcome *out)
{
	size_t at = 0;

	while (at < bytes) {
		struct herald__scan scan = herald__scanner_run(scanner, piece + at, bytes - at);

		CHECK(scan.passed_bytes + scan.dropped_bytes <= bytes - at);
		CHECK(out->verdict == SCAN_GOOD || scan.passed_bytes == 0);
		CHECK(scan.verdict != SCAN_GOOD || scan.passed_bytes + scan.dropped_bytes > 0);
		if (scan.passed_bytes > 0)
			memcpy(out->passed + out->passed_bytes, piece + at, scan.passed_bytes);
		out->passed_bytes += scan.passed_bytes;
		if (scan.verdict != SCAN_GOOD) {
			CHECK(out->verdict == SCAN_GOOD);
			out->verdict = scan.verdict;
		}
		at += scan.passed_bytes + scan.dropped_bytes;
	}
}

static struct outcome
scan(const uint8_t *data, size_t size, size_t piece_bytes, uint64_t max_body_bytes)
{
	struct outcome out = {.passed = malloc(size + 1), .verdict = SCAN_GOOD};
	struct herald__scanner scanner;

	CHECK(out.passed != NULL);
	herald__scanner_init(&scanner, max_body_bytes);
	for (size_t at = 0; at < size; at += piece_bytes) {
		size_t bytes = size - at < piece_bytes ? size - at : piece_bytes;
		char *piece = malloc(bytes);

		CHECK(piece != NULL);
		memcpy(piece, data + at, bytes);
		scan_piece(&scanner, piece, bytes, &out);
		free(piece);
	}
	out.state = scanner.state;
	herald__scanner_finish(&scanner);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;

	size_t piece_bytes = 1 + data[0] % 32;
	uint64_t max_body_bytes = data[1];
	struct outcome whole = scan(data + 2, size - 2, size, max_body_bytes);
	struct outcome pieces = scan(data + 2, size - 2, piece_bytes, max_body_bytes);

	CHECK(pieces.verdict == whole.verdict);
	CHECK(pieces.state == whole.state);
	/* A part of a bad line may have been passed on, depending on how it arrived. */
	if (whole.verdict == SCAN_GOOD) {
		CHECK(pieces.passed_bytes == whole.passed_bytes);
		CHECK(memcmp(pieces.passed, whole.passed, whole.passed_bytes) == 0);
	}
	free(whole.passed);
	free(pieces.passed);
	return 0;
}
