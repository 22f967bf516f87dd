/*
 * Headers: finding and reading them. Owns nothing: what is found points into the request.
 */
#include "headers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

enum herald_signature_result
herald__signature_refuse(struct herald_error *error, enum herald_signature_result result,
			 const char *format, ...)
{
	enum herald_status status =
		result == HERALD_SIGNATURE_NO_MEMORY ? HERALD_NO_MEMORY : HERALD_UNAUTHORIZED;
	char text[1024]; /* herald_error_set() marks that it cuts a text */
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s", text);
	return result;
}

/* Finding. */

enum { SIGNATURE, TIMESTAMP, ID, NAMES_COUNT };

struct found {
	const char *name; /* "": it is not wanted */
	struct herald_text value;
	unsigned count;
};

struct finding {
	struct found headers[NAMES_COUNT];
	struct found aliases[NAMES_COUNT];
	struct found content_type;
};

static void
set_names(struct found *found, const struct herald_signature_headers *names)
{
	found[SIGNATURE].name = names->signature;
	found[TIMESTAMP].name = names->timestamp;
	found[ID].name = names->id;
}

static bool
take_header(struct found *found, const char *name, const char *value)
{
	if (found->name[0] == '\0' || !herald_ascii_same(found->name, name))
		return false;
	if (found->count++ == 0)
		found->value = herald_http_trimmed(value, strlen(value));
	return true;
}

/* The herald_attribute_visitor. */
static bool
find_header(const char *name, const char *value, void *state)
{
	struct finding *finding = state;

	for (int i = 0; i < NAMES_COUNT; i++)
		if (take_header(&finding->headers[i], name, value) ||
		    take_header(&finding->aliases[i], name, value))
			return true;
	take_header(&finding->content_type, name, value);
	return true;
}

/* Reading. */

static bool
is_any_there(const struct found *found)
{
	return found[SIGNATURE].count > 0 || found[TIMESTAMP].count > 0 || found[ID].count > 0;
}

static enum herald_signature_result
check_found(const struct found *found, struct herald_error *error)
{
	if (found->name[0] == '\0')
		return HERALD_SIGNATURE_VALID;
	if (found->count > 1)
		return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
						"%s has come %u times; expected once", found->name,
						found->count);
	if (found->count == 0)
		return herald__signature_refuse(error, HERALD_SIGNATURE_MISSING, "%s is missing",
						found->name);
	if (found->value.bytes == 0)
		return herald__signature_refuse(error, HERALD_SIGNATURE_MISSING, "%s is empty",
						found->name);
	return HERALD_SIGNATURE_VALID;
}

/* A header that was not verified must not say something else than the one that was. */
static enum herald_signature_result
check_alias(const struct found *found, const struct found *alias, struct herald_error *error)
{
	if (alias->count == 0 ||
	    (alias->count == 1 && alias->value.bytes == found->value.bytes &&
	     memcmp(alias->value.data, found->value.data, found->value.bytes) == 0))
		return HERALD_SIGNATURE_VALID;
	return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
					"%s differs from %s, or has come twice", alias->name,
					found->name);
}

static enum herald_signature_result
check_all(const struct finding *finding, const struct found **out, struct herald_error *error)
{
	bool is_alias = !is_any_there(finding->headers) && is_any_there(finding->aliases);
	const struct found *found = is_alias ? finding->aliases : finding->headers;
	enum herald_signature_result result = HERALD_SIGNATURE_VALID;

	for (int i = NAMES_COUNT; i > 0 && result == HERALD_SIGNATURE_VALID; i--)
		result = check_found(&found[i - 1], error);
	for (int i = TIMESTAMP; !is_alias && i < NAMES_COUNT && result == HERALD_SIGNATURE_VALID;
	     i++)
		result = check_alias(&found[i], &finding->aliases[i], error);
	*out = found;
	return result;
}

/* The signature header. */

/* An element is "v1=...", or without keys a value. */
static struct herald_text
key_of(const struct herald_signature_options *options, struct herald_text element,
       struct herald_text *value)
{
	const char *separator =
		options->signature_key[0] == '\0'
			? NULL
			: memchr(element.data, options->key_separator, element.bytes);

	*value = element;
	if (options->signature_key[0] == '\0')
		return (struct herald_text){"", 0};
	if (!separator)
		return (struct herald_text){"", 0};
	size_t bytes = (size_t)(separator - element.data);
	*value = (struct herald_text){separator + 1, element.bytes - bytes - 1};
	return (struct herald_text){element.data, bytes};
}

static bool
is_key(struct herald_text key, const char *name)
{
	return key.bytes == strlen(name) && memcmp(key.data, name, key.bytes) == 0;
}

/* Proxies and frameworks join several headers to "a, b" or "a,b". A code has no comma. */
static bool
is_joined(const struct herald_signature_options *options, struct herald_text element,
	  struct herald_text value)
{
	if (options->list_separator == ',')
		return element.data[0] == ' ' || element.data[0] == '\t';
	return options->code != HERALD_SIGNATURE_TOKEN && value.bytes > 0 &&
	       memchr(value.data, ',', value.bytes);
}

static enum herald_signature_result
take_timestamp(const char *name, const char *key, struct herald_text value,
	       struct herald__claim *out, struct herald_error *error)
{
	if (out->timestamp.bytes > 0)
		return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
						"%s has %s twice", name, key);
	out->timestamp = value;
	return HERALD_SIGNATURE_VALID;
}

