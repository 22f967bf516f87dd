/*
 * Signatures against golden data: what SDKs of Standard Webhooks have signed, what they take, and
 * what other senders send. tests/data/interop has the cases, one in a line.
 */
#include <stdlib.h>

#include <jansson.h>

#include "adapters/signature_fixture.h"

#define FOLDER "tests/data/interop/"
#define MOST 128 /* lines of a file */

/* Cases. */

static const char *
text_of(const json_t *line, const char *member)
{
	const char *text = json_string_value(json_object_get(line, member));

	if (!text)
		fail_msg("no %s", member);
	return text;
}

static int
digit_of(char character)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = strchr(digits, character);

	return at ? (int)(at - digits) : -1;
}

/* The payload; free it. Not by the decoder under test. */
static unsigned char *
payload_of(const json_t *line, size_t *bytes)
{
	const char *text = text_of(line, "payload_base64");
	unsigned char *out = malloc(strlen(text) + 1);
	unsigned bits = 0, group = 0;

	assert_non_null(out);
	*bytes = 0;
	for (; *text != '\0' && *text != '='; text++) {
		group = group << 6 | (unsigned)digit_of(*text);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[(*bytes)++] = (unsigned char)(group >> bits);
		}
	}
	return out;
}

/* The lines of a file; release each. */
static size_t
read_lines(const char *name, json_t *lines[MOST])
{
	char path[256];
	json_error_t error;
	size_t count = 0;

	snprintf(path, sizeof(path), FOLDER "%s", name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	for (;;) {
		json_t *line = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error);

		if (!line)
			break;
		assert_true(count < MOST);
		lines[count++] = line;
	}
	fclose(file);
	return count;
}

static void
set_headers(const json_t *line, struct header_list *list)
{
	const char *name;
	json_t *value;

	list->count = 0;
	json_object_foreach(json_object_get(line, "headers"), name, value)
		add_header(name, json_string_value(value), list);
}

/* Standard Webhooks. */

/* The keys of the vectors are of any length. */
static struct herald_signature *
create_standard(const char *key)
{
	const char *const keys[] = {key};

	return create_scheme(&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
						       HERALD_SIGNATURE_KEYS(keys),
						       .min_secret_bytes = 1,
						       .max_secret_bytes = 4096));
}

/* Sign what the SDKs have signed, and verify it, also by the public key alone. */
static void
check_vector(const json_t *line)
{
	const char *public_key = json_string_value(json_object_get(line, "public"));
	struct herald_signature *signature = create_standard(text_of(line, "secret"));
	struct herald_signature *verifier =
		create_standard(public_key ? public_key : text_of(line, "secret"));
	int64_t timestamp = json_integer_value(json_object_get(line, "timestamp"));
	size_t bytes;
	unsigned char *payload = payload_of(line, &bytes);
	static struct header_list list;
	struct herald_error error = {.message = ""};

	list.count = 0;
	assert_int_equal(
		herald_signature_sign(signature,
				      &(struct herald_signature_message){.id = text_of(line, "id"),
									 .timestamp_s = timestamp,
									 .body = payload,
									 .body_bytes = bytes},
				      add_header, &list, &error),
		HERALD_OK);
	assert_int_equal(list.count, 3);
	assert_string_equal(find_value(&list, "webhook-id"), text_of(line, "id"));
	assert_string_equal(find_value(&list, "webhook-signature"), text_of(line, "signature"));
	assert_int_equal(verify_list(verifier, &list, payload, bytes, timestamp, &error),
			 HERALD_SIGNATURE_VALID);
	assert_int_equal(verify_list(signature, &list, payload, bytes, timestamp, &error),
			 HERALD_SIGNATURE_VALID);
	free(payload);
	herald_signature_destroy(verifier);
	herald_signature_destroy(signature);
}

static void
vectors_of_standard_webhooks(void **state)
{
	json_t *lines[MOST];
	size_t count = read_lines("standard_webhooks.jsonl", lines);

	(void)state;
	assert_int_equal(count, 40);
	for (size_t i = 0; i < count; i++) {
		print_message("# %s\n", text_of(lines[i], "name"));
		check_vector(lines[i]);
		json_decref(lines[i]);
	}
}

