/*
 * Fuzzes a service's ways to a payload: read with its message, where what comes before it tells
 * its route, and read afterwards. Three services get the same event. The types of the second have a
 * version of their own, so that it cannot know the route before the metadata; the third has them
 * too, but knows type and version before it decodes, by JSON Pointers to where they usually are.
 * All take the event or all refuse it, and a function gets the same. Where they name different
 * errors, one has read the payload's before the other could, and nothing but that.
 *
 * The input is the event.
 */
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#include "../tests/support/every_kind.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

static const char payload_path[] = "/payload";
static const char another[] = "another";

/* A service, and what its function got last. */
struct way {
	struct herald_service *service;
	struct herald_buffer got;
	struct herald_result result;
};

static struct way with_message, afterwards, by_pointers;
static struct herald_codec *codec;

/* Only events of this way's version use it. */
static void
check_route(const struct herald_context *ctx, const struct way *way)
{
	bool of_another = herald_context_route(ctx)->version != NULL;
	const char *version = herald_context_version(ctx);

	CHECK(of_another == (way != &with_message && strcmp(version, another) == 0));
}

static enum herald_verdict
on_every_kind(struct herald_context *ctx, const void *payload, void *state)
{
	struct way *way = state;
	struct herald_error error;

	check_route(ctx, way);
	/* A member that is not there may have no text of its own: then that is what is compared. */
	if (herald_codec_encode(codec, payload, &way->got, &error) != HERALD_OK)
		CHECK(herald_buffer_append(&way->got, error.path, strlen(error.path)) == HERALD_OK);
	return HERALD_DONE;
}

static enum herald_verdict
on_json(struct herald_context *ctx, const void *payload, void *state)
{
	const struct herald_json *json = payload;
	struct way *way = state;

	check_route(ctx, way);
	CHECK(herald_buffer_append(&way->got, json->data, json->bytes) == HERALD_OK);
	return HERALD_DONE;
}

static void
create_way(struct way *way, size_t routes_count, bool pointers)
{
	const struct herald_route routes[] = {
		{.event_type = "every",
		 .schema = every_kind_table,
		 .function = on_every_kind,
		 .state = way},
		{.event_type = "json",
		 .schema = &herald_json_schema,
		 .function = on_json,
		 .state = way},
		{.event_type = "every",
		 .version = another,
		 .schema = every_kind_table,
		 .function = on_every_kind,
		 .state = way},
		{.event_type = "json",
		 .version = another,
		 .schema = &herald_json_schema,
		 .function = on_json,
		 .state = way},
	};

	CHECK(herald_service_create(
		      &HERALD_SERVICE_OPTIONS(.routes = routes, .routes_count = routes_count,
					      .type_from = pointers ? "/event_type" : NULL,
					      .version_from =
						      pointers ? "/metadata/version" : NULL),
		      &way->service, NULL) == HERALD_OK);
	herald_buffer_init(&way->got, NULL, 0);
}

static void
handle(struct way *way, const uint8_t *data, size_t size)
{
	/* Its own, and no larger: what is read or written beyond it is found. */
	char *event = malloc(size + (size == 0));

	CHECK(event != NULL);
	if (size > 0)
		memcpy(event, data, size);
	way->got.bytes = 0;
	herald_service_handle(way->service, event, size, &way->result);
	free(event);
}

static bool
is_same_error(const struct herald_error *a, const struct herald_error *b)
{
	return a->status == b->status && a->offset == b->offset && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->message, b->message) == 0;
}

/* Or may be: a path that was too long has lost its beginning. */
static bool
is_in_payload(const struct herald_error *error)
{
	return strncmp(error->path, payload_path, sizeof(payload_path) - 1) == 0 ||
	       strncmp(error->path, "...", 3) == 0;
}

/* By pointers the type is looked for, and said to be missing, at another time. */
static bool
is_about_type(const struct way *way)
{
	return way == &by_pointers && (strcmp(by_pointers.result.error.path, "/event_type") == 0 ||
				       strcmp(afterwards.result.error.path, "/event_type") == 0);
}

/* `early` may have read the payload before `late` read what is around it. */
static void
compare(const struct way *early, const struct way *late)
{
	const struct herald_error *first = &early->result.error, *second = &late->result.error;

	CHECK(early->result.verdict == late->result.verdict);
	CHECK((early->result.status == HERALD_OK) == (late->result.status == HERALD_OK));
	CHECK(early->got.bytes == late->got.bytes);
	CHECK(early->got.bytes == 0 ||
	      memcmp(early->got.data, late->got.data, early->got.bytes) == 0);
	if (is_same_error(first, second) || is_about_type(early))
		return;
	CHECK(is_in_payload(first));
	CHECK(!is_in_payload(second) || first->offset <= second->offset);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (codec == NULL) {
		CHECK(herald_codec_create(every_kind_table, NULL, NULL, &codec, NULL) == HERALD_OK);
		create_way(&with_message, 2, false);
		create_way(&afterwards, 4, false);
		create_way(&by_pointers, 4, true);
	}
	handle(&with_message, data, size);
	handle(&afterwards, data, size);
	handle(&by_pointers, data, size);
	compare(&with_message, &afterwards);
	compare(&by_pointers, &afterwards);
	return 0;
}
