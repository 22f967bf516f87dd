/*
 * URIs of schemas, and the JSON Pointers in their fragments. Nothing is fetched.
 */
#include "uri.h"

#include <stdio.h>
#include <string.h>

#include "tool_memory.h"

/* The pieces of a URI. A missing piece has no data. */
struct pieces {
	struct herald_text scheme, authority, path, query, fragment;
};

static struct herald_text
piece(const char *begin, const char *end)
{
	return (struct herald_text){begin, (size_t)(end - begin)};
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number of characters before the ':' after a scheme; 0 if there is no scheme. */
static size_t
scheme_bytes(const char *text)
{
	size_t bytes = 0;

	if (!is_letter(*text))
		return 0;
	while (is_letter(text[bytes]) || is_digit(text[bytes]) ||
	       (text[bytes] != '\0' && strchr("+-.", text[bytes])))
		bytes++;
	return text[bytes] == ':' ? bytes : 0;
}

static struct pieces
split(const char *text)
{
	struct pieces out = {.scheme = {.data = NULL}};
	size_t bytes = scheme_bytes(text);

	if (bytes > 0) {
		out.scheme = piece(text, text + bytes);
		text += bytes + 1;
	}
	if (strncmp(text, "//", 2) == 0) {
		bytes = strcspn(text + 2, "/?#");
		out.authority = piece(text + 2, text + 2 + bytes);
		text += 2 + bytes;
	}
	bytes = strcspn(text, "?#");
	out.path = piece(text, text + bytes);
	text += bytes;
	if (*text == '?') {
		bytes = strcspn(text, "#");
		out.query = piece(text + 1, text + bytes);
		text += bytes;
	}
	if (*text == '#')
		out.fragment = piece(text + 1, text + strlen(text));
	return out;
}

/* Remove "." and ".." from a path, in place (RFC 3986 section 5.2.4). */
static void
remove_dots(char *path)
{
	char *out = path;

	for (const char *at = path; *at != '\0';) {
		size_t bytes = strcspn(at + 1, "/") + 1;
		bool is_last = at[bytes] == '\0';

		if (bytes == 2 && strncmp(at, "/.", 2) == 0) {
			if (is_last)
				*out++ = '/';
		} else if (bytes == 3 && strncmp(at, "/..", 3) == 0) {
			while (out > path && *--out != '/')
				continue;
			if (is_last)
				*out++ = '/';
		} else {
			memmove(out, at, bytes);
			out += bytes;
		}
		at += bytes;
	}
	*out = '\0';
}

/* The path of a reference that is relative to the base's. */
static char *
merge_paths(struct herald_arena *arena, const struct pieces *base, struct herald_text path)
{
	size_t kept = base->path.bytes;

	while (kept > 0 && base->path.data[kept - 1] != '/')
		kept--;
	return memory_print(arena, "%s%.*s%.*s", kept == 0 && base->authority.data ? "/" : "",
			    (int)kept, base->path.data, (int)path.bytes, path.data);
}

static char *
join(struct herald_arena *arena, const struct pieces *pieces, const char *path)
{
	return memory_print(
		arena, "%.*s%s%s%.*s%s%s%.*s%s%.*s", (int)pieces->scheme.bytes,
		pieces->scheme.data ? pieces->scheme.data : "", pieces->scheme.data ? ":" : "",
		pieces->authority.data ? "//" : "", (int)pieces->authority.bytes,
		pieces->authority.data ? pieces->authority.data : "", path,
		pieces->query.data ? "?" : "", (int)pieces->query.bytes,
		pieces->query.data ? pieces->query.data : "", pieces->fragment.data ? "#" : "",
		(int)pieces->fragment.bytes, pieces->fragment.data ? pieces->fragment.data : "");
}

char *
uri_resolve(struct herald_arena *arena, const char *base_text, const char *reference)
{
	struct pieces base = split(base_text), out = split(reference);
	char *path = memory_copy(arena, out.path.data, out.path.bytes);

	if (out.scheme.data) {
		if (out.authority.data || *path == '/')
			remove_dots(path);
		return join(arena, &out, path);
	}
	out.scheme = base.scheme;
	if (!out.authority.data) {
		out.authority = base.authority;
		if (*path == '\0') {
			path = memory_copy(arena, base.path.data, base.path.bytes);
			if (!out.query.data)
				out.query = base.query;
			return join(arena, &out, path);
		}
		if (*path != '/')
			path = merge_paths(arena, &base, out.path);
	}
	if (*path == '/')
		remove_dots(path);
	return join(arena, &out, path);
}

char *
uri_of_file(struct herald_arena *arena, const char *path)
{
	char *escaped = memory_take(arena, 3 * strlen(path) + 1), *at = escaped;

	for (; *path != '\0'; path++)
		if (strchr("%?# ", *path))
			at += sprintf(at, "%%%02X", (unsigned)*path);
		else
			*at++ = *path;
	return uri_resolve(arena, "file:///", escaped);
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *
uri_cut_fragment(char *uri)
{
	char *hash = strchr(uri, '#');

	if (!hash)
		return uri + strlen(uri);
	*hash = '\0';
	char *out = hash + 1;
	for (const char *at = hash + 1; *at != '\0'; at++)
		if (*at == '%' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
			*out++ = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
			at += 2;
		} else {
			*out++ = *at;
		}
	*out = '\0';
	return hash + 1;
}

bool
uri_pointer_next(char **pointer, struct herald_text *name)
{
	char *at = *pointer, *out = at + 1;

	if (*at != '/')
		return false;
	name->data = out;
	for (at++; *at != '\0' && *at != '/'; at++)
		if (*at == '~' && (at[1] == '0' || at[1] == '1'))
			*out++ = *++at == '0' ? '~' : '/';
		else
			*out++ = *at;
	name->bytes = (size_t)(out - name->data);
	*pointer = at;
	return true;
}

bool
uri_is_valid(struct herald_text text)
{
	size_t scheme = scheme_bytes(text.data);
	struct pieces pieces = split(text.data);

	if (scheme == 0 || strlen(text.data) != text.bytes)
		return false;
	for (const char *at = text.data + scheme + 1; *at != '\0'; at++) {
		bool is_host = pieces.authority.data && at >= pieces.authority.data &&
			       at < pieces.authority.data + pieces.authority.bytes;

		if (*at == '%' ? hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0
			       : !is_letter(*at) && !is_digit(*at) &&
					 !strchr("-._~:/?#@!$&'()*+,;=", *at) &&
					 !(is_host && strchr("[]", *at)))
			return false;
	}
	return !pieces.fragment.data ||
	       memchr(pieces.fragment.data, '#', pieces.fragment.bytes) == NULL;
}
