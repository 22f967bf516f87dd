/*
 * Forms (application/x-www-form-urlencoded) and URLs, as Twilio's signatures need them.
 */
#include "form.h"

#include <stdlib.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>

bool
herald__form_is_type(struct herald_text content_type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *end =
		content_type.bytes == 0 ? NULL : memchr(content_type.data, ';', content_type.bytes);
	const struct herald_text type = herald_http_trimmed(
		content_type.data, end ? (size_t)(end - content_type.data) : content_type.bytes);

	return type.bytes == sizeof(form) - 1 &&
	       herald_ascii_same_bytes(type.data, form, type.bytes);
}

/* Pairs. */

struct pair {
	struct herald_text name, value;
};

/* A form being read. */
struct reader {
	struct pair *pairs;
	size_t count;
	char *to; /* where the next decoded text goes */
};

static int
digit_value(char digit)
{
	char lower = herald_ascii_lower(digit);

	return lower <= '9' ? lower - '0' : lower - 'a' + 10;
}

/* Decode %XX and '+'. A '%' without digits is itself. */
static struct herald_text
decode(struct reader *reader, const char *at, const char *end)
{
	const char *begin = reader->to;

	while (at < end) {
		bool is_escape = *at == '%' && end - at > 2 && herald_ascii_is_hex_digit(at[1]) &&
				 herald_ascii_is_hex_digit(at[2]);

		if (is_escape)
			*reader->to++ = (char)(digit_value(at[1]) << 4 | digit_value(at[2]));
		else
			*reader->to++ = *at == '+' ? ' ' : *at;
		at += is_escape ? 3 : 1;
	}
	return (struct herald_text){begin, (size_t)(reader->to - begin)};
}

static void
read_pairs(struct reader *reader, const char *at, size_t bytes)
{
	const char *end = at + bytes;

	while (at < end) {
		const char *next = memchr(at, '&', (size_t)(end - at));
		const char *stop = next ? next : end;
		const char *equals = memchr(at, '=', (size_t)(stop - at));

		if (stop > at) {
			struct pair *pair = &reader->pairs[reader->count++];

			pair->name = decode(reader, at, equals ? equals : stop);
			pair->value = equals ? decode(reader, equals + 1, stop)
					     : (struct herald_text){"", 0};
		}
		at = stop + 1;
	}
}

static int
compare_texts(const struct herald_text *a, const struct herald_text *b)
{
	size_t bytes = a->bytes < b->bytes ? a->bytes : b->bytes;
	int order = bytes == 0 ? 0 : memcmp(a->data, b->data, bytes);

	return order != 0 ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;
	int order = compare_texts(&left->name, &right->name);

	return order != 0 ? order : compare_texts(&left->value, &right->value);
}

static void
append(char **to, const struct herald_text *text)
{
	memcpy(*to, text->data, text->bytes);
	*to += text->bytes;
}

/* Write the pairs to `to`. A pair that has come several times is signed once. */
static struct herald_text
write_pairs(const struct reader *reader, char *to)
{
	const char *begin = to;

	for (size_t i = 0; i < reader->count; i++) {
		const struct pair *pair = &reader->pairs[i];

		if (i > 0 && compare_pairs(pair, pair - 1) == 0)
			continue;
		append(&to, &pair->name);
		append(&to, &pair->value);
	}
	return (struct herald_text){begin, (size_t)(to - begin)};
}

/* The pairs that are not empty. */
static size_t
count_pairs(const char *text, size_t bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes; i++)
		count += text[i] != '&' && (i == 0 || text[i - 1] == '&');
	return count;
}

enum herald_status
herald__form_read(const struct herald_allocator *allocator, size_t max_pairs, const void *body,
		  size_t bytes, struct herald__form *out)
{
	const char *text = body;
	size_t count = count_pairs(text, bytes);

	*out = (struct herald__form){.text = {"", 0}};
	if (count == 0)
		return HERALD_OK;
	if (count > max_pairs)
		return HERALD_LIMIT;
	/* The pairs, then what is decoded, then what is sorted. */
	out->block_bytes = count * sizeof(struct pair) + 2 * bytes;
	out->block = herald_memory_allocate(allocator, out->block_bytes);
	if (!out->block)
		return HERALD_NO_MEMORY;
	struct reader reader = {.pairs = out->block, .to = (char *)out->block};
	reader.to += count * sizeof(struct pair);
	char *sorted = reader.to + bytes;
	read_pairs(&reader, text, bytes);
	qsort(reader.pairs, reader.count, sizeof(*reader.pairs), compare_pairs);
	out->text = write_pairs(&reader, sorted);
	return HERALD_OK;
}

void
herald__form_finish(const struct herald_allocator *allocator, struct herald__form *form)
{
	herald_memory_release(allocator, form->block, form->block_bytes);
}

/* URLs. */

void
herald__url_split(const char *url, struct herald__url_pieces *out)
{
	const char *host = strstr(url, "://");
	bool is_https = strncmp(url, "https:", 6) == 0;

	host = host ? host + 3 : url;
	size_t bytes = strcspn(host, "/?#");
	const char *end = host + bytes;
	const char *port = end;
	while (port > host && herald_ascii_is_digit(port[-1]))
		port--;
	bool has_port = port > host && port[-1] == ':' && port < end;
	port = has_port ? port - 1 : end;
	*out = (struct herald__url_pieces){
		.before = {url, (size_t)(port - url)},
		.port = {port, (size_t)(end - port)},
		.after = {end, strlen(end)},
		.other_port = has_port   ? ""
			      : is_https ? ":443"
					 : ":80",
	};
}

bool
herald__url_body_hash(const char *url, struct herald_text *out)
{
	static const char name[] = "bodySHA256=";
	const char *at = strchr(url, '?');

	while (at && *at != '#') {
		at++;
		size_t bytes = strcspn(at, "&#");

		if (bytes >= sizeof(name) - 1 && memcmp(at, name, sizeof(name) - 1) == 0) {
			*out = (struct herald_text){at + sizeof(name) - 1,
						    bytes - (sizeof(name) - 1)};
			return true;
		}
		at = at[bytes] == '&' ? at + bytes : NULL;
	}
	return false;
}
