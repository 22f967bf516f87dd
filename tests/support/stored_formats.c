/*
 * Events in each format: what a function sees of them without a store, and what it sees of them
 * from a store that was closed and opened again.
 */
#include "support/stored_formats.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <herald/adapter/format.h>
#include <herald/herald.h>

#include "support/posting.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define STARTED "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define TRACED "traceparent", "00-" TRACE "-b7ad6b7169203331-01", "tracestate", "a=1,b=2"
#define STRUCTURED "Content-Type", "application/cloudevents+json"
#define EVENT(ID, TYPE, REST)                                                                      \
	"{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"/s\",\"type\":\"" TYPE "\"" REST  \
	"}"
#define BINARY(ID, TYPE)                                                                           \
	"ce-specversion", "1.0", "Ce-Id", ID, "CE-SOURCE", "/s%20%C3%A9", "ce-type", TYPE

/* The id of the event in a row is its index. */
static const struct posted rows[] = {
	{.headers = HEADERS(STRUCTURED, TRACED),
	 .body = EVENT("0", "user.v2",
		       ",\"subject\":\"a b\",\"time\":\"2024-08-20T05:21:19.5+02:00\","
		       "\"dataschema\":\"#\",\"n\":-5,\"b\":false,\"traceparent\":\"" STARTED "\","
		       "\"data\":{\"name\":\"\\u0061\\n\",\"more\":1}")},
	{.headers = HEADERS(BINARY("1", "user"), "ce-n", "100%25", "Ce-TraceParent", STARTED,
			    "Content-Type", "application/json; charset=utf-8", TRACED),
	 .body = "{\"name\":\"b\"}"},
	{.headers = HEADERS(STRUCTURED),
	 .body = EVENT("2", "any", ",\"datacontenttype\":\"a/b\",\"data_base64\":\"AAH/\"")},
	{.headers = HEADERS(BINARY("3", "any"), "content-type", "image/png", TRACED),
	 .body = "\x89PNG\0\n",
	 .bytes = 6},
	{.headers = HEADERS("Content-Type", "application/cloudevents-batch+json", TRACED),
	 .body = "[" EVENT("4", "user", ",\"data\":{\"name\":\"c\"}") ",\n " EVENT(
		 "5", "json", ",\"x\":\"y\",\"data\":null") "]"},
	{.headers = NULL}, /* the batch's second one */
	{.headers = HEADERS("X-Event", "user", "X-Id", "6", "Content-Type", "application/json",
			    TRACED),
	 .body = "{\"name\":\"d\",\"about\":{\"source\":\"hook\"}}"},
	{.headers = HEADERS("X-Event", "json", "X-Id", "7", "Content-Type",
			    "application/x-www-form-urlencoded"),
	 .body = "a=1&payload=%7B%22about%22%3A%7B%22source%22%3A%22f+g%22%7D%7D"},
	{.headers = HEADERS("Content-Type", "application/json", TRACED),
	 .body = "{\"event_type\":\"user\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":"
		 "{\"name\":\"e\"},\"metadata\":{\"id\":\"8\",\"version\":1.50,\"x\":[1, 2],"
		 "\"y\":null,\"traceparent\":\"" STARTED "\"}}"},
};

#define ROWS HERALD_COUNT(rows)

struct user {
	const char *name;
};
HERALD_SCHEMA(user, HERALD_FIELD(user, name, .required = true));

/* What functions have seen, by the event's id. */
struct seen {
	pthread_mutex_t mutex; /* protects the rest */
	pthread_cond_t changed;
	bool has_restarted; /* before, all is tried again */
	size_t count;
	char texts[ROWS][2048];
	char links[ROWS][64];
};

static struct seen seen = {
	PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, {""}, {""}};

static size_t
row_of(const char *id)
{
	size_t row = strtoul(id, NULL, 10);

	assert_true(row < ROWS);
	return row;
}

static void
add(char *out, const char *format, ...)
{
	size_t used = strlen(out);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out + used, sizeof(seen.texts[0]) - used, format, arguments);
	va_end(arguments);
}

