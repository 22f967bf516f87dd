/*
 * Every change of a signed request is refused: each bit of each header's value and of the body, a
 * header that is missing, comes twice or has another name, and changes drawn at random in schemes
 * drawn at random.
 */
#include <stdlib.h>

#include "adapters/signature_fixture.h"
#include "support/draw.h"

#define NOW 1700000000
#define ROUNDS 3000

static const char seed_pair[] =
	"whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0"
	"dRqSKJp4AJ6p9lMicMFs6Kvg==";

/* A signed request. */
struct signed_request {
	struct herald_signature *signature;
	struct header_list headers;
	const char *url;
	char body[256];
	size_t bytes;
};

static enum herald_signature_result
verify(struct signed_request *request)
{
	const struct herald_signature_request given = {
		.headers_visit = visit_list,
		.state = &request->headers,
		.url = request->url,
		.body = request->body,
		.body_bytes = request->bytes,
		.now_s = NOW,
	};

	return herald_signature_verify(request->signature, &given, NULL);
}

static void
sign(struct signed_request *request, const char *content_type)
{
	struct herald_error error = {.message = ""};
	const struct herald_signature_message message = {
		.id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
		.timestamp_s = NOW,
		.url = request->url,
		.content_type = content_type,
		.body = request->body,
		.body_bytes = request->bytes,
	};

	request->headers.count = 0;
	if (herald_signature_sign(request->signature, &message, add_header, &request->headers,
				  &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	if (content_type)
		add_header("Content-Type", content_type, &request->headers);
}

static void
refuse(struct signed_request *request, const char *scheme, const char *what, size_t at)
{
	enum herald_signature_result result = verify(request);

	if (result == HERALD_SIGNATURE_VALID)
		fail_msg("%s: valid with another %s, byte %zu", scheme, what, at);
}

/* Each bit of a text of the request. */
static void
flip_bits(struct signed_request *request, const char *scheme, const char *what, char *text,
	  size_t bytes)
{
	for (size_t at = 0; at < bytes; at++)
		for (int bit = 0; bit < 8; bit++) {
			text[at] = (char)(text[at] ^ 1 << bit);
			refuse(request, scheme, what, at);
			text[at] = (char)(text[at] ^ 1 << bit);
		}
}

/* Each byte is taken out, or comes twice. */
static void
shift_bytes(struct signed_request *request, const char *scheme, const char *what, char *text)
{
	char kept[4096];
	size_t bytes = strlen(text);

	strcpy(kept, text);
	for (size_t at = 0; at < bytes; at++) {
		memmove(text + at, kept + at + 1, bytes - at);
		refuse(request, scheme, what, at);
		memmove(text + at + 1, kept + at, bytes - at + 1);
		text[at] = kept[at];
		refuse(request, scheme, what, at);
		strcpy(text, kept);
	}
}

/* A header is missing, comes twice (also as others would join it), or has another name. */
static void
change_headers(struct signed_request *request, const char *scheme)
{
	const struct header_list kept = request->headers;
	struct header_list *list = &request->headers;

	for (size_t i = 0; i < kept.count; i++) {
		list->count--;
		list->names[i] = kept.names[list->count];
		strcpy(list->values[i], kept.values[list->count]);
		refuse(request, scheme, "list of headers, without one", i);
		*list = kept;
		list->names[i] = "X-Other";
		refuse(request, scheme, "name of a header", i);
		*list = kept;
		/* The type of a form is not a part of its signature. */
		if (strcmp(kept.names[i], "Content-Type") == 0)
			continue;
		add_header(kept.names[i], kept.values[i], list);
		refuse(request, scheme, "list of headers, with one twice", i);
		*list = kept;
		sprintf(list->values[i], "%s, %s", kept.values[i], kept.values[i]);
		refuse(request, scheme, "header, joined", i);
		*list = kept;
	}
}

static const struct {
	enum herald_signature_scheme scheme;
	const char *key, *other_key;
	const char *url, *content_type;
	const char *body;
	bool signs_no_body;
} rows[] = {
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	 "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx", NULL, NULL, "{\"test\": 2432232314}", false},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, seed_pair,
	 "whpk_PGbxHIpwgdofNCIQXXeWl+Z/jqWBTnYa7VwlNMY2RBs=", NULL, NULL, "{\"a\": 1}", false},
	{HERALD_SIGNATURE_GITHUB, "secret", "secreu", NULL, NULL, "{\"test\": 2432232314}", false},
	{HERALD_SIGNATURE_STRIPE, "whsec_1", "whsec_2", NULL, NULL, "{\"test\": 2432}", false},
	{HERALD_SIGNATURE_SLACK, "8f742231", "8f742232", NULL, NULL, "token=a&team=b", false},
	{HERALD_SIGNATURE_SHOPIFY, "hush", "hush ", NULL, NULL, "{\"test\": 2432232314}", false},
	{HERALD_SIGNATURE_PADDLE, "pdl", "pdl_", NULL, NULL, "{\"test\": 2432232314}", false},
	{HERALD_SIGNATURE_TWILIO, "12345", "12346", "https://example.com/hook?a=1",
	 "application/x-www-form-urlencoded", "Caller=4158675309&Digits=1234&From=4158675", false},
	{HERALD_SIGNATURE_TWILIO, "12345", "12346",
	 "https://example.com/hook?bodySHA256="
	 "ae858931f67887e8150d6f96c9fe03062c1df36b4464c4ddc8e002c084d5d198",
	 NULL, "{\"test\": 2432232314}", false},
	{HERALD_SIGNATURE_GITLAB, "token", "tokem", NULL, NULL, "{}", true},
};

