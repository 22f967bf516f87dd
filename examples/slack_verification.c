/*
 * A webhook with another envelope, whose sender expects an answer: Slack's Events API first sends a
 * `url_verification`, and its `challenge` must come back.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "type": "url_verification",
 *		"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYX"}'
 *	=> 200 {"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYX"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "type": "url_verification"}'
 *	=> 400 {"error":"the challenge is missing"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "type": "event_callback",
 *		"event": {"type": "message", "user": "U061F7AUR", "text": "Hello!"},
 *		"event_id": "Ev9UQ52YNA", "event_time": 1234567890}'
 *	=> 200 {"status":"success"}
 *
 * Before it trusts an event, a real program checks X-Slack-Signature over the raw bytes: by the
 * handler of herald/signature.h with HERALD_SIGNATURE_SLACK, as signed.c does for another header.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

/* Slack's envelope: the members of Herald's message under other names, then Slack's own members. */
struct slack_envelope {
	struct herald_message message; /* First. */
	const char *challenge;         /* Of url_verification. */
};
HERALD_SCHEMA(slack_envelope,
	HERALD_FIELD(slack_envelope, message.event_type, .key = "type", .required = true),
	HERALD_FIELD(slack_envelope, message.payload, .key = "event"),
	HERALD_FIELD(slack_envelope, message.timestamp, .key = "timestamp"), /* Not sent. */
	HERALD_FIELD(slack_envelope, message.metadata, .key = "metadata"),   /* Not sent. */
	HERALD_FIELD(slack_envelope, challenge));

/* The answer. */
struct verified {
	const char *challenge;
};
HERALD_SCHEMA(verified, HERALD_FIELD(verified, challenge, .required = true));

/* The event has no payload; the challenge is a member of the envelope. */
static enum herald_verdict
on_verification(struct herald_context *ctx, const struct herald_json *none)
{
	const struct slack_envelope *envelope =
		(const struct slack_envelope *)herald_context_message(ctx);
	const struct verified verified = {.challenge = envelope->challenge};

	(void)none;
	if (!envelope->challenge)
		return herald_fail_status(ctx, 400, "the challenge is missing");
	return HERALD_DONE_JSON(ctx, 200, verified, &verified);
}
HERALD_FUNCTION(on_verification, herald_json);

struct slack_event {
	const char *type;
	const char *user;
	const char *text;
};
HERALD_SCHEMA(slack_event,
	HERALD_FIELD(slack_event, type, .required = true),
	HERALD_FIELD(slack_event, user),
	HERALD_FIELD(slack_event, text));

static enum herald_verdict
on_event(struct herald_context *ctx, const struct slack_event *event)
{
	(void)ctx;
	printf("%s by %s: %s\n", event->type, event->user, event->text);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_event, slack_event);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "slack_verification: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("url_verification", herald_json, on_verification, NULL),
		HERALD_ROUTE("event_callback", slack_event, on_event, NULL),
	};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_service *service = NULL;
	struct herald_error error;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .envelope = &slack_envelope_schema,
					.id_from = "/event_id"),
		&service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "slack_verification", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
