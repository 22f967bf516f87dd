/*
 * Reads between CivetWeb's lines. It owns nothing; that names, values and targets are good ones is
 * the core's to say.
 *
 * CivetWeb (1.15) parses a head in place: what it finds are pointers into it, and it ends each word
 * by writing NUL over what was behind it. It says nothing of what it skips: blanks, line feeds, and
 * everything behind a line that it cannot read, such as a folded one. But then there is something
 * else between its pointers than there would be otherwise:
 *
 *	POST NUL /event NUL HTTP/1.1 NUL NUL Host NUL blanks a NUL NUL Name NUL value NUL NUL CR NUL
 *
 * There is always a NUL at the head's end, which is its last line feed, and before it no byte was
 * NUL.
 */
#include "head.h"

#include <string.h>

/* The byte behind the NUL at the end of a word. */
static const char *
behind(const char *word)
{
	return word + strlen(word) + 1;
}

/* "HTTP/", which CivetWeb leaves out of the version. */
static const char *
version_of(const struct mg_request_info *info)
{
	return info->http_version - strlen("HTTP/");
}

/*
 * Between the words of the first line is one blank each. CivetWeb decodes the path in place, and
 * may have cut off a query: of the second word only its beginning and its end are where they were.
 */
static bool
is_line_whole(const struct mg_request_info *info)
{
	const char *blank = version_of(info) - 1;

	if (info->request_uri != behind(info->request_method) || *blank != '\0')
		return false;
	return blank[-1] != '\0' || info->query_string == blank;
}

/* Nothing but blanks lie between a name and its value: other blanks are overwritten by NUL. */
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
	/* Where the next line begins: behind a carriage return and a line feed. */
	const char *next = behind(info->http_version) + 1;

	if (!is_line_whole(info))
		return false;
	/* Of a first line that it cannot read nothing can be told. HTTP/1.1 wants a Host, and after a
	 * request of HTTP/1.0 without a header CivetWeb closes the connection. */
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

bool
herald__head_path_is(const struct mg_request_info *info, const char *path)
{
	const char *end = version_of(info) - 1;

	if (info->query_string)
		end = info->query_string - 1;
	/* It is shorter than it was if it had something to decode. */
	return strcmp(info->local_uri_raw, path) == 0 && info->local_uri_raw + strlen(path) == end;
}
