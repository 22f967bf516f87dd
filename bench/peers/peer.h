/*
 * What a C or C++ peer provides to peer.c, which owns main, the measuring and the protocol with the
 * driver.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The event to work on. `data` has 64 readable bytes after its end, as simdjson wants them. */
struct document {
	const char *data;
	size_t bytes;
};

struct peer_arguments {
	const char *variant;
	bool encode;
	const char *type;    /* Of the payload: "order_placed". */
	size_t routes_count; /* 0: as many as there are types. */
	const struct document *documents;
	size_t documents_count;
	size_t max_bytes; /* Of the longest document. */
};

/* Get ready. For encode: decode the first document into the struct that peer_event() will
 * encode. */
void peer_open(const struct peer_arguments *arguments);

/* What is measured: one event decoded or encoded. */
void peer_event(const struct document *document);

/* Do it once, and write all the decoded values, or the JSON, to stdout. */
void peer_check(const struct document *document);

__attribute__((noreturn, format(printf, 1, 2))) void peer_fail(const char *format, ...);

#ifdef __cplusplus
}
#endif
#endif
