/*
 * Detects what CivetWeb has skipped in a request's head. The core checks names, values and targets.
 *
 * CivetWeb (1.15) parses a head in place: its results are pointers into the head, and it terminates
 * each word by a NUL. It silently skips blanks, line feeds, and everything after a line that it
 * cannot read, such as a folded one. But then the bytes between its pointers differ from the bytes
 * of a head that it read completely:
 *
 *	POST NUL /event NUL HTTP/1.1 NUL NUL Host NUL blanks a NUL NUL Name NUL value NUL NUL CR NUL
 *
 * The last line feed of the head is always replaced by a NUL. The bytes before it contained no NUL.
 */
#include "head.h"

#include <string.h>

/* The byte after the NUL that terminates a word. */
static const char *
behind(const char *word)
{
	return word + strlen(word) + 1;
}

/* The place of "HTTP/", which CivetWeb removes from the version. */
static const char *
version_of(const struct mg_request_info *info)
{
	return info->http_version - strlen("HTTP/");
}

/*
 * Whether exactly one blank separates the words of the first line. CivetWeb decodes the path in
 * place, and may have cut off a query, so only the beginning and the end of the second word are
 * unchanged.
 */
static bool
is_line_whole(const struct mg_request_info *info)
{
	const char *blank = version_of(info) - 1;

	if (info->request_uri != behind(info->request_method) || *blank != '\0')
		return false;
	return blank[-1] != '\0' || info->query_string == blank;
}

/* Whether only blanks were between the colon and the value: other white space is overwritten by
 * NUL. */
static bool
is_colon_whole(const struct mg_header *header)
{
	const char *at = behind(header->name);

	while (at < header->value && (*at == ' ' || *at == '\t'))
		at++;
	return at == header->value;
}

bool
herald__head_is_whole(const struct mg_request_info *info)
{
	/* The beginning of the next line, after a carriage return and a line feed. */
	const char *next = behind(info->http_version) + 1;

	if (!is_line_whole(info))
		return false;
	/* If there is no header, CivetWeb may have failed to read the first line. HTTP/1.1 requires
	 * a Host; after a request of HTTP/1.0 without headers, CivetWeb closes the connection. */
	if (info->num_headers == 0)
		return strcmp(info->http_version, "1.0") == 0;
	for (int i = 0; i < info->num_headers; i++) {
		const struct mg_header *header = &info->http_headers[i];

		if (header->name != next || !is_colon_whole(header))
			return false;
		next = behind(header->value) + 1;
	}
	return next[0] == '\r' && next[1] == '\0';
}

const char *
herald__head_path(const struct mg_request_info *info)
{
	const char *end = version_of(info) - 1;
	const char *path = info->local_uri_raw;

	if (info->query_string)
		end = info->query_string - 1;
	/* A path that was decoded is shorter than it was. */
	return path && path + strlen(path) == end ? path : NULL;
}

bool
herald__head_path_is(const struct mg_request_info *info, const char *path)
{
	const char *sent = herald__head_path(info);

	return sent && strcmp(sent, path) == 0;
}
