/*
 * Fuzzes the HTTP endpoint: any method, content type, declared length and body, in pieces of any
 * size, finished, abandoned or unreadable. Whatever comes, there is an answer that HTTP knows, its
 * body is JSON, and the headers that belong to a status are there.
 *
 * The input: four bytes that choose method, content type, size of the pieces and how the request
 * ends; then, where the choice is 0, a line for the method and one for the content type; then the
 * body.
 */
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/request.h>
#include <herald/herald.h>

#include "../tests/support/every_kind.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

struct user {
	const char *user_id;
	const char *username;
};

HERALD_SCHEMA(user,
	HERALD_FIELD(user, user_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(user, username, .required = true, .min_bytes = 1));

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user, struct user *state)
{
	(void)state;
	switch (user->username[0]) {
	case 'r':
		return herald_retry(ctx, "%s: later", user->username);
	case 'R':
		return herald_retry_after(ctx, 1500, "%s", user->user_id);
	case 'f':
		return herald_fail(ctx, "%s: never", user->username);
	case 'F':
		return herald_fail_status(ctx, 409, "%s is taken", user->username);
	default:
		return HERALD_DONE;
	}
}
HERALD_FUNCTION(on_user, user, user);

/* The struct with every kind as a payload, erased by hand: its schema is not in this file. */
static enum herald_verdict
on_every_kind(struct herald_context *ctx, const void *payload, void *state)
{
	const struct every_kind *every = payload;

	(void)ctx;
	(void)state;
	CHECK(every->id[0] != '\0');
	return HERALD_DONE;
}

static struct herald_service *service;
static struct herald_endpoint *endpoint;
static struct herald_codec *any_codec;
static struct herald_arena *arena;

static void
create_all(void)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user, on_user, NULL),
		{.event_type = "every", .schema = every_kind_table, .function = on_every_kind},
	};

	if (endpoint != NULL)
		return;
	CHECK(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				    NULL) == HERALD_OK);
	CHECK(herald_endpoint_create(service, &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = 3000),
				     &endpoint, NULL) == HERALD_OK);
	CHECK(herald_codec_create(&herald_json_schema, NULL, NULL, &any_codec, NULL) == HERALD_OK);
	CHECK(herald_arena_create(NULL, 0, &arena) == HERALD_OK);
}

static void
check_response(const struct herald_http_response *response)
{
	static const unsigned statuses[] = {200, 204, 400, 404, 405, 409, 413, 415, 500, 503};
	struct herald_json json;
	bool known = false;
	char *copy;

	CHECK(response != NULL);
	for (size_t i = 0; i < HERALD_COUNT(statuses); i++)
		known = known || response->status == statuses[i];
	CHECK(known);
	CHECK((response->status == 405 || response->status == 204) == (response->allow != NULL));
	CHECK((response->status == 503) == (response->retry_after_s != 0));
	if (response->status == 204) {
		CHECK(response->content_type == NULL && response->body_bytes == 0);
		return;
	}
	CHECK(strcmp(response->content_type, "application/json") == 0);
	copy = malloc(response->body_bytes + 1);
	CHECK(copy != NULL);
	memcpy(copy, response->body, response->body_bytes);
	CHECK(herald_codec_decode(any_codec, copy, response->body_bytes, arena, &json, NULL) ==
	      HERALD_OK);
	CHECK(json.bytes > 0 && json.data[0] == '{');
	free(copy);
	herald_arena_reset(arena);
}

/* What is left of the input. */
struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t
take_byte(struct input *input)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return *input->data++;
}

/* A line as a string, without NUL bytes, which no header can have. free() it. */
static char *
take_line(struct input *input)
{
	char *line = malloc(input->size + 1);
	size_t bytes = 0;
	uint8_t byte;

	CHECK(line != NULL);
	while (input->size > 0 && (byte = take_byte(input)) != '\n')
		if (byte != '\0')
			line[bytes++] = (char)byte;
	line[bytes] = '\0';
	return line;
}

/* One of the choices, or, for the first one, a line of the input in *own. */
static const char *
choose(uint8_t choice, const char *const *choices, size_t count, struct input *input, char **own)
{
	if (choice % count == 0)
		return *own = take_line(input);
	*own = NULL;
	return choices[choice % count];
}

/* Add the body in pieces, each in a block of its own size. */
static void
append(struct herald_http_request *request, struct input *input, size_t piece)
{
	while (input->size > 0) {
		size_t bytes = piece == 0 || piece > input->size ? input->size : piece;
		char *copy = malloc(bytes);
		bool more;

		CHECK(copy != NULL);
		memcpy(copy, input->data, bytes);
		more = herald_http_request_append(request, copy, bytes);
		free(copy);
		CHECK(more == (herald_http_request_response(request) == NULL));
		input->data += bytes;
		input->size -= bytes;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = {"", "POST", "GET", "PUT", "OPTIONS"};
	static const char *const types[] = {"",
					    "application/json",
					    "application/cloudevents+json",
					    "APPLICATION/JSON ; charset=utf-8",
					    NULL,
					    "text/plain"};
	struct input input = {data, size};
	uint8_t method = take_byte(&input), type = take_byte(&input), piece = take_byte(&input),
		end = take_byte(&input);
	char *own_method, *own_type;
	struct herald_http_head head = {
		.method = choose(method, methods, HERALD_COUNT(methods), &input, &own_method),
		.content_type = choose(type, types, HERALD_COUNT(types), &input, &own_type),
	};
	struct herald_http_request *request;

	create_all();
	head.content_length = end & 4 ? HERALD_HTTP_NO_LENGTH : end & 8 ? 100000 : input.size;
	request = herald_http_request_create(endpoint, &head);
	CHECK(request != NULL);
	free(own_method);
	free(own_type);
	append(request, &input, piece);
	if (herald_http_request_response(request) != NULL)
		check_response(herald_http_request_response(request));
	if ((end & 3) == 1)
		check_response(herald_http_request_unreadable(request));
	else if ((end & 3) != 2)
		check_response(herald_http_request_finish(request));
	herald_http_request_destroy(request);
	return 0;
}
