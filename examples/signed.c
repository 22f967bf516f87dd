/*
 * Signed webhooks: only events whose body is signed with the secret are decoded, here in a header
 * of your own. For Standard Webhooks, GitHub, Stripe and others set .scheme instead of the options
 * below it. The older secret is still right, for as long as a sender may have it.
 *
 *	WEBHOOK_SECRET=secret ./signed
 *
 *	curl -i -H 'Content-Type: application/json' \
 *		-H 'X-Signature: /9A11keJeZ6Sxif/9Ei6kWWSEthcq54O/2Q5be9O08k=' \
 *		http://127.0.0.1:8080/event \
 *	-d '{"event_type":"paid","timestamp":"2024-08-20T05:21:19Z","payload":{"order":"7"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' \
 *		-H 'X-Signature: /9A11keJeZ6Sxif/9Ei6kWWSEthcq54O/2Q5be9O08k=' \
 *		http://127.0.0.1:8080/event \
 *	-d '{"event_type":"paid","timestamp":"2024-08-20T05:21:19Z","payload":{"order":"8"}}'
 *	=> 401 {"error":"Unauthorized"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d 'not even JSON'
 *	=> 401 {"error":"Unauthorized"}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/signature.h>

struct paid {
	const char *order;
};
HERALD_SCHEMA(paid, HERALD_FIELD(paid, order, .required = true));

static enum herald_verdict
on_paid(struct herald_context *ctx, const struct paid *paid)
{
	(void)ctx;
	printf("order %s is paid\n", paid->order);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_paid, paid);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "signed: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *const keys[] = {getenv("WEBHOOK_SECRET"), "the one before"};
	const struct herald_signature_options scheme =
		HERALD_SIGNATURE_OPTIONS(.headers = {.signature = "X-Signature"},
					 .encoding = HERALD_SIGNATURE_BASE64,
					 HERALD_SIGNATURE_KEYS(keys));
	const struct herald_route routes[] = {HERALD_ROUTE("paid", paid, on_paid, NULL)};
	struct herald_handler *handlers[1] = {NULL};
	const struct herald_service_options options =
		HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers));
	struct herald_service *service = NULL;
	struct herald_error error;
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = herald_signature_handler_create_with(&scheme, NULL, &handlers[0], &error) ==
			  HERALD_OK &&
		  herald_service_create(&options, &service, &error) == HERALD_OK &&
		  herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error) == HERALD_OK;
	if (!ok)
		herald_error_print(stderr, "signed", &error);
	if (!service)
		herald_handler_destroy(handlers[0]);
	herald_service_destroy(service);
	return ok ? 0 : 1;
}