static void
every_change_is_refused(void **state)
{
	static struct signed_request request;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		const char *scheme = herald_signature_scheme_name(rows[i].scheme);

		request.signature = create_with_key(rows[i].scheme, rows[i].key);
		request.url = rows[i].url;
		request.bytes = strlen(rows[i].body);
		strcpy(request.body, rows[i].body);
		sign(&request, rows[i].content_type);
		assert_int_equal(verify(&request), HERALD_SIGNATURE_VALID);
		for (size_t j = 0; j < request.headers.count; j++) {
			char *value = request.headers.values[j];

			/* Media types are the same in both cases; see change_headers(). */
			if (strcmp(request.headers.names[j], "Content-Type") == 0)
				continue;
			flip_bits(&request, scheme, request.headers.names[j], value, strlen(value));
			shift_bytes(&request, scheme, request.headers.names[j], value);
		}
		if (!rows[i].signs_no_body)
			flip_bits(&request, scheme, "body", request.body, request.bytes);
		change_headers(&request, scheme);
		assert_int_equal(verify(&request), HERALD_SIGNATURE_VALID);

		/* The names of headers are owned by the signer. */
		struct herald_signature *signer = request.signature;
		request.signature = create_with_key(rows[i].scheme, rows[i].other_key);
		assert_int_equal(verify(&request), HERALD_SIGNATURE_NO_MATCH);
		herald_signature_destroy(request.signature);
		herald_signature_destroy(signer);
	}
}

/* Twilio signs a URL with its port or without it; anything else in it counts. */
static void
every_change_of_a_url_is_refused(void **state)
{
	static struct signed_request request;
	static const struct {
		const char *url;
		bool is_valid;
	} cases[] = {
		{"https://example.com/hook?a=1", true},
		{"https://example.com:443/hook?a=1", true},
		{"https://example.com:8443/hook?a=1", true},
		{"http://example.com/hook?a=1", false},
		{"https://example.com/hook?a=2", false},
		{"https://example.com/hook", false},
		{"https://example.org/hook?a=1", false},
		{"https://example.com/hook/?a=1", false},
		{"", false},
		{NULL, false},
	};

	(void)state;
	request.signature = create_with_key(HERALD_SIGNATURE_TWILIO, "12345");
	request.url = cases[0].url;
	request.bytes = 3;
	memcpy(request.body, "a=b", 3);
	sign(&request, "application/x-www-form-urlencoded;charset=utf-8");
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		request.url = cases[i].url;
		assert_int_equal(verify(&request) == HERALD_SIGNATURE_VALID, cases[i].is_valid);
	}
	herald_signature_destroy(request.signature);
}

static void *
count_allocation(size_t bytes, void *state)
{
	*(size_t *)state += bytes;
	return malloc(bytes);
}

static void *
count_growth(void *block, size_t old_bytes, size_t bytes, void *state)
{
	*(size_t *)state += bytes - old_bytes;
	return realloc(block, bytes);
}

static void
release(void *block, size_t bytes, void *state)
{
	(void)bytes;
	(void)state;
	free(block);
}

/* A form is decoded before its signature is verified: pairs take memory, up to a limit, and what is
 * between them does not. */
