/*
 * Signs and verifies for tests/interop/signatures.py: a JSON object on each line of stdin, and one
 * on stdout for each.
 *
 *	{"do": "sign", "scheme": "github", "key": "a", "body": BASE64, "id", "now", "url",
 *	 "content_type"}                              => {"headers": {"X-Hub-Signature-256": "..."}}
 *	{"do": "verify", ..., "headers": {...}}       => {"result": "valid"}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <herald/signature.h>

static const char *
text_of(const json_t *line, const char *member)
{
	return json_string_value(json_object_get(line, member));
}

static void
fail(const char *what)
{
	fprintf(stderr, "signature_peer: %s\n", what);
	exit(1);
}

/* Not by the decoder under test. */
static size_t
decode_base64(const char *text, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, group = 0;
	size_t bytes = 0;

	for (; *text != '\0' && *text != '='; text++) {
		group = group << 6 | (unsigned)(strchr(digits, *text) - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[bytes++] = (char)(group >> bits);
		}
	}
	return bytes;
}

/* The herald_signature_sink. */
static void
add_header(const char *name, const char *value, void *state)
{
	json_object_set_new(state, name, json_string(value));
}

/* The herald_signature_request.headers_visit callback. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)state, name,
			    value) if (!visit(name, json_string_value(value), visit_state)) return;
}

static json_t *
sign(struct herald_signature *signature, const json_t *line, const char *body, size_t bytes)
{
	json_t *headers = json_object();
	struct herald_error error;
	const struct herald_signature_message message = {
		.id = text_of(line, "id"),
		.timestamp_s = json_integer_value(json_object_get(line, "now")),
		.url = text_of(line, "url"),
		.content_type = text_of(line, "content_type"),
		.body = body,
		.body_bytes = bytes,
	};

	if (herald_signature_sign(signature, &message, add_header, headers, &error) != HERALD_OK)
		fail(error.message);
	return json_pack("{s:o}", "headers", headers);
}

static json_t *
verify(struct herald_signature *signature, const json_t *line, const char *body, size_t bytes)
{
	const struct herald_signature_request request = {
		.headers_visit = visit_headers,
		.state = json_object_get(line, "headers"),
		.url = text_of(line, "url"),
		.body = body,
		.body_bytes = bytes,
		.now_s = json_integer_value(json_object_get(line, "now")),
	};

	return json_pack(
		"{s:s}", "result",
		herald_signature_result_name(herald_signature_verify(signature, &request, NULL)));
}

static json_t *
answer(const json_t *line)
{
	const char *const keys[] = {text_of(line, "key")};
	const char *encoded = text_of(line, "body");
	enum herald_signature_scheme scheme = HERALD_SIGNATURE_CUSTOM;
	struct herald_signature *signature;
	struct herald_error error;

	if (!encoded || !herald_signature_scheme_find(text_of(line, "scheme"), &scheme))
		fail("no body, or no scheme");
	if (herald_signature_create(
		    &HERALD_SIGNATURE_OPTIONS(.scheme = scheme, HERALD_SIGNATURE_KEYS(keys)),
		    &signature, &error) != HERALD_OK)
		fail(error.message);
	char *body = malloc(strlen(encoded) + 1);
	if (!body)
		fail("out of memory");
	size_t bytes = decode_base64(encoded, body);
	json_t *out = strcmp(text_of(line, "do"), "sign") == 0
			      ? sign(signature, line, body, bytes)
			      : verify(signature, line, body, bytes);
	free(body);
	herald_signature_destroy(signature);
	return out;
}

int
main(void)
{
	static char text[65536];

	while (fgets(text, sizeof(text), stdin)) {
		json_t *line = json_loads(text, 0, NULL);

		if (!line)
			fail("a line is not JSON");
		json_t *out = answer(line);
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(out);
		json_decref(line);
	}
	return 0;
}