static bool
add_attribute(const char *name, const char *value, void *state)
{
	/* With a store they name the span that has accepted the event. */
	if (strcasecmp(name, "traceparent") != 0)
		add(state, " [%s]=%s", name, value);
	return true;
}

static void
describe(struct herald_context *ctx, char *out)
{
	const struct herald_message *message = herald_context_message(ctx);
	const struct herald_trace *trace = herald_context_trace(ctx);
	const struct herald_time *time = herald_context_time(ctx);
	const char *type = herald_context_content_type(ctx);
	char text[HERALD_TIME_TEXT_BYTES] = "none";

	if (time)
		herald_time_format(time, text);
	out[0] = '\0';
	add(out, "%s %s %s %s %s %s %s", message->event_type, herald_context_id(ctx),
	    herald_context_source(ctx), herald_context_subject(ctx), herald_context_version(ctx),
	    text, type ? type : "none");
	for (size_t i = 0; i < message->metadata.count; i++) {
		const struct herald_json_pair *pair = &message->metadata.pairs[i];

		add(out, " %s=%s:%.*s", pair->key, pair->text ? pair->text : "NULL",
		    (int)pair->json.bytes, pair->json.data ? pair->json.data : "");
	}
	/* Events without a trace of their sender begin one. */
	add(out, " %s state=%s flags=%u", strcmp(trace->trace_id, TRACE) == 0 ? TRACE : "new",
	    trace->state, trace->flags & HERALD_TRACE_SAMPLED);
	herald_context_attributes_visit(ctx, add_attribute, out);
}

/* Note an event, with its payload. */
static enum herald_verdict
note(struct herald_context *ctx, const char *content_type, const char *data, size_t bytes)
{
	char *out = seen.texts[row_of(herald_context_id(ctx))];
	enum herald_verdict verdict = HERALD_DONE;

	pthread_mutex_lock(&seen.mutex);
	if (seen.has_restarted) {
		describe(ctx, out);
		add(out, " %s:", content_type);
		for (size_t i = 0; i < bytes; i++)
			add(out, "%02x", (unsigned char)data[i]);
		seen.count++;
		pthread_cond_broadcast(&seen.changed);
	} else {
		verdict = herald_retry_after(ctx, 20, "before the restart");
	}
	pthread_mutex_unlock(&seen.mutex);
	return verdict;
}

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user *user)
{
	return note(ctx, "struct", user->name, strlen(user->name));
}
HERALD_FUNCTION(on_user, user);

static enum herald_verdict
on_any(struct herald_context *ctx, const struct herald_data *data)
{
	return note(ctx, data->content_type ? data->content_type : "NULL", data->data, data->bytes);
}
HERALD_FUNCTION(on_any, herald_data);

static enum herald_verdict
on_json(struct herald_context *ctx, const struct herald_json *json)
{
	return note(ctx, "JSON", json->data, json->bytes);
}
HERALD_FUNCTION(on_json, herald_json);

static const struct herald_route routes[] = {
	HERALD_ROUTE("user", user, on_user, NULL),
	HERALD_ROUTE("any", herald_data, on_any, NULL),
	HERALD_ROUTE("json", herald_json, on_json, NULL),
};

/* Which other trace an event belongs to. */
static void
note_link(const struct herald_span *span, void *state)
{
	(void)state;
	if (span->kind != HERALD_SPAN_CONSUMER)
		return;
	pthread_mutex_lock(&seen.mutex);
	for (size_t i = 0; i < span->attributes_count; i++)
		if (strcmp(span->attributes[i].key, "cloudevents.event_id") == 0)
			snprintf(seen.links[row_of(span->attributes[i].text)],
				 sizeof(seen.links[0]), "%s",
				 span->links_count == 1 ? span->links[0].trace_id : "none");
	pthread_mutex_unlock(&seen.mutex);
}

struct fixture {
	const struct herald_format *formats[3];
	struct herald_store *store;
	struct herald_service *service;
	struct herald_endpoint *endpoint;
};

