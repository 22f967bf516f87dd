/*
 * The C half of the C++ test: the macros that define schemas are C11, so a C++ program has them in a C
 * file like this one.
 */
#include "cpp_schema.h"

HERALD_SCHEMA_DEFINE(greeting,
	HERALD_FIELD(greeting, name, .required = true),
	HERALD_FIELD(greeting, times, HERALD_RANGE(1, 9)));
