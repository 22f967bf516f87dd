/*
 * Authorisation: a handler that checks an API key before the event is decoded, and metadata.source
 * before the function runs.
 *
 *	API_KEY=secret ./verify_before
 *
 *	curl -i -H 'Content-Type: application/json' -H 'X-Api-Key: secret' \
 *		http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"username": "johndoe"}, "metadata": {"source": "user_service"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d 'not even JSON'
 *	=> 401 {"error":"the X-Api-Key header is missing"}
 *
 *	curl -i -H 'Content-Type: application/json' -H 'X-Api-Key: Secret' \
 *		http://127.0.0.1:8080/event -d '{}'
 *	=> 401 {"error":"the X-Api-Key header is wrong"}
 *
 *	curl -i -H 'Content-Type: application/json' -H 'X-Api-Key: secret' \
 *		http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"username": "mallory"}, "metadata": {"source": "elsewhere"}}'
 *	=> 403 {"error":"source \"elsewhere\" may not send this"}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

struct verifier {
	struct herald_handler base; /* First, so that it has the address of the verifier. */
	const char *key;
};

/* Takes the same time whatever part of the key is right. */
static bool
is_same_key(const char *key, const char *given)
{
	volatile unsigned char differs = strlen(key) != strlen(given);

	for (size_t i = 0; given[i]; i++)
		differs |= (unsigned char)(given[i] ^ key[i % (strlen(key) + 1)]);
	return !differs;
}

/* Runs before decoding. Check a signature over the body here, too: `data` is the body. */
static enum herald_verdict
verify_key(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	   size_t bytes)
{
	const struct verifier *verifier = (struct verifier *)handler;
	const char *given = herald_context_attribute(ctx, "X-Api-Key");

	(void)data, (void)bytes;
	if (!given)
		return herald_fail_status(ctx, 401, "the X-Api-Key header is missing");
	if (!is_same_key(verifier->key, given))
		return herald_fail_status(ctx, 401, "the X-Api-Key header is wrong");
	return HERALD_DONE;
}

static enum herald_verdict
verify_source(struct herald_handler *handler, struct herald_context *ctx)
{
	static const char *const allowed[] = {"user_service", "admin"};
	const char *source = herald_context_source(ctx);

	(void)handler;
	for (size_t i = 0; i < HERALD_COUNT(allowed); i++)
		if (strcmp(allowed[i], source) == 0)
			return HERALD_DONE;
	return herald_fail_status(ctx, 403, "source \"%s\" may not send this", source);
}

static const struct herald_handler_ops verifier_ops = {
	.struct_size = sizeof(verifier_ops),
	.name = "verifier",
	.before = verify_source,
	.attributes = (const char *const[]){"X-Api-Key", NULL},
	.receive = verify_key};

struct user_created {
	const char *username;
};
HERALD_SCHEMA(user_created, HERALD_FIELD(user_created, username, .required = true));

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user_created *user)
{
	(void)ctx;
	printf("Welcome, %s!\n", user->username);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user, user_created);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "verify_before: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	struct verifier verifier = {.base.ops = &verifier_ops, .key = getenv("API_KEY")};
	struct herald_handler *handlers[] = {&verifier.base};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user, NULL)};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_service *service = NULL;
	struct herald_error error = {.message = "set API_KEY in the environment"};

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = verifier.key &&
		  herald_service_create(
			  &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers)),
			  &service, &error) == HERALD_OK &&
		  herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error) == HERALD_OK;
	if (!ok)
		herald_error_print(stderr, "verify_before", &error);
	herald_service_destroy(service);
	return ok ? 0 : 1;
}
