/*
 * What the two halves of the C++ test share.
 */
#ifndef TESTS_CPP_SCHEMA_H
#define TESTS_CPP_SCHEMA_H

#include <stdint.h>

#include <herald/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greeting {
	const char *name;
	int32_t times;
};

extern const struct herald_schema *const greeting;

#ifdef __cplusplus
}
#endif
#endif
