/*
 * One call of zlib's compressor for a whole body. The caller owns the result.
 */
#include "support/compress.h"

#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

char *
compress_body(int format, int level, const char *data, size_t bytes, size_t *out_bytes)
{
	z_stream stream = {0};

	if (deflateInit2(&stream, level, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	size_t room = deflateBound(&stream, bytes);
	char *out = malloc(room);
	if (!out)
		abort();
	stream.next_in = (const Bytef *)data;
	stream.avail_in = (uInt)bytes;
	stream.next_out = (Bytef *)out;
	stream.avail_out = (uInt)room;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	*out_bytes = stream.total_out;
	deflateEnd(&stream);
	return out;
}