static void
check_status(enum herald_status status, const struct herald_error *error)
{
	if (status != HERALD_OK)
		fail_msg("%s: %s", error->path, error->message);
}

/* `kind` is NULL without a store. */
static void
begin(struct fixture *fixture, const struct contract_store *kind, void *place)
{
	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 2);
	struct herald_error error = {.message = ""};

	fixture->store = NULL;
	if (kind) {
		options.database = kind->create(place);
		check_status(herald_store_create(&options, &fixture->store, &error), &error);
	}
	check_status(herald_service_create(
			     &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
						     HERALD_FORMATS(fixture->formats),
						     .store = fixture->store,
						     .spans = {.start = NULL, .end = note_link}),
			     &fixture->service, &error),
		     &error);
	fixture->endpoint =
		create_endpoint(fixture->service, &HERALD_ENDPOINT_OPTIONS(.takes_batches = true));
}

static void
end(struct fixture *fixture)
{
	herald_endpoint_destroy(fixture->endpoint);
	herald_service_destroy(fixture->service);
	herald_store_destroy(fixture->store);
}

static void
post_all(struct fixture *fixture, bool is_stored)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (!rows[i].headers)
			continue;
		const struct posted_answer answer = post(fixture->endpoint, &rows[i]);
		bool is_accepted = is_stored ? answer.status == 202
					     : answer.status == 204 || answer.status == 200;

		if (!is_accepted)
			fail_msg("row %zu: %u %s", i, answer.status, answer.body);
	}
}

static void
wait_for_all(void)
{
	pthread_mutex_lock(&seen.mutex);
	while (seen.count < ROWS)
		pthread_cond_wait(&seen.changed, &seen.mutex);
	pthread_mutex_unlock(&seen.mutex);
}

static void
restart(bool has_restarted)
{
	pthread_mutex_lock(&seen.mutex);
	seen.has_restarted = has_restarted;
	seen.count = 0;
	memset(seen.links, 0, sizeof(seen.links));
	pthread_mutex_unlock(&seen.mutex);
}

void
stored_formats_check(const struct contract_store *kind)
{
	static char texts[ROWS][sizeof(seen.texts[0])], links[ROWS][sizeof(seen.links[0])];
	static const bool has_link[ROWS] = {true,  true,  false, false, false,
					    false, false, false, true};
	struct fixture fixture = {.formats = {NULL, NULL, &herald_format_envelope}};
	struct herald_error error;

	check_status(herald_cloudevents_create(&HERALD_CLOUDEVENTS_OPTIONS(.version_suffix = ".v"),
					       &fixture.formats[0], &error),
		     &error);
	check_status(herald_webhook_create(
			     &HERALD_WEBHOOK_OPTIONS(.type = {.attribute = "X-Event"},
						     .id = {.attribute = "X-Id"},
						     .source = {.pointer = "/about/source"},
						     .form_field = "payload"),
			     &fixture.formats[1], &error),
		     &error);
	restart(true);
	begin(&fixture, NULL, NULL);
	post_all(&fixture, false);
	end(&fixture);
	assert_int_equal(seen.count, ROWS);
	memcpy(texts, seen.texts, sizeof(texts));
	memcpy(links, seen.links, sizeof(links));

	void *place = kind->place_create();
	restart(false);
	begin(&fixture, kind, place);
	post_all(&fixture, true);
	end(&fixture);
	restart(true);
	begin(&fixture, kind, place);
	wait_for_all();
	end(&fixture);
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(seen.texts[i], texts[i]) != 0)
			fail_msg("%zu: %s\nwithout a store: %s", i, seen.texts[i], texts[i]);
		assert_string_equal(links[i],
				    has_link[i] ? "4bf92f3577b34da6a3ce929d0e0e4736" : "none");
		assert_string_equal(seen.links[i], links[i]);
	}
	kind->place_destroy(place);
	herald_format_destroy(fixture.formats[0]);
	herald_format_destroy(fixture.formats[1]);
}
