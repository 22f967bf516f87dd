/*
 * Regular expressions of schemas: ECMA-262 with the flag u, without anchors at the ends.
 */
#ifndef HERALD_CMD_PATTERN_H
#define HERALD_CMD_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/value.h>

struct pattern;

enum pattern_result {
	PATTERN_MATCHES,
	PATTERN_DIFFERS,
	PATTERN_FAILED, /* it took too many steps */
};

/* The arena keeps it. Returns NULL, and sets *reason, if it is not valid or not supported. */
const struct pattern *
pattern_compile(struct herald_arena *arena, struct herald_text text, const char **reason);

/*
 * Whether any part of a text matches.
 *
 * steps  set to how much work it was, from 1.
 */
enum pattern_result
pattern_match(const struct pattern *pattern, struct herald_text text, uint64_t *steps);

#endif
