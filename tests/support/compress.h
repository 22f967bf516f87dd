/* Compresses bodies with zlib, for tests and fuzz targets. */
#ifndef HERALD_TESTS_SUPPORT_COMPRESS_H
#define HERALD_TESTS_SUPPORT_COMPRESS_H

#include <stddef.h>

/* Formats of deflateInit2(). */
#define COMPRESS_GZIP (15 + 16)
#define COMPRESS_DEFLATE 15
#define COMPRESS_RAW (-15)

/*
 * Compress bytes; the caller frees the result. Aborts when out of memory.
 *
 * format     one of the above.
 * level      0, stored, to 9.
 * out_bytes  set to the size of the result.
 */
char *compress_body(int format, int level, const char *data, size_t bytes, size_t *out_bytes);

#endif
