/*
 * Reads plain webhooks: JSON of any shape, or other bytes. Type and id are looked for in the places
 * that well-known senders use, unless the user says where. Prints nothing.
 */
#include <herald/array.h>

#include "reading.h"
#include "text.h"

/* A header's value, or a member of the body. */
static const char *
text_from(struct reading *reading, const char *place)
{
	return *place == '/' ? reading_text_at(reading, place)
			     : inspect_header(reading->request, place);
}

static const char *
text_from_any(struct reading *reading, const char *chosen, const char *const *places, size_t count)
{
	const char *text = NULL;

	if (chosen)
		return text_from(reading, chosen);
	for (size_t i = 0; !text && i < count; i++)
		text = text_from(reading, places[i]);
	return text;
}

const char *
inspect_webhook_type(struct reading *reading)
{
	static const char *const places[] = {"X-GitHub-Event", "X-Gitlab-Event", "X-Shopify-Topic",
					     "/type",          "/event/type",    "/event_type",
					     "/eventType",     "/event"};

	return text_from_any(reading, reading->inspector->type_from, places, HERALD_COUNT(places));
}

static const char *
webhook_id(struct reading *reading)
{
	static const char *const places[] = {"webhook-id",
					     "svix-id",
					     "X-GitHub-Delivery",
					     "X-Gitlab-Event-UUID",
					     "X-Shopify-Webhook-Id",
					     "/event_id",
					     "/id"};

	return text_from_any(reading, reading->inspector->id_from, places, HERALD_COUNT(places));
}

/* Whether a body is JSON: by its type, then it must be valid; without a type, if it is valid. */
static void
check_body(const struct reading *reading, struct inspect_event *event)
{
	const char *content_type = reading->request->content_type;

	if (content_type && !herald_cloudevent_is_json_type(content_type))
		return;
	enum herald_status status =
		body_check_json(reading->inspector, reading_body(reading), &event->error);
	event->is_json = status == HERALD_OK;
	if (content_type)
		inspect_check(event, status);
}

static void
refuse_untyped(const struct reading *reading, struct inspect_event *event)
{
	const struct body *body = &reading->body;

	if (body->is_read && event->is_json && body->status != HERALD_OK &&
	    body->status != HERALD_BAD_TYPE) {
		event->error = body->error;
		inspect_check(event, body->status);
	} else if (reading->inspector->type_from) {
		inspect_refuse(event, HERALD_MISSING,
			       "the event's type is not where --type-from says");
	} else if (!reading->inspector->takes_untyped) {
		inspect_refuse(
			event, HERALD_MISSING,
			"no event type was found; --type-from HEADER or /POINTER says where it is, "
			"and with --format webhook events need none");
	}
}

void
inspect_webhook(struct reading *reading)
{
	struct inspect_event event = {.format = "webhook"};

	event.type = text_of(inspect_webhook_type(reading));
	event.id = text_of(webhook_id(reading));
	event.data = reading_body(reading);
	event.datacontenttype = text_of(reading->request->content_type);
	check_body(reading, &event);
	if (event.status == 0 && !event.type.data)
		refuse_untyped(reading, &event);
	reading_visit(reading, &event);
}