static void
the_pairs_of_a_form_are_bounded(void **state)
{
	static struct signed_request request;
	static const char *const keys[] = {"12345"};
	size_t taken = 0;
	struct herald_error error;

	(void)state;
	assert_int_equal(
		herald_signature_create(
			&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_TWILIO,
						  HERALD_SIGNATURE_KEYS(keys), .max_form_pairs = 2,
						  .allocator = {count_allocation, count_growth,
								release, &taken}),
			&request.signature, &error),
		HERALD_OK);
	request.url = "https://example.com/hook";
	memset(request.body, '&', sizeof(request.body));
	memcpy(request.body + 100, "b=2&a=1", 7);
	request.bytes = sizeof(request.body);
	taken = 0;
	sign(&request, "application/x-www-form-urlencoded");
	assert_int_equal(verify(&request), HERALD_SIGNATURE_VALID);
	assert_true(taken < 6 * sizeof(request.body));
	request.body[sizeof(request.body) - 1] = 'c';
	taken = 0;
	assert_int_equal(verify(&request), HERALD_SIGNATURE_NO_MATCH);
	assert_int_equal(taken, 0);
	herald_signature_destroy(request.signature);
}

/* Schemes at random. */

struct drawn {
	char list_separator, key_separator;
	char signature_key[8], timestamp_key[16], content[64], key[64];
	bool has_id, has_header_time;
};

static void
draw_text(uint64_t *draw, const char *alphabet, size_t least, size_t most, char *out)
{
	size_t bytes = least + draw_below(draw, most - least + 1);

	for (size_t i = 0; i < bytes; i++)
		out[i] = alphabet[draw_below(draw, strlen(alphabet))];
	out[bytes] = '\0';
}

/* "{id}SEP{timestamp}SEP{body}", with parts left out. */
static void
draw_scheme(uint64_t *draw, struct drawn *out)
{
	static const char *const separators[] = {".", ":", "--", "\n", "v0:"};
	const char *separator = separators[draw_below(draw, HERALD_COUNT(separators))];
	bool has_time = draw_one_in(draw, 2);

	*out = (struct drawn){.has_id = draw_one_in(draw, 2)};
	out->list_separator = " ,;"[draw_below(draw, 3)];
	out->key_separator = "=:~"[draw_below(draw, 3)];
	draw_text(draw, "abcv012", 1, 4, out->signature_key);
	if (has_time && draw_one_in(draw, 2))
		snprintf(out->timestamp_key, sizeof(out->timestamp_key), "t%s", out->signature_key);
	out->has_header_time = has_time && out->timestamp_key[0] == '\0';
	sprintf(out->content, "%s%s%s%s{body}", out->has_id ? "{id}" : "",
		out->has_id ? separator : "", has_time ? "{timestamp}" : "",
		has_time ? separator : "");
	draw_text(draw, "abcdefghijklmnopqrstuvwxyz0123456789+/_", 1, 40, out->key);
}

static struct herald_signature *
create_drawn(const struct drawn *drawn, const char *key, enum herald_signature_encoding encoding,
	     enum herald_signature_code code)
{
	const char *const keys[] = {key};

	return create_scheme(&HERALD_SIGNATURE_OPTIONS(
		HERALD_SIGNATURE_KEYS(keys),
		.headers = {.signature = "X-Sig",
			    .timestamp = drawn->has_header_time ? "X-Time" : NULL,
			    .id = drawn->has_id ? "X-Id" : NULL},
		.list_separator = drawn->list_separator, .key_separator = drawn->key_separator,
		.signature_key = drawn->signature_key, .timestamp_key = drawn->timestamp_key,
		.content = drawn->content, .encoding = encoding, .code = code));
}

/* Change one byte of a header's value or of the body. */
static void
change_byte(uint64_t *draw, struct signed_request *request)
{
	size_t which = draw_below(draw, request->headers.count + (request->bytes > 0));
	bool is_body = which == request->headers.count;
	char *text = is_body ? request->body : request->headers.values[which];
	size_t at = draw_below(draw, is_body ? request->bytes : strlen(text));
	char byte = text[at];

	while (text[at] == byte)
		text[at] = (char)(1 + draw_below(draw, 255));
}

