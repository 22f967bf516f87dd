/*
 * Accepting an event: its id, key and due time, and what the store gets of it. The store is behind
 * inbox.h. pipeline.c decides when this runs, and turns the store's answer into a result.
 */
#include "service/accept.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>

#include "base/arena.h"
#include "base/error_path.h"
#include "base/safe_text.h"
#include "base/utf8.h"
#include "base/waiter.h"
#include "service/format.h"
#include "service/order_key.h"
#include "service/service.h"
#include "service/stored_attributes.h"

#define MS_PER_SECOND 1000
#define NS_PER_MS 1000000

/* The id. */

static enum herald_status
refuse_without_id(const struct herald_context *ctx, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;
	const char *const *attributes = (const char *const *)service->id_attributes;
	bool pointed = herald__is_envelope(ctx) && service->pointers[HERALD__IDENTITY_ID].text;
	const char *path = herald__envelope_path(ctx, service->id_path);
	char names[192] = "";
	size_t used = 0;

	for (; attributes && *attributes && used < sizeof(names); attributes++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used == 0 ? "; it may also be in the attribute " : " or ",
					 *attributes);
	if (used >= sizeof(names))
		memcpy(names + sizeof(names) - sizeof("..."), "...", sizeof("..."));
	herald_error_set(error, HERALD_MISSING,
			 pointed ? ctx->offsets[HERALD__IDENTITY_ID] : HERALD_NO_OFFSET,
			 "the event's id is missing%s", names);
	herald__path_set(error, path, strlen(path));
	return HERALD_MISSING;
}

/* Texts. */

/*
 * A store keeps these as text, and a database may refuse anything but UTF-8, again and again. JSON
 * is UTF-8; an attribute, such as a header, and what a format makes need not be.
 */
static enum herald_status
check_texts(const struct herald_context *ctx, const struct herald__inbox_event *event,
	    struct herald_error *error)
{
	/* Without formats to tell apart, a content type that is not text is not worth an event. */
	const char *type = ctx->service->selects_format ? ctx->content_type : NULL;
	const struct {
		const char *name, *text;
	} all[] = {
		{"content type", type ? type : ""},
		{"type", event->event_type},
		{"source", event->source},
		{"id", event->id},
	};

	for (size_t i = 0; i < HERALD_COUNT(all); i++)
		if (!herald__is_utf8(all[i].text, strlen(all[i].text)))
			return herald_error_set(error, HERALD_BAD_UTF8, HERALD_NO_OFFSET,
						"the event's %s is not valid UTF-8", all[i].name);
	return HERALD_OK;
}

/* "" if it is unknown, or has parameters that are not text. */
static const char *
content_type_of(const struct herald_context *ctx)
{
	const char *type = ctx->content_type;

	return type && herald__is_utf8(type, strlen(type)) ? type : "";
}

/* The due time. */

static enum herald_status
refuse_due(const struct herald_context *ctx, const char *text, struct herald_error *error)
{
	const char *path = ctx->service->due_path;
	struct herald__shown shown;

	herald__show_string(&shown, text, strlen(text));
	herald_error_set(error, HERALD_BAD_TIME, ctx->offsets[HERALD__IDENTITY_DUE],
			 "expected an RFC 3339 timestamp, found %s",
			 *text != '\0' ? shown.text : "another type");
	herald__path_set(error, path, strlen(path));
	return HERALD_BAD_TIME;
}

/* Rounded up, so that an event is never early. */
static int64_t
ms_of(const struct herald_time *time)
{
	return time->seconds * MS_PER_SECOND + (time->nanoseconds + NS_PER_MS - 1) / NS_PER_MS;
}

/* *due_ms is 0 for now: a time in the past must not overtake earlier events. */
static enum herald_status
read_due(const struct herald_context *ctx, int64_t *due_ms, struct herald_error *error)
{
	const char *text = herald__identity_due(ctx);
	struct herald_time due;

	*due_ms = 0;
	if (!text && ctx->delay_ms == 0)
		return HERALD_OK;
	if (text && herald_time_parse(text, strlen(text), &due, NULL) != HERALD_OK)
		return refuse_due(ctx, text, error);

	const struct herald_time now = herald_time_now();
	int64_t now_ms = now.seconds * MS_PER_SECOND + now.nanoseconds / NS_PER_MS;
	uint64_t most = (uint64_t)(INT64_MAX - now_ms);
	int64_t delayed_ms = now_ms + (int64_t)(ctx->delay_ms < most ? ctx->delay_ms : most);
	if (text && ms_of(&due) > delayed_ms)
		delayed_ms = ms_of(&due);
	*due_ms = delayed_ms > now_ms ? delayed_ms : 0;
	return HERALD_OK;
}

/* Handing it over. */

/* The herald__inbox_event.done callback. */
static void
event_done(struct herald__inbox_event *event)
{
	struct herald__acceptance *acceptance = (struct herald__acceptance *)event;

	acceptance->done(acceptance->state);
}

static enum herald_status
prepare(struct herald_context *ctx, struct herald_error *error)
{
	struct herald__acceptance *acceptance = herald__arena_take(ctx->arena, sizeof(*acceptance));

	if (!acceptance)
		return herald__context_arena_status(ctx, error);
	struct herald__inbox_event *event = &acceptance->event;
	event->service = ctx->service;
	event->event_type = ctx->message->event_type;
	event->source = herald_context_source(ctx);
	event->id = herald_context_id(ctx);
	event->content_type = content_type_of(ctx);
	event->data = (struct herald_text){ctx->data, ctx->bytes};
	event->holds_key = ctx->route->declared.when_dead == HERALD_WHEN_DEAD_HOLD;
	event->done = event_done;
	event->status = HERALD_OK;
	event->is_duplicate = false;
	event->next = NULL;
	enum herald_status status = check_texts(ctx, event, error);
	if (status == HERALD_OK)
		status = herald__order_key(ctx, &event->key, error);
	if (status == HERALD_OK)
		status = read_due(ctx, &event->due_ms, error);
	if (status == HERALD_OK)
		status = herald__attributes_store(ctx, &event->attributes, error);
	if (status == HERALD_OK)
		ctx->acceptance = acceptance;
	return status;
}

enum herald_status
herald__accept_check(struct herald_context *ctx, struct herald_error *error)
{
	const struct herald_service *service = ctx->service;

	if (service->requires_id && *herald_context_id(ctx) == '\0')
		return refuse_without_id(ctx, error);
	return service->inbox ? prepare(ctx, error) : HERALD_OK;
}

void
herald__accept_begin(struct herald_context *ctx, void (*done)(void *state), void *state)
{
	struct herald__acceptance *acceptance = ctx->acceptance;
	struct herald__inbox *inbox = ctx->service->inbox;

	acceptance->done = done;
	acceptance->state = state;
	inbox->ops->accept(inbox, &acceptance->event);
}

/* Waiting. */

void
herald__accept_and_wait(struct herald_context *ctx)
{
	struct herald__waiter waiter;

	herald__waiter_init(&waiter);
	herald__accept_begin(ctx, herald__waiter_wake, &waiter);
	herald__waiter_wait(&waiter);
	herald__waiter_finish(&waiter);
}
