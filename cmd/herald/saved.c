/*
 * Saves requests. Existing files are never overwritten.
 */
#include "saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/text.h>

#define LAST 999999
#define PATH_BYTES 4096

/* Create the next file that does not exist, and set `path` to it. Returns NULL, with errno, if
 * there is none. */
static FILE *
create_next(const char *directory, char path[PATH_BYTES])
{
	static unsigned number = 0;

	while (++number <= LAST) {
		size_t bytes =
			(size_t)snprintf(path, PATH_BYTES, "%s/%06u.http", directory, number);
		if (bytes >= PATH_BYTES) {
			errno = ENAMETOOLONG;
			return NULL;
		}
		int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (file >= 0)
			return fdopen(file, "w");
		if (errno != EEXIST)
			return NULL;
	}
	errno = EFBIG;
	return NULL;
}

/* The body is written as a whole, so its length replaces its transfer coding. */
static bool
write_header(FILE *file, const struct herald_cloudevent_header *header, size_t body_bytes)
{
	if (herald_ascii_same(header->name, "Transfer-Encoding"))
		return fprintf(file, "Content-Length: %zu\r\n", body_bytes) > 0;
	return herald_ascii_same(header->name, "Trailer") ||
	       fprintf(file, "%s: %s\r\n", header->name, header->value) > 0;
}

/* On failure, errno is set. */
static bool
write_request(FILE *file, const struct herald_server_request *from,
	      const struct herald_cloudevent_headers *headers)
{
	bool is_written =
		fprintf(file, "%s %s%s%s HTTP/1.1\r\n", from->method.data, from->path.data,
			from->query.bytes > 0 ? "?" : "", from->query.data) > 0;

	for (size_t i = 0; i < headers->headers_count && is_written; i++)
		is_written = write_header(file, &headers->headers[i], from->body.bytes);
	return is_written && fputs("\r\n", file) >= 0 &&
	       fwrite(from->body.data, 1, from->body.bytes, file) == from->body.bytes &&
	       fflush(file) == 0;
}

bool
saved_write(const char *directory, const struct herald_server_request *from,
	    const struct inspect_request *request)
{
	char path[PATH_BYTES];
	FILE *file = create_next(directory, path);
	bool is_written = file && write_request(file, from, &request->headers);
	int number = errno;

	if (file && fclose(file) != 0 && is_written) {
		number = errno;
		is_written = false;
	}
	if (is_written)
		return true;
	if (file) /* a part of a request would be taken for another request */
		unlink(path);
	fprintf(stderr, "herald: listen: cannot save to %s: %s\n", directory,
		herald_errno_text(number));
	return false;
}
