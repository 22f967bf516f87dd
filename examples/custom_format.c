/*
 * Another wire format: events as HTML forms, decoded with the same schema as JSON.
 *
 *	curl -i http://127.0.0.1:8080/event -d event_type=user_created \
 *		--data-urlencode 'username=John "Joe" Döe & sons'
 *	=> 200 {"status":"success"}
 *
 *	curl -i http://127.0.0.1:8080/event -d event_type=user_created -d username=100%
 *	=> 400 {"error":"% needs two hexadecimal digits","path":"","offset":24}
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/format.h>
#include <herald/herald.h>

/* Write a text as a JSON string, then a character. Returns the end; NULL if it is invalid. */
static char *
quote(char *to, const char *text, char after)
{
	if (!to)
		return NULL;
	*to++ = '"';
	for (; *text; text++) {
		unsigned long byte = *text == '+' ? ' ' : (unsigned char)*text;

		if (*text == '%') {
			if (!isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
				return NULL;
			byte = strtoul((char[]){text[1], text[2], '\0'}, NULL, 16);
			text += 2;
		}
		if (byte < ' ' || byte == '"' || byte == '\\')
			to += sprintf(to, "\\u%04lx", byte);
		else
			*to++ = (char)byte;
	}
	*to++ = '"';
	*to++ = after;
	return to;
}

/* event_type is a member of the message, all others form the payload; all are strings. */
static enum herald_status
decode_form(const struct herald_format *format, struct herald_context *ctx, char *data,
	    size_t bytes, struct herald_decoded *out, struct herald_error *error)
{
	char *form = herald_context_alloc(ctx, bytes + 1), *rest = NULL;
	char *json = herald_context_alloc(ctx, 12 * bytes + 16), *end = json;

	(void)format;
	if (!form || !json)
		return HERALD_NO_MEMORY;
	memcpy(form, data, bytes);
	form[bytes] = '\0';
	*end++ = '{';
	for (char *name = strtok_r(form, "&", &rest); name; name = strtok_r(NULL, "&", &rest)) {
		char *value = name + strcspn(name, "=");

		if (*value)
			*value++ = '\0';
		if (strcmp(name, "event_type") == 0)
			out->message->event_type = value;
		else
			end = quote(quote(end, name, ':'), value, ',');
		if (!end)
			return herald_error_set(error, HERALD_BAD_FORMAT, (size_t)(name - form),
						"%% needs two hexadecimal digits");
	}
	end -= end[-1] == ',';
	*end++ = '}';
	out->message->timestamp = herald_time_now();
	out->message->payload = (struct herald_json){json, (size_t)(end - json)};
	return HERALD_OK;
}

static const char *const types[] = {"application/x-www-form-urlencoded", NULL};
static const struct herald_format_ops form_ops = {
	.struct_size = sizeof(form_ops), .name = "form", .decode = decode_form};
static const struct herald_format form = {.ops = &form_ops, .media_types = types};
static const struct herald_format *const formats[] = {&form};

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
	fprintf(stderr, "custom_format: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user, NULL)};
	struct herald_service *service = NULL;
	struct herald_error error;
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	const struct herald_server_options options = HERALD_SERVER_OPTIONS(.port = port);

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_FORMATS(formats)), &service,
		&error);
	if (status == HERALD_OK)
		status = herald_serve(service, &options, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "custom_format", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
