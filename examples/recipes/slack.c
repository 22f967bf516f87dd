/*
 * Slack's Events API: the first request asks for an answer, and the type of an event is in its
 * inner object.
 *
 * At Slack: Your Apps, Event Subscriptions; the signing secret is under Basic Information. Then:
 *
 *	WEBHOOK_SECRET=secret build/release/examples/slack 8080
 *
 *	herald send http://127.0.0.1:8080/event --webhook --scheme slack --secret secret \
 *		--data '{"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV"}'
 *	=> accepted
 *
 *	herald send http://127.0.0.1:8080/event --webhook --scheme slack --secret secret \
 *		--data '{"type": "event_callback", "event_id": "Ev1",
 *			"event": {"type": "message", "user": "U061F7AUR", "text": "Hello!"}}'
 *	=> accepted
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/signature.h>
#include <herald/webhook.h>

/* The whole body is the payload, because the challenge is not in the inner object. */
struct message {
	const char *user;
	const char *text;
};
HERALD_SCHEMA(message,
	HERALD_FIELD(message, user),
	HERALD_FIELD(message, text, .required = true));

struct slack {
	const char *challenge;
	const struct message *event;
};
HERALD_SCHEMA(slack,
	HERALD_FIELD(slack, challenge),
	HERALD_POINTER(slack, event, message));

/* Slack wants to see the challenge again. */
static enum herald_verdict
on_verification(struct herald_context *ctx, const struct slack *slack)
{
	const struct slack answer = {.challenge = slack->challenge};

	if (!slack->challenge)
		return herald_fail_status(ctx, 400, "the challenge is missing");
	printf("verified with %s\n", slack->challenge);
	return HERALD_DONE_JSON(ctx, 200, slack, &answer);
}
HERALD_FUNCTION(on_verification, slack);

static enum herald_verdict
on_message(struct herald_context *ctx, const struct slack *slack)
{
	if (!slack->event)
		return herald_fail_status(ctx, 400, "the event is missing");
	printf("%s: %s says %s\n", herald_context_id(ctx), slack->event->user, slack->event->text);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_message, slack);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "slack: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("url_verification", slack, on_verification, NULL),
		HERALD_ROUTE("message", slack, on_message, NULL),
	};
	const char *const keys[] = {getenv("WEBHOOK_SECRET")};
	const struct herald_webhook_options webhook =
		HERALD_WEBHOOK_OPTIONS(.name = "slack",
				       .type = {.pointer = "/event/type", .otherwise = "/type"},
				       .id = {.pointer = "/event_id"});
	const struct herald_signature_options scheme =
		HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_SLACK,
					 HERALD_SIGNATURE_KEYS(keys));
	const struct herald_format *formats[1] = {NULL};
	struct herald_handler *handlers[1] = {NULL};
	const struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats),
				       HERALD_HANDLERS(handlers), .unknown = HERALD_UNKNOWN_IGNORE);
	struct herald_service *service = NULL;
	struct herald_error error;
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = herald_webhook_create(&webhook, &formats[0], &error) == HERALD_OK &&
		  herald_signature_handler_create_with(&scheme, NULL, &handlers[0], &error) ==
			  HERALD_OK &&
		  herald_service_create(&options, &service, &error) == HERALD_OK &&
		  herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error) == HERALD_OK;
	if (!ok)
		herald_error_print(stderr, "slack", &error);
	if (!service)
		herald_handler_destroy(handlers[0]);
	herald_service_destroy(service);
	herald_format_destroy(formats[0]);
	return ok ? 0 : 1;
}
