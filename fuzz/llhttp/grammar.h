/*
 * Requests drawn from a grammar: usual parts, and parts that parsers read differently. For
 * fuzz/llhttp.c.
 */
#ifndef HERALD_FUZZ_LLHTTP_GRAMMAR_H
#define HERALD_FUZZ_LLHTTP_GRAMMAR_H

#include <stddef.h>
#include <stdint.h>

/* A number below the limit, which is not 0. The seed changes. */
uint32_t grammar_draw(uint32_t *seed, uint32_t limit);

/* Write a request, which is cut off if there is not enough room. Returns its number of bytes. */
size_t grammar_write(uint32_t *seed, char *out, size_t room);

#endif