static void
changes_drawn_at_random_are_refused(void **state)
{
	static struct signed_request request;
	uint64_t draw = draw_seed();

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	for (int round = 0; round < ROUNDS; round++) {
		enum herald_signature_encoding encoding =
			(enum herald_signature_encoding)(1 + draw_below(&draw, 2));
		enum herald_signature_code code =
			(enum herald_signature_code)(1 + draw_below(&draw, 2));
		struct drawn drawn;
		char id[40];

		draw_scheme(&draw, &drawn);
		draw_text(&draw, "abcdefXYZ_", 1, 20, id);
		request.signature = create_drawn(&drawn, drawn.key, encoding, code);
		request.bytes = draw_below(&draw, sizeof(request.body));
		for (size_t i = 0; i < request.bytes; i++)
			request.body[i] = (char)draw_below(&draw, 256);
		const struct herald_signature_message message = {
			.id = id,
			.timestamp_s = NOW,
			.body = request.body,
			.body_bytes = request.bytes,
		};
		request.headers.count = 0;
		assert_int_equal(herald_signature_sign(request.signature, &message, add_header,
						       &request.headers, NULL),
				 HERALD_OK);
		if (verify(&request) != HERALD_SIGNATURE_VALID)
			fail_msg("round %d: %s %s=%s is not valid", round, drawn.content, id,
				 request.headers.values[request.headers.count - 1]);
		change_byte(&draw, &request);
		if (verify(&request) == HERALD_SIGNATURE_VALID)
			fail_msg("round %d: %s is valid after a change", round, drawn.content);
		herald_signature_destroy(request.signature);
	}
}

/* The schemes of the senders, with keys and bodies drawn at random. */

/* A key for a row. */
static void
draw_key(uint64_t *draw, enum herald_signature_scheme scheme, char out[64])
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	bool is_standard = scheme == HERALD_SIGNATURE_STANDARD_WEBHOOKS;

	if (!is_standard) {
		draw_text(draw, "abcdefghijklmnopqrstuvwxyz0123456789+/_", 1, 40, out);
		return;
	}
	memcpy(out, "whsec_", 6);
	draw_text(draw, base64, 32, 32, out + 6);
}

/* A body; for a form names and values, each name once. */
static void
draw_body(uint64_t *draw, bool is_form, struct signed_request *out)
{
	out->bytes = 0;
	for (char name = 'a'; is_form && name < 'f'; name++) {
		char value[9];

		draw_text(draw, "xyz0189", 1, 8, value);
		out->bytes += (size_t)sprintf(out->body + out->bytes, "%s%c=%s",
					      name > 'a' ? "&" : "", name, value);
	}
	if (is_form)
		return;
	out->bytes = 1 + draw_below(draw, sizeof(out->body) - 1);
	for (size_t i = 0; i < out->bytes; i++)
		out->body[i] = (char)draw_below(draw, 256);
}

/* Flip a bit of a header's value, or of the body. Returns false if it would mean the same. */
static bool
change_bit(uint64_t *draw, struct signed_request *request, bool has_signed_body)
{
	size_t which = draw_below(draw, request->headers.count + has_signed_body);
	bool is_body = which == request->headers.count;
	char *text = is_body ? request->body : request->headers.values[which];
	size_t at = draw_below(draw, is_body ? request->bytes : strlen(text));

	if (!is_body && strcmp(request->headers.names[which], "Content-Type") == 0)
		return false;
	text[at] = (char)(text[at] ^ 1 << draw_below(draw, 8));
	/* In a form, an end of a pair that has moved leaves the signed text as it is. */
	return !(is_body && request->url) || (text[at] != '&' && text[at] != '=');
}

static void
draw_request(uint64_t *draw, size_t row, struct signed_request *request)
{
	bool is_form = rows[row].content_type;
	char key[64];

	draw_key(draw, rows[row].scheme, key);
	request->url = rows[row].url;
	if (is_form || !rows[row].url) {
		draw_body(draw, is_form, request);
	} else { /* its hash is in the URL */
		request->bytes = strlen(rows[row].body);
		memcpy(request->body, rows[row].body, request->bytes);
	}
	request->signature = create_with_key(
		rows[row].scheme, strncmp(rows[row].key, "whsk_", 5) == 0 ? seed_pair : key);
	sign(request, rows[row].content_type);
}

static void
changes_in_each_scheme_are_refused(void **state)
{
	static struct signed_request request;
	uint64_t draw = draw_seed();

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	for (int round = 0; round < ROUNDS; round++) {
		size_t row = (size_t)round % HERALD_COUNT(rows);

		draw_request(&draw, row, &request);
		if (verify(&request) != HERALD_SIGNATURE_VALID)
			fail_msg("round %d: %s is not valid", round,
				 herald_signature_scheme_name(rows[row].scheme));
		if (change_bit(&draw, &request, !rows[row].signs_no_body) &&
		    verify(&request) == HERALD_SIGNATURE_VALID)
			fail_msg("round %d: %s is valid after a change", round,
				 herald_signature_scheme_name(rows[row].scheme));
		herald_signature_destroy(request.signature);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_change_is_refused),
		cmocka_unit_test(every_change_of_a_url_is_refused),
		cmocka_unit_test(the_pairs_of_a_form_are_bounded),
		cmocka_unit_test(changes_drawn_at_random_are_refused),
		cmocka_unit_test(changes_in_each_scheme_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