/* What the result has to be. Where the specification leaves it open, ours is in `ours`. */
static void
check_result(const json_t *line, enum herald_signature_result result,
	     const struct herald_error *error)
{
	static const struct {
		const char *name, *ours;
	} open_cases[] = {
		{"signature_no_padding", "no_match"},
		{"signature_trailing_comma", "bad_header"},
		{"signature_tab_separated", "bad_header"},
		{"spaces_after_comma", "bad_header"},
	};
	const char *expected = text_of(line, "expect");

	if (strcmp(expected, "ok") == 0)
		expected = "valid";
	for (size_t i = 0; i < HERALD_COUNT(open_cases); i++)
		if (strcmp(expected, "either") == 0 &&
		    strcmp(text_of(line, "name"), open_cases[i].name) == 0)
			expected = open_cases[i].ours;
	if (strcmp(herald_signature_result_name(result), expected) != 0)
		fail_msg("%s: %s, expected %s: %s", text_of(line, "name"),
			 herald_signature_result_name(result), expected, error->message);
	if (result == HERALD_SIGNATURE_VALID)
		return;
	assert_int_equal(error->status, HERALD_UNAUTHORIZED);
	assert_int_equal(error->offset, HERALD_NO_OFFSET);
	assert_string_equal(error->path, "");
	assert_true(error->message[0] != '\0');
}

/* Returns NULL if the keys are refused; of all cases one may be. */
static struct herald_signature *
create_of_line(const json_t *line)
{
	const json_t *secrets = json_object_get(line, "secrets");
	struct herald_signature *signature = NULL;
	const char *keys[4];
	size_t count = json_array_size(secrets);
	struct herald_error error;

	assert_true(count <= HERALD_COUNT(keys));
	for (size_t i = 0; i < count; i++)
		keys[i] = json_string_value(json_array_get(secrets, i));
	if (herald_signature_create(
		    &HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
					      .keys = keys, .keys_count = count),
		    &signature, &error) != HERALD_OK) {
		assert_string_equal(text_of(line, "name"), "secret_unpadded");
		assert_string_equal(error.path, "keys[0]");
	}
	return signature;
}

static void
requests_of_standard_webhooks(void **state)
{
	json_t *lines[MOST];
	size_t count = read_lines("standard_webhooks_verify.jsonl", lines);
	static struct header_list list;

	(void)state;
	assert_int_equal(count, 43);
	for (size_t i = 0; i < count; i++) {
		struct herald_signature *signature = create_of_line(lines[i]);
		struct herald_error error = {.message = ""};
		size_t bytes;
		unsigned char *payload = payload_of(lines[i], &bytes);
		int64_t now = json_integer_value(json_object_get(lines[i], "now"));

		set_headers(lines[i], &list);
		if (signature)
			check_result(lines[i],
				     verify_list(signature, &list, payload, bytes, now, &error),
				     &error);
		free(payload);
		herald_signature_destroy(signature);
		json_decref(lines[i]);
	}
}

/* Others. */

static void
check_vendor(const json_t *line)
{
	const char *vendor = text_of(line, "vendor");
	const char *url = json_string_value(json_object_get(line, "url"));
	enum herald_signature_scheme scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS;
	static struct header_list list;
	size_t bytes;
	unsigned char *payload = payload_of(line, &bytes);
	struct herald_error error = {.message = ""};

	if (strcmp(vendor, "svix") != 0)
		assert_true(herald_signature_scheme_find(vendor, &scheme));
	struct herald_signature *signature = create_with_key(scheme, text_of(line, "secret"));
	set_headers(line, &list);
	const struct herald_signature_request request = {
		.headers_visit = visit_list,
		.state = &list,
		.url = url,
		.body = payload,
		.body_bytes = bytes,
		.now_s = json_integer_value(json_object_get(line, "now")),
	};
	check_result(line, herald_signature_verify(signature, &request, &error), &error);
	free(payload);
	herald_signature_destroy(signature);
}

static void
requests_of_vendors(void **state)
{
	json_t *lines[MOST];
	size_t count = read_lines("vendor_signatures.jsonl", lines);

	(void)state;
	assert_int_equal(count, 30);
	for (size_t i = 0; i < count; i++) {
		check_vendor(lines[i]);
		json_decref(lines[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_standard_webhooks),
		cmocka_unit_test(requests_of_standard_webhooks),
		cmocka_unit_test(requests_of_vendors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
