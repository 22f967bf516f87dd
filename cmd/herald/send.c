/*
 * `herald send`: reads its options into an event and a load. outgoing.c makes the requests, load.c
 * sends them.
 */
#include "send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/array.h>

#include "input.h"
#include "load.h"
#include "text.h"
#include "trust.h"

struct send {
	struct load load;
	struct outgoing outgoing;
	struct scheme scheme;
	struct herald_buffer data;
	const char *data_file;           /* of --data @FILE */
	const char *batch_count, *count; /* as given */
};

static const char *
read_type(const char *value, void *state)
{
	((struct send *)state)->outgoing.type = value;
	return *value != '\0' ? NULL : "a type";
}

static const char *
read_source(const char *value, void *state)
{
	((struct send *)state)->outgoing.source = value;
	return *value != '\0' ? NULL : "a source";
}

static const char *
read_id(const char *value, void *state)
{
	((struct send *)state)->outgoing.id = value;
	return *value != '\0' ? NULL : "an id";
}

static const char *
read_subject(const char *value, void *state)
{
	((struct send *)state)->outgoing.subject = value;
	return NULL;
}

static const char *
read_version(const char *value, void *state)
{
	((struct send *)state)->outgoing.version = value;
	return NULL;
}

static const char *
read_time(const char *value, void *state)
{
	struct outgoing *outgoing = &((struct send *)state)->outgoing;

	outgoing->has_time = true;
	return herald_time_parse(value, strlen(value), &outgoing->time, NULL) == HERALD_OK
		       ? NULL
		       : "a time such as 2026-01-31T12:00:00Z";
}

static const char *
read_content_type(const char *value, void *state)
{
	((struct send *)state)->outgoing.content_type = value;
	return *value != '\0' ? NULL : "a media type";
}

static const char *
read_data(const char *value, void *state)
{
	struct send *send = state;

	send->data_file = *value == '@' ? value + 1 : NULL;
	send->outgoing.data = text_of(value);
	return NULL;
}

static const char *
read_extension(const char *value, void *state)
{
	struct outgoing *outgoing = &((struct send *)state)->outgoing;
	const char *equals = strchr(value, '=');

	if (!equals || equals == value || outgoing->extensions_count == OUTGOING_MAX_EXTENSIONS)
		return "NAME=VALUE, at most 64 of them";
	char *name = strndup(value, (size_t)(equals - value)); /* until the process ends */
	if (!name)
		return "less; out of memory";
	outgoing->extensions[outgoing->extensions_count++] =
		(struct herald_cloudevent_extension){.name = name, .text = text_of(equals + 1)};
	return NULL;
}

static const char *
read_header(const char *value, void *state)
{
	struct outgoing *outgoing = &((struct send *)state)->outgoing;
	char *line = strdup(value); /* until the process ends */

	if (!line || outgoing->headers_count == OUTGOING_MAX_HEADERS ||
	    !input_header(line, &outgoing->headers[outgoing->headers_count])) {
		free(line);
		return "\"Name: value\", at most 64 of them";
	}
	outgoing->headers_count++;
	return NULL;
}

static const char *
read_mode(const char *value, void *state)
{
	struct outgoing *outgoing = &((struct send *)state)->outgoing;

	if (strcmp(value, "structured") == 0)
		outgoing->mode = HERALD_CLOUDEVENT_STRUCTURED;
	else if (strcmp(value, "binary") == 0)
		outgoing->mode = HERALD_CLOUDEVENT_BINARY;
	else if (strcmp(value, "batch") == 0)
		outgoing->mode = HERALD_CLOUDEVENT_BATCH;
	else
		return "structured, binary or batch";
	return NULL;
}

static const char *
read_webhook(const char *value, void *state)
{
	(void)value;
	((struct send *)state)->outgoing.is_webhook = true;
	return NULL;
}

static const char *
read_scheme(const char *value, void *state)
{
	return scheme_read_name(value, &((struct send *)state)->scheme);
}

static const char *
read_secret(const char *value, void *state)
{
	return scheme_read_secret(value, &((struct send *)state)->scheme);
}

static const char *
read_count(const char *value, void *state)
{
	((struct send *)state)->count = value;
	return options_number(value, 1, 100000000, &((struct send *)state)->load.count)
		       ? NULL
		       : "a number from 1 to 100000000";
}

static const char *
read_rate(const char *value, void *state)
{
	return options_number(value, 1, 10000000, &((struct send *)state)->load.rate)
		       ? NULL
		       : "events a second, 1 to 10000000";
}

static const char *
read_connections(const char *value, void *state)
{
	return options_number(value, 1, 10000, &((struct send *)state)->load.connections)
		       ? NULL
		       : "a number from 1 to 10000";
}

static const char *
read_batch_count(const char *value, void *state)
{
	((struct send *)state)->batch_count = value;
	return options_number(value, 1, 10000, &((struct send *)state)->load.batch_count)
		       ? NULL
		       : "a number from 1 to 10000";
}

static const char *
read_timeout(const char *value, void *state)
{
	return options_number(value, 1, 86400000, &((struct send *)state)->load.timeout_ms)
		       ? NULL
		       : "milliseconds, 1 to 86400000";
}

static const char *
read_tls_ca(const char *value, void *state)
{
	return trust_read(value, &((struct send *)state)->load.ca_file);
}

