/*
 * The version of these headers, and of the library that is linked.
 */
#ifndef HERALD_VERSION_H
#define HERALD_VERSION_H

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of these headers: major.minor.patch. */
#define HERALD_VERSION "0.1.0"

/** The version of the linked library, in the form of HERALD_VERSION. Static storage. */
HERALD_API const char *herald_version(void);

#ifdef __cplusplus
}
#endif
#endif