static enum herald_signature_result
take_element(const struct herald__scheme *scheme, const char *name, struct herald_text element,
	     struct herald__claim *out, struct herald_error *error)
{
	const struct herald_signature_options *options = &scheme->options;
	bool has_keys = options->signature_key[0] != '\0';
	struct herald_text value;
	struct herald_text key = key_of(options, element, &value);
	bool has_key = value.data > element.data;
	bool is_timestamp = key.bytes > 0 && is_key(key, options->timestamp_key);
	bool is_asymmetric = key.bytes > 0 && is_key(key, options->asymmetric_key);
	bool is_signature = has_keys == has_key && is_key(key, options->signature_key);
	bool is_known = is_timestamp || is_asymmetric || is_signature;

	if ((is_known || options->list_separator == ',') && is_joined(options, element, value))
		return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
						"%s has a comma or a blank where none is expected; "
						"it may have come several times",
						name);
	if (is_timestamp)
		return take_timestamp(name, options->timestamp_key, value, out, error);
	if (is_known)
		out->candidates[out->candidates_count++] =
			(struct herald__candidate){value, is_asymmetric};
	return HERALD_SIGNATURE_VALID;
}

/* Take the next element from *rest. Returns false at the end. */
static bool
next_element(char separator, struct herald_text *rest, struct herald_text *out)
{
	if (!rest->data)
		return false;
	const char *end = separator != 0 && rest->bytes > 0
				  ? memchr(rest->data, separator, rest->bytes)
				  : NULL;
	*out = *rest;
	if (!end) {
		rest->data = NULL;
		return true;
	}
	out->bytes = (size_t)(end - rest->data);
	*rest = (struct herald_text){end + 1, rest->bytes - out->bytes - 1};
	return true;
}

static enum herald_signature_result
read_elements(const struct herald__scheme *scheme, const struct found *header,
	      struct herald__claim *out, struct herald_error *error)
{
	const struct herald_signature_options *options = &scheme->options;
	struct herald_text rest = header->value, element;
	enum herald_signature_result result = HERALD_SIGNATURE_VALID;
	unsigned count = 0;

	while (result == HERALD_SIGNATURE_VALID &&
	       next_element(options->list_separator, &rest, &element)) {
		/* Several blanks separate as one does. */
		if (element.bytes == 0 && options->list_separator == ' ')
			continue;
		if (element.bytes == 0)
			return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
							"%s has an empty element", header->name);
		if (++count > options->max_signatures)
			return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
							"%s has more than %u elements",
							header->name, options->max_signatures);
		result = take_element(scheme, header->name, element, out, error);
	}
	return result;
}

/* Timestamps. */

/* 0, or a number without a sign and leading zeros; a negative one is before 1970. */
static bool
read_timestamp(struct herald_text text, struct herald__claim *out)
{
	char digits[24];
	uint64_t number;

	out->is_before_1970 = text.bytes > 1 && text.data[0] == '-' && text.data[1] != '0';
	if (out->is_before_1970)
		text.data++, text.bytes--;
	if (text.bytes == 0 || text.bytes >= sizeof(digits) ||
	    (text.bytes > 1 && text.data[0] == '0'))
		return false;
	memcpy(digits, text.data, text.bytes);
	digits[text.bytes] = '\0';
	if (!herald_ascii_number(digits, INT64_MAX, &number))
		return false;
	out->timestamp_s = out->is_before_1970 ? 0 : (int64_t)number;
	return true;
}

static enum herald_signature_result
check_timestamp(const struct herald__scheme *scheme, const struct found *found,
		struct herald__claim *claim, struct herald_error *error)
{
	const struct herald_signature_options *options = &scheme->options;
	bool is_in_list = options->timestamp_key[0] != '\0';
	const char *name = is_in_list ? options->timestamp_key : found[TIMESTAMP].name;

	if (!scheme->has[HERALD__PART_TIMESTAMP])
		return HERALD_SIGNATURE_VALID;
	if (!is_in_list)
		claim->timestamp = found[TIMESTAMP].value;
	if (claim->timestamp.bytes == 0)
		return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER, "%s has no %s",
						found[SIGNATURE].name, name);
	if (!read_timestamp(claim->timestamp, claim))
		return herald__signature_refuse(error, HERALD_SIGNATURE_BAD_HEADER,
						"%s is not a number of seconds without leading "
						"zeros",
						name);
	return HERALD_SIGNATURE_VALID;
}

static enum herald_signature_result
check_id(const struct herald__scheme *scheme, const struct found *found,
	 struct herald__claim *claim, struct herald_error *error)
{
	claim->id = found[ID].value;
	if (!herald__scheme_id_is_ambiguous(scheme, claim->id))
		return HERALD_SIGNATURE_VALID;
	return herald__signature_refuse(error, HERALD_SIGNATURE_NO_MATCH,
					"%s cannot be told from what follows it in the signed text",
					found[ID].name);
}

enum herald_signature_result
herald__claim_read(const struct herald__scheme *scheme,
		   const struct herald_signature_request *request, struct herald__claim *out,
		   struct herald_error *error)
{
	struct finding finding = {.content_type.name = HERALD__CONTENT_TYPE};
	const struct found *found;

	set_names(finding.headers, &scheme->options.headers);
	set_names(finding.aliases, &scheme->options.aliases);
	if (request->headers_visit)
		request->headers_visit(find_header, &finding, request->state);
	out->timestamp = (struct herald_text){"", 0};
	out->timestamp_s = 0;
	out->is_before_1970 = false;
	out->candidates_count = 0;
	out->content_type = finding.content_type.value;
	enum herald_signature_result result = check_all(&finding, &found, error);
	if (result == HERALD_SIGNATURE_VALID)
		result = read_elements(scheme, &found[SIGNATURE], out, error);
	if (result == HERALD_SIGNATURE_VALID)
		result = check_timestamp(scheme, found, out, error);
	if (result == HERALD_SIGNATURE_VALID)
		result = check_id(scheme, found, out, error);
	return result;
}