static const struct tool_option options[] = {
	{"type", "TYPE", read_type, "type of the event. Default test"},
	{"source", "SOURCE", read_source, "default /herald/send"},
	{"id", "ID", read_id, "default a random one; later events of a load get -1, -2, ..."},
	{"data", "JSON|@FILE", read_data, "the payload; @- reads standard input"},
	{"subject", "TEXT", read_subject, "what the event is about"},
	{"version", "VERSION", read_version, "version of the payload, in Herald's envelope"},
	{"time", "TIME", read_time, "RFC 3339. Default now"},
	{"extension", "NAME=VALUE", read_extension,
	 "an extension attribute, or a member of the metadata; may be repeated"},
	{"content-type", "TYPE", read_content_type,
	 "of a webhook or a CloudEvent's data. Default application/json"},
	{"cloudevents", "MODE", read_mode,
	 "structured, binary or batch. Default Herald's envelope"},
	{"webhook", NULL, read_webhook, "send the data alone, without an envelope"},
	{"batch-count", "N", read_batch_count, "events in a batch. Default 100"},
	{"header", "\"NAME: VALUE\"", read_header, "a header of the request; may be repeated"},
	{"secret", "SECRET", read_secret,
	 "sign the request; once for each key. @FILE reads it from a file"},
	{"scheme", "NAME", read_scheme, "how to sign: " SCHEME_NAMES ". Default standard-webhooks"},
	{"count", "N", read_count, "how many events to send. Default 1, or --batch-count"},
	{"rate", "N", read_rate, "events a second. Default: as fast as they are answered"},
	{"connections", "N", read_connections, "requests at the same time. Default 1"},
	TRUST_OPTION(read_tls_ca),
	{"timeout-ms", "N", read_timeout, "time limit of each request. Default 30000"},
};

/* What a webhook cannot have; NULL: none was given. */
static const char *
envelope_option(const struct outgoing *outgoing)
{
	return outgoing->type                   ? "--type"
	       : outgoing->source               ? "--source"
	       : outgoing->subject              ? "--subject"
	       : outgoing->has_time             ? "--time"
	       : outgoing->version              ? "--version"
	       : outgoing->extensions_count > 0 ? "--extension"
						: NULL;
}

static bool
check(struct send *send, const char *url)
{
	const char *unused = send->outgoing.is_webhook ? envelope_option(&send->outgoing) : NULL;
	const struct outgoing *outgoing = &send->outgoing;
	const char *problem = NULL;

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		problem = "expected a URL that begins with http:// or https://";
	else if (send->load.ca_file && strncmp(url, "https://", 8) != 0)
		problem = "--tls-ca needs a URL that begins with https://";
	else if (outgoing->mode != HERALD_CLOUDEVENT_BATCH && send->batch_count)
		problem = "--batch-count needs --cloudevents batch";
	else if (outgoing->is_webhook && outgoing->mode != HERALD_CLOUDEVENT_NONE)
		problem = "--webhook and --cloudevents exclude each other";
	else if (!outgoing->is_webhook && outgoing->mode == HERALD_CLOUDEVENT_NONE &&
		 outgoing->content_type)
		problem = "--content-type needs --cloudevents or --webhook";
	else if (outgoing->mode != HERALD_CLOUDEVENT_NONE && outgoing->version)
		problem = "--version is of Herald's envelope; CloudEvents have none";
	if (problem)
		fprintf(stderr, "herald: send: %s\n", problem);
	else if (unused)
		fprintf(stderr, "herald: send: %s needs an envelope, which --webhook leaves out\n",
			unused);
	return !problem && !unused;
}

static void
set_defaults(struct send *send)
{
	struct outgoing *outgoing = &send->outgoing;
	struct load *load = &send->load;

	if (!outgoing->type)
		outgoing->type = "test";
	if (!outgoing->source)
		outgoing->source = "/herald/send";
	if (!send->count)
		load->count = send->batch_count ? load->batch_count : 1;
	if (!send->batch_count)
		load->batch_count = outgoing->mode == HERALD_CLOUDEVENT_BATCH ? 100 : 1;
}

static bool
read_data_file(struct send *send)
{
	if (!send->data_file)
		return true;
	if (!input_read(send->data_file, &send->data))
		return false;
	send->outgoing.data = (struct herald_text){send->data.data, send->data.bytes};
	return true;
}

static int
send_events(struct send *send)
{
	struct herald_error error;

	if (outgoing_init(&send->outgoing, &error) != HERALD_OK) {
		herald_error_print(stderr, "herald", &error);
		return 1;
	}
	int status = load_run(&send->load);
	outgoing_finish(&send->outgoing);
	return status;
}

static int
run(int argc, char **argv)
{
	static struct send send = {
		.load = {.connections = 1, .timeout_ms = 30000},
	};
	char **words;

	send.load.outgoing = &send.outgoing;
	send.load.scheme = &send.scheme;
	herald_buffer_init(&send.data, NULL, 0);
	enum options_result result = options_read(&send_command, argc, argv, &send, 1, &words);
	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	if (!words[0]) {
		fprintf(stderr, "herald: send: the URL is missing\n");
		return 2;
	}
	if (!check(&send, words[0]) || !scheme_open(&send.scheme, "send"))
		return 2;
	send.load.url = words[0];
	set_defaults(&send);
	int status = read_data_file(&send) ? send_events(&send) : 1;
	scheme_close(&send.scheme);
	herald_buffer_finish(&send.data);
	return status;
}

const struct tool_command send_command = {
	.name = "send",
	.words = "URL",
	.doc = "Send an event, or many, over HTTP; the exit status says whether all were accepted",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run,
};
