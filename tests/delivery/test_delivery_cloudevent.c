/*
 * CloudEvents as deliveries: what a receiver gets is the event, in each mode, through libcurl.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#include "support/cloudevents.h"
#include "support/delivering.h"
#include "support/misbehaving_server.h"

static const struct herald_cloudevent_extension extensions[] = {
	{.name = "tenant", .text = {"Z\xc3\xbcrich 100%", 12}},
	{.name = "priority", .kind = HERALD_CLOUDEVENT_INTEGER, .integer = 7},
};

static const struct herald_cloudevent order = {
	.id = {"1 %", 3},
	.source = {"/shop", 5},
	.type = {"order.placed", 12},
	.subject = {"order 4711", 10},
	.datacontenttype = {"application/json", 16},
	.has_time = true,
	.time = {.seconds = 1700000000},
	.extensions = extensions,
	.extensions_count = 2,
	.data_kind = HERALD_CLOUDEVENT_DATA_JSON,
	.data = {"{\"order_id\":\"4711\"}", 19},
};

static const struct herald_cloudevent text = {
	.id = {"2", 1},
	.source = {"/shop", 5},
	.type = {"note", 4},
	.datacontenttype = {"text/plain", 10},
	.data_kind = HERALD_CLOUDEVENT_DATA_TEXT,
	.data = {"two\nlines", 9},
};

static const struct herald_cloudevent nothing = {
	.id = {"3", 1}, .source = {"/shop", 5}, .type = {"tick", 4}};

/* Read a request's head and body into `out`. */
static void
read_request(const char *head, struct request *out)
{
	const char *line = strstr(head, "\r\n") + 2, *body = strstr(head, "\r\n\r\n") + 4;

	request_init(out);
	while (line < body - 2) {
		size_t name_bytes = strcspn(line, ":"), bytes = strcspn(line, "\r");

		request_add(out, line, name_bytes, line + name_bytes + 2, bytes - name_bytes - 2);
		line += bytes + 2;
	}
	request_set_body(out, body, strlen(body));
}

/* They have been compared. */
static void
forget_extensions(struct herald_cloudevent *event)
{
	event->extensions = NULL;
	event->extensions_count = 0;
}

static void
check_event(const char *head, const struct herald_cloudevent *sent,
	    enum herald_cloudevent_mode mode)
{
	struct herald_cloudevent wanted = *sent;
	char found[RENDERED_BYTES], expected[RENDERED_BYTES];
	struct request request;

	read_request(head, &request);
	request_decode(&request, NULL);
	if (request.status != HERALD_OK)
		fail_msg("%s: %s\n%s", request.error.path, request.error.message, head);
	assert_int_equal(request.mode, mode);
	assert_int_equal(request.events_count, 1);
	struct herald_cloudevent *event = &request.events[0];
	assert_string_equal(event->id.data, sent->id.data);
	assert_string_equal(event->type.data, sent->type.data);
	/* In headers, extensions are texts, texts are bytes, and there always is a type. */
	if (mode == HERALD_CLOUDEVENT_BINARY) {
		for (size_t i = 0; i < sent->extensions_count; i++)
			assert_non_null(
				herald_cloudevent_extension_find(event, extensions[i].name));
		forget_extensions(&wanted);
		forget_extensions(event);
		if (sent->data_kind == HERALD_CLOUDEVENT_DATA_TEXT)
			wanted.data_kind = HERALD_CLOUDEVENT_DATA_BYTES;
		if (!sent->datacontenttype.data)
			event->datacontenttype = sent->datacontenttype;
	} else if (sent->extensions_count > 0) {
		assert_string_equal(event->extensions[0].text.data, sent->extensions[0].text.data);
		assert_int_equal(event->extensions[1].integer, sent->extensions[1].integer);
		forget_extensions(&wanted);
		forget_extensions(event);
	}
	assert_string_equal(render_event(event, found), render_event(&wanted, expected));
	request_finish(&request);
}

static void
test_modes(void **state)
{
	static const enum herald_cloudevent_mode modes[] = {
		HERALD_CLOUDEVENT_STRUCTURED, HERALD_CLOUDEVENT_BINARY, HERALD_CLOUDEVENT_BATCH};
	static const struct herald_cloudevent *const events[] = {&order, &text, &nothing};
	static const char *const own[] = {"X-Own: 1"};
	struct delivery_fixture *fixture = *state;
	struct herald_arena *arena;
	struct herald_error error;
	size_t count = 0;
	char url[256];

	delivery_fixture_start(fixture, HERALD_DELIVERER_OPTIONS());
	delivery_fixture_url(fixture, "/200", url, sizeof(url));
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	for (size_t i = 0; i < HERALD_COUNT(events); i++)
		for (size_t k = 0; k < HERALD_COUNT(modes); k++) {
			struct herald_delivery delivery = {.url = url, HERALD_HEADERS(own)};

			if (herald_cloudevent_deliver(events[i], modes[k], arena, &delivery,
						      &error) != HERALD_OK ||
			    herald_deliverer_submit(fixture->deliverer, &delivery, &error) !=
				    HERALD_OK)
				fail_msg("%s: %s", error.path, error.message);
			recorder_wait(&fixture->recorder, ++count);
			const char *head = misbehaving_server_text(&fixture->server, count - 1);
			assert_non_null(strstr(head, "\r\nX-Own: 1\r\n"));
			check_event(head, events[i], modes[k]);
		}
	assert_int_equal(fixture->recorder.delivered, count);
	herald_arena_destroy(arena);
}

/* What cannot be sent changes nothing. */
static void
test_refused(void **state)
{
	struct herald_cloudevent wrong = order;
	struct herald_delivery delivery = {.url = "http://a/", .body = "own", .body_bytes = 3};
	const struct herald_delivery before = delivery;
	struct herald_arena *arena, *small;
	struct herald_error error;

	(void)state;
	wrong.id = (struct herald_text){NULL, 0};
	assert_int_equal(herald_arena_create(NULL, 0, &arena), HERALD_OK);
	assert_int_equal(herald_arena_create(NULL, 64, &small), HERALD_OK);
	for (int mode = HERALD_CLOUDEVENT_STRUCTURED; mode <= HERALD_CLOUDEVENT_BINARY; mode++) {
		assert_int_equal(herald_cloudevent_deliver(&wrong,
							   (enum herald_cloudevent_mode)mode, arena,
							   &delivery, &error),
				 HERALD_MISSING);
		assert_memory_equal(&delivery, &before, sizeof(before));
		assert_int_not_equal(herald_cloudevent_deliver(&order,
							       (enum herald_cloudevent_mode)mode,
							       small, &delivery, &error),
				     HERALD_OK);
		assert_memory_equal(&delivery, &before, sizeof(before));
		herald_arena_reset(small);
	}
	assert_int_equal(
		herald_cloudevent_deliver(&order, HERALD_CLOUDEVENT_NONE, arena, &delivery, &error),
		HERALD_BAD_VALUE);
	assert_string_equal(error.message,
			    "expected the mode structured, binary or batch, found 0");
	assert_memory_equal(&delivery, &before, sizeof(before));
	herald_arena_destroy(arena);
	herald_arena_destroy(small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_modes, delivery_fixture_setup,
						delivery_fixture_teardown),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
