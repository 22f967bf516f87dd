/*
 * Your own structured logger: the records of Herald and of your functions, one JSON object per
 * line, with additional members.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"username": "johndoe"}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{}'
 *	=> 400 {"error":"event_type is required, but missing","path":"/event_type","offset":0}
 *
 * Lines look like this one:
 *
 *	{"app":"mailer","number":1,"time":"2026-01-02T03:04:05.678Z","level":"info",
 *	 "message":"mail sent","fields":{"event_type":"user_created","to":"johndoe"}}
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#define MAX_FIELDS 16

struct log_line {
	const char *app;
	int64_t number;
	struct herald_time time;
	const char *level;
	const char *message;
	struct herald_map fields;
};
HERALD_SCHEMA(log_line, HERALD_FIELD(log_line, app), HERALD_FIELD(log_line, number),
	      HERALD_FIELD(log_line, time), HERALD_FIELD(log_line, level),
	      HERALD_FIELD(log_line, message), HERALD_FIELD(log_line, fields));

struct logger {
	const char *app;
	struct herald_codec *codec;
	pthread_mutex_t lock;
	int64_t lines;
};

/* Called on the thread that handles the event; several threads call it at once. */
static void
write_line(const struct herald_log_record *record, void *state)
{
	struct logger *logger = state;
	struct herald_pair pairs[MAX_FIELDS];
	char numbers[MAX_FIELDS][24];
	size_t count = 0;
	struct herald_buffer out;

	for (; count < record->fields_count && count < MAX_FIELDS; count++) {
		const struct herald_log_field *field = &record->fields[count];

		snprintf(numbers[count], sizeof(numbers[count]), "%" PRId64, field->number);
		pairs[count].key = field->key;
		pairs[count].value = field->text ? field->text : numbers[count];
	}
	struct log_line line = {logger->app,     0,
				record->time,    herald_log_level_name(record->level),
				record->message, {pairs, count}};

	herald_buffer_init(&out, NULL, 0);
	pthread_mutex_lock(&logger->lock);
	line.number = ++logger->lines;
	if (herald_codec_encode(logger->codec, &line, &out, NULL) == HERALD_OK)
		printf("%.*s\n", (int)out.bytes, out.data);
	pthread_mutex_unlock(&logger->lock);
	herald_buffer_finish(&out);
}

struct user_created {
	const char *username;
};
HERALD_SCHEMA(user_created, HERALD_FIELD(user_created, username, .required = true));

static enum herald_verdict
on_user(struct herald_context *ctx, const struct user_created *user)
{
	const struct herald_log_field fields[] = {{"to", user->username, 0}};

	herald_context_log(ctx, HERALD_LOG_INFO, "mail sent", fields, HERALD_COUNT(fields));
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
	fprintf(stderr, "custom_logger: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	struct logger logger = {.app = "mailer", .lock = PTHREAD_MUTEX_INITIALIZER};
	const struct herald_log log = {write_line, &logger, HERALD_LOG_DEBUG};
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user, NULL)};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_service *service = NULL;
	struct herald_error error;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	bool ok = herald_codec_create(&log_line_schema, NULL, NULL, &logger.codec, &error) ==
			  HERALD_OK &&
		  herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = log),
					&service, &error) == HERALD_OK &&
		  herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error) == HERALD_OK;
	if (!ok)
		herald_error_print(stderr, "custom_logger", &error);
	herald_service_destroy(service);
	herald_codec_destroy(logger.codec);
	return ok ? 0 : 1;
}
