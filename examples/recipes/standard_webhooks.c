/*
 * Standard Webhooks, as Svix and many others send them: the type is in the body, the id in a
 * header, and the signature covers both the id and the time.
 *
 *	WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw \
 *		build/release/examples/standard_webhooks 8080
 *
 *	herald send http://127.0.0.1:8080/event --webhook \
 *		--secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw \
 *		--data '{"type": "invoice.paid", "timestamp": "2026-01-31T12:00:00Z",
 *			"data": {"invoice_id": "in_1", "total_cents": 1999}}'
 *	=> accepted
 *
 *	herald send http://127.0.0.1:8080/event --webhook \
 *		--data '{"type": "invoice.paid", "timestamp": "2026-01-31T12:00:00Z",
 *			"data": {"invoice_id": "in_1", "total_cents": 1999}}'
 *	=> 401
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/signature.h>
#include <herald/webhook.h>

struct invoice {
	const char *invoice_id;
	int64_t total_cents;
};
HERALD_SCHEMA(invoice,
	HERALD_FIELD(invoice, invoice_id, .required = true),
	HERALD_FIELD(invoice, total_cents, .required = true));

static enum herald_verdict
on_paid(struct herald_context *ctx, const struct invoice *invoice)
{
	(void)ctx;
	printf("invoice %s of %lld was paid\n", invoice->invoice_id,
	       (long long)invoice->total_cents);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_paid, invoice);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "standard_webhooks: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("invoice.paid", invoice, on_paid, NULL),
	};
	const char *const keys[] = {getenv("WEBHOOK_SECRET")};
	const struct herald_webhook_options webhook =
		HERALD_WEBHOOK_OPTIONS(.name = "standard-webhooks", .type = {.pointer = "/type"},
				       .id = {.attribute = "webhook-id"},
				       .time = {.pointer = "/timestamp"}, .payload_from = "/data");
	const struct herald_signature_options scheme =
		HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
					 HERALD_SIGNATURE_KEYS(keys));
	const struct herald_format *formats[1] = {NULL};
	struct herald_handler *handlers[1] = {NULL};
	const struct herald_service_options options = HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_FORMATS(formats), HERALD_HANDLERS(handlers));
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
		herald_error_print(stderr, "standard_webhooks", &error);
	if (!service)
		herald_handler_destroy(handlers[0]);
	herald_service_destroy(service);
	herald_format_destroy(formats[0]);
	return ok ? 0 : 1;
}
