/*
 * Fuzzes what a sender controls of a signature: the values of its headers, the URL and the body, in
 * every scheme; and the texts of keys. The first byte selects the scheme; then come the values, one
 * a line, and the body. A request that is valid must have the signature that we would have made for
 * what it says.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <herald/array.h>
#include <herald/signature.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
#define NOW 1700000000
#define LINES 4

static const struct {
	struct herald_signature_options options;
	const char *key;
	const char *names[LINES];
} schemes[] = {
	{{.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS},
	 "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	 {"webhook-id", "webhook-timestamp", "webhook-signature", "svix-id"}},
	{{.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS},
	 "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6K"
	 "vg==",
	 {"svix-id", "svix-timestamp", "svix-signature", "webhook-signature"}},
	{{.scheme = HERALD_SIGNATURE_GITHUB}, "a", {"X-Hub-Signature-256"}},
	{{.scheme = HERALD_SIGNATURE_STRIPE}, "a", {"Stripe-Signature"}},
	{{.scheme = HERALD_SIGNATURE_SLACK},
	 "a",
	 {"X-Slack-Request-Timestamp", "X-Slack-Signature"}},
	{{.scheme = HERALD_SIGNATURE_SHOPIFY}, "a", {"X-Shopify-Hmac-SHA256"}},
	{{.scheme = HERALD_SIGNATURE_PADDLE}, "a", {"Paddle-Signature"}},
	{{.scheme = HERALD_SIGNATURE_TWILIO}, "a", {"X-Twilio-Signature", "Content-Type", ""}},
	{{.scheme = HERALD_SIGNATURE_GITLAB}, "a", {"X-Gitlab-Token"}},
	{{.headers = {"S", NULL, "I"}, .list_separator = ';', .content = "{id}--{body}"},
	 "a",
	 {"I", "S", "S"}},
};

/* A request as the input says. */
struct input {
	const char *const *names;
	char *lines[LINES]; /* NULL: it has no such line */
	const char *url;
	const char *body;
	size_t body_bytes;
};

static void
visit_lines(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct input *input = state;

	for (size_t i = 0; i < LINES && input->names[i]; i++)
		if (input->names[i][0] != '\0' && input->lines[i] &&
		    !visit(input->names[i], input->lines[i], visit_state))
			return;
}

static const char *
line_of(const struct input *input, const char *ending)
{
	for (size_t i = 0; i < LINES && input->names[i]; i++) {
		const char *at = strstr(input->names[i], ending);

		if (at && at[strlen(ending)] == '\0' && input->lines[i])
			return input->lines[i];
	}
	return NULL;
}

/* The herald_signature_sink: whether a header is what we would have sent, up to what else a list
 * has. */
struct comparison {
	const struct input *input;
	bool has_signature;
};

static void
compare(const char *name, const char *value, void *state)
{
	struct comparison *comparison = state;
	const char *code = strrchr(value, '=');

	(void)name;
	/* The end of the code, or the whole value. */
	code = code && code > value + 8 ? code - 8
	       : strlen(value) > 8      ? value + strlen(value) - 8
					: value;
	for (size_t i = 0; i < LINES; i++)
		if (comparison->input->lines[i] && strstr(comparison->input->lines[i], code))
			comparison->has_signature = true;
}

/* Only where what was signed can be told from the headers. */
static void
check_valid(struct herald_signature *signature, const struct input *input)
{
	struct comparison comparison = {.input = input};
	const char *id = line_of(input, "id"), *timestamp = line_of(input, "timestamp");
	struct herald_signature_message message = {
		.id = id ? id : line_of(input, "I"),
		.timestamp_s = NOW,
		.url = input->url,
		.content_type = line_of(input, "Content-Type"),
		.body = input->body,
		.body_bytes = input->body_bytes,
	};

	timestamp = timestamp ? timestamp : line_of(input, "Timestamp");
	if (timestamp)
		message.timestamp_s = strtoll(timestamp, NULL, 10);
	else if (line_of(input, "Stripe-Signature") || line_of(input, "Paddle-Signature"))
		return;
	if (message.id && (*message.id == ' ' || *message.id == '\t'))
		return;
	CHECK(herald_signature_sign(signature, &message, compare, &comparison, NULL) == HERALD_OK);
	CHECK(comparison.has_signature);
}

static void
check_request(struct herald_signature *signature, struct input *input)
{
	const struct herald_signature_request request = {
		.headers_visit = visit_lines,
		.state = input,
		.url = input->url,
		.body = input->body,
		.body_bytes = input->body_bytes,
		.now_s = NOW,
	};
	struct herald_error error = {.offset = 12345};
	enum herald_signature_result result = herald_signature_verify(signature, &request, &error);

	CHECK(result <= HERALD_SIGNATURE_NO_MATCH);
	if (result == HERALD_SIGNATURE_VALID)
		check_valid(signature, input);
	else
		CHECK(error.status == HERALD_UNAUTHORIZED && error.message[0] != '\0' &&
		      error.offset == HERALD_NO_OFFSET);
}

/* Read the lines; the rest is the body. */
static void
read_input(char *text, size_t bytes, struct input *out)
{
	char *at = text, *end = text + bytes;

	for (size_t i = 0; i < LINES && out->names[i]; i++) {
		char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (!line_end)
			break;
		*line_end = '\0';
		out->lines[i] = at;
		if (out->names[i][0] == '\0')
			out->url = at;
		at = line_end + 1;
	}
	out->body = at;
	out->body_bytes = (size_t)(end - at);
}

static void
check_key(const char *text)
{
	struct herald_signature *signature = NULL;
	struct herald_error error = {.message = ""};
	const char *const keys[] = {text};
	enum herald_status status = herald_signature_create(
		&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
					  HERALD_SIGNATURE_KEYS(keys)),
		&signature, &error);

	CHECK(status == HERALD_OK || status == HERALD_BAD_OPTION);
	CHECK(!signature == (status != HERALD_OK));
	if (status != HERALD_OK)
		CHECK(strcmp(error.path, "keys[0]") == 0 && error.message[0] != '\0');
	herald_signature_destroy(signature);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t which = data[0] % (HERALD_COUNT(schemes) + 1);
	char *text = malloc(size);
	CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (which == HERALD_COUNT(schemes)) {
		check_key(text);
	} else {
		struct herald_signature_options options = schemes[which].options;
		struct herald_signature *signature = NULL;
		struct input input = {.names = schemes[which].names};

		options.struct_size = sizeof(options);
		options.keys = &schemes[which].key;
		options.keys_count = 1;
		CHECK(herald_signature_create(&options, &signature, NULL) == HERALD_OK);
		read_input(text, size - 1, &input);
		check_request(signature, &input);
		herald_signature_destroy(signature);
	}
	free(text);
	return 0;
}
