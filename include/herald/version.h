/*
 * The version of the headers and of the linked library.
 */
#ifndef HERALD_VERSION_H
#define HERALD_VERSION_H

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of these headers: major.minor.patch. */
#define HERALD_VERSION "0.1.0"

/**
 * The same as a number, for the preprocessor: major << 16 | minor << 8 | patch. 1.2.3 is 0x010203.
 */
#define HERALD_VERSION_NUMBER 0x000100

/** The version of the linked library, such as "0.1.0". Static storage. */
HERALD_API const char *herald_version(void);

/** The version of the linked library, as a number like HERALD_VERSION_NUMBER. */
HERALD_API unsigned herald_version_number(void);

#ifdef __cplusplus
}
#endif
#endif
