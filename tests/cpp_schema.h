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

HERALD_SCHEMA_DECLARE(greeting);

#ifdef __cplusplus
}
#endif
#endif
