/*
 * GitHub: the event type is in a header, and each delivery is signed.
 *
 * At GitHub: Settings, Webhooks, Add webhook; content type application/json, and a secret. Then:
 *
 *	WEBHOOK_SECRET=secret build/release/examples/github 8080
 *
 *	herald send http://127.0.0.1:8080/event --webhook --scheme github --secret secret \
 *		--header 'X-GitHub-Event: push' --header 'X-GitHub-Delivery: 72d3162e' \
 *		--data '{"ref": "refs/heads/main", "repository": {"full_name": "octo/hello"}}'
 *	=> accepted
 *
 *	herald send http://127.0.0.1:8080/event --webhook --scheme github --secret wrong \
 *		--header 'X-GitHub-Event: push' --header 'X-GitHub-Delivery: 72d3162e' \
 *		--data '{"ref": "refs/heads/main", "repository": {"full_name": "octo/hello"}}'
 *	=> 401
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/signature.h>
#include <herald/webhook.h>

struct repository {
	const char *full_name;
};
HERALD_SCHEMA(repository, HERALD_FIELD(repository, full_name, .required = true));

struct push {
	const char *ref;
	struct repository repository;
};
HERALD_SCHEMA(push,
	HERALD_FIELD(push, ref, .required = true),
	HERALD_STRUCT(push, repository, repository, .required = true));

static enum herald_verdict
on_push(struct herald_context *ctx, const struct push *push)
{
	printf("%s: push to %s of %s\n", herald_context_id(ctx), push->ref,
	       push->repository.full_name);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_push, push);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "github: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("push", push, on_push, NULL),
	};
	const char *const keys[] = {getenv("WEBHOOK_SECRET")};
	const struct herald_webhook_options webhook =
		HERALD_WEBHOOK_OPTIONS(.name = "github", .type = {.attribute = "X-GitHub-Event"},
				       .id = {.attribute = "X-GitHub-Delivery"},
				       .form_field = "payload");
	const struct herald_signature_options scheme =
		HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_GITHUB,
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
		herald_error_print(stderr, "github", &error);
	if (!service)
		herald_handler_destroy(handlers[0]);
	herald_service_destroy(service);
	herald_format_destroy(formats[0]);
	return ok ? 0 : 1;
}
