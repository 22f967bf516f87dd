/*
 * Stripe: type and id are in the body, the payload is a part of it, and the signature has a time.
 *
 * At Stripe: Developers, Webhooks, Add destination; its signing secret begins with whsec_. Then:
 *
 *	WEBHOOK_SECRET=whsec_secret build/release/examples/stripe 8080
 *
 *	herald send http://127.0.0.1:8080/event --webhook --scheme stripe --secret whsec_secret \
 *		--data '{"id": "evt_1", "type": "charge.succeeded", "created": 1700000000,
 *			"data": {"object": {"id": "ch_1", "amount": 1999, "currency": "eur"}}}'
 *	=> accepted
 *
 *	herald send http://127.0.0.1:8080/event --webhook --scheme stripe --secret whsec_secret \
 *		--data '{"id": "evt_2", "type": "charge.succeeded", "created": 1700000000,
 *			"data": {"object": {"id": "ch_2", "amount": "19.99", "currency": "eur"}}}'
 *	=> 400
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/signature.h>
#include <herald/webhook.h>

struct charge {
	const char *id;
	int64_t amount; /* in cents */
	const char *currency;
};
HERALD_SCHEMA(charge,
	HERALD_FIELD(charge, id, .required = true),
	HERALD_FIELD(charge, amount, .required = true),
	HERALD_FIELD(charge, currency, .required = true));

static enum herald_verdict
on_charge(struct herald_context *ctx, const struct charge *charge)
{
	printf("%s: charge %s of %lld %s\n", herald_context_id(ctx), charge->id,
	       (long long)charge->amount, charge->currency);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_charge, charge);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "stripe: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("charge.succeeded", charge, on_charge, NULL),
	};
	const char *const keys[] = {getenv("WEBHOOK_SECRET")};
	const struct herald_webhook_options webhook =
		HERALD_WEBHOOK_OPTIONS(.name = "stripe", .type = {.pointer = "/type"},
				       .id = {.pointer = "/id"}, .time = {.pointer = "/created"},
				       .payload_from = "/data/object");
	const struct herald_signature_options scheme =
		HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STRIPE,
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
		herald_error_print(stderr, "stripe", &error);
	if (!service)
		herald_handler_destroy(handlers[0]);
	herald_service_destroy(service);
	herald_format_destroy(formats[0]);
	return ok ? 0 : 1;
}
