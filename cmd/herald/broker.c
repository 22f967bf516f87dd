/*
 * `herald broker dead`: the options of its commands. The work is in broker_job.c.
 */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/array.h>

#include "broker_job.h"
#include "moment.h"
#include "options.h"

static struct broker_job *
job_of(void *state)
{
	return state;
}

/* Options. Each reads a value; see struct tool_option. */

static const char *
read_url(const char *value, void *state)
{
	job_of(state)->place.url = value;
	return NULL;
}

static const char *
read_source(const char *value, void *state)
{
	job_of(state)->place.source = value;
	return NULL;
}

static const char *
read_tls_ca(const char *value, void *state)
{
	job_of(state)->place.ca_file = value;
	return NULL;
}

static const char *
read_tls_certificate(const char *value, void *state)
{
	job_of(state)->place.certificate_file = value;
	return NULL;
}

static const char *
read_tls_key(const char *value, void *state)
{
	job_of(state)->place.key_file = value;
	return NULL;
}

static const char *
read_target(const char *value, void *state)
{
	job_of(state)->target = value;
	return NULL;
}

static const char *
read_id(const char *value, void *state)
{
	job_of(state)->filter.id = value;
	return NULL;
}

static const char *
read_event_id(const char *value, void *state)
{
	job_of(state)->filter.event_id = value;
	return NULL;
}

static const char *
read_type(const char *value, void *state)
{
	job_of(state)->filter.event_type = value;
	return NULL;
}

static const char *
read_reason(const char *value, void *state)
{
	job_of(state)->filter.reason = value;
	return NULL;
}

static const char *
read_status(const char *value, void *state)
{
	job_of(state)->filter.status = value;
	return NULL;
}

static const char *
read_from(const char *value, void *state)
{
	return moment_read(value, 0, &job_of(state)->filter.from_ms) ? NULL : MOMENT_EXPECTED;
}

static const char *
read_to(const char *value, void *state)
{
	return moment_read(value, 1, &job_of(state)->filter.to_ms) ? NULL : MOMENT_EXPECTED;
}

static const char *
read_limit(const char *value, void *state)
{
	return options_number(value, 1, UINT64_MAX, &job_of(state)->limit) ? NULL
									   : "a number from 1";
}

static const char *
read_rate(const char *value, void *state)
{
	return options_number(value, 1, 1000000000, &job_of(state)->per_second)
		       ? NULL
		       : "a number per second from 1";
}

static const char *
read_all(const char *value, void *state)
{
	(void)value;
	job_of(state)->is_all = true;
	return NULL;
}

static const char *
read_dry_run(const char *value, void *state)
{
	(void)value;
	job_of(state)->is_dry_run = true;
	return NULL;
}

static const char *
read_json(const char *value, void *state)
{
	(void)value;
	job_of(state)->is_json = true;
	return NULL;
}

/* clang-format off */
#define PLACE_OPTIONS                                                                              \
	{"url", "URL", read_url,                                                                   \
	 "redis://, nats://, amqp:// or kafka://HOST. Default: HERALD_BROKER"},                   \
	{"tls-ca", "FILE", read_tls_ca,                                                            \
	 "for rediss://, amqps:// and tls://: whom to trust. Default: the system's CAs"},          \
	{"tls-certificate", "FILE", read_tls_certificate, "of this client, if servers ask for it"}, \
	{"tls-key", "FILE", read_tls_key, "its key"},                                              \
	{"source", "NAME", read_source, "the stream, queue or topic that the events came from"},  \
	{"json", NULL, read_json, "print one JSON object a line"},                                 \
	{"id", "ID", read_id, "the id of a dead letter, as `list` prints it"}
#define FILTER_OPTIONS                                                                             \
	{"event-id", "ID", read_event_id, "the id of the event"},                                  \
	{"type", "TYPE", read_type, "the event type"},                                             \
	{"reason", "TEXT", read_reason, "a part of the reason"},                                   \
	{"status", "STATUS", read_status, "such as HERALD_BAD_JSON or 422"},                       \
	{"from", "TIME", read_from,                                                                \
	 "when it became one: 2026-01-31T12:00:00Z, or an age: 15m, 7d"},                          \
	{"to", "TIME", read_to, "likewise, the end"},                                              \
	{"limit", "N", read_limit, "end after so many"}
#define BULK_OPTIONS                                                                               \
	{"all", NULL, read_all, "all dead letters: no filter is needed"},                          \
	{"dry-run", NULL, read_dry_run, "count only"},                                             \
	{"rate", "N", read_rate, "how many a second"}
/* clang-format on */

static const struct tool_option list_options[] = {PLACE_OPTIONS, FILTER_OPTIONS};
static const struct tool_option show_options[] = {PLACE_OPTIONS};
static const struct tool_option replay_options[] = {
	PLACE_OPTIONS,
	FILTER_OPTIONS,
	BULK_OPTIONS,
	{"target", "NAME", read_target, "where to. Default: where each came from"},
};
static const struct tool_option drop_options[] = {PLACE_OPTIONS, FILTER_OPTIONS, BULK_OPTIONS};

/* In the order of enum broker_action. */
static const struct tool_command commands[] = {
	{"broker dead list", "[ID]", "List dead letters, the oldest first", list_options,
	 HERALD_COUNT(list_options), NULL},
	{"broker dead show", "ID", "Print a dead letter with its headers and its body",
	 show_options, HERALD_COUNT(show_options), NULL},
	{"broker dead replay", "[ID]", "Send dead letters to where they came from, and remove them",
	 replay_options, HERALD_COUNT(replay_options), NULL},
	{"broker dead drop", "[ID]", "Delete dead letters", drop_options,
	 HERALD_COUNT(drop_options), NULL},
};

/* "list" */
static const char *
last_word(const struct tool_command *command)
{
	return strrchr(command->name, ' ') + 1;
}

/* What is missing, or does not go together; NULL: nothing. */
static const char *
check(const struct broker_job *job)
{
	const bool is_bulk = job->action == BROKER_REPLAY || job->action == BROKER_DROP;

	if (!job->place.url || *job->place.url == '\0')
		return "--url is missing: redis://HOST, nats://HOST, amqp://HOST or kafka://HOST";
	if (!job->place.source)
		return "--source is missing: the stream, queue or topic that the events came "
		       "from";
	if (job->filter.to_ms != 0 && job->filter.from_ms >= job->filter.to_ms)
		return "--to must be later than --from";
	if (job->action == BROKER_SHOW && !job->filter.id)
		return "expected an id, as `herald broker dead list` prints it";
	if (is_bulk && !job->is_all && !broker_filter_is_one(&job->filter))
		return "give a filter such as --type, or --all for all of them";
	return NULL;
}

static int
run(const struct tool_command *command, int argc, char **argv)
{
	struct broker_job job = {.action = (enum broker_action)(command - commands),
				 .place.url = getenv("HERALD_BROKER")};
	char **words;

	switch (options_read(command, argc, argv, &job, 1, &words)) {
	case OPTIONS_HELP:
		return 0;
	case OPTIONS_WRONG:
		return 2;
	case OPTIONS_OK:
		break;
	}
	if (*words && job.filter.id && strcmp(*words, job.filter.id) != 0) {
		fprintf(stderr, "herald: %s: expected one id, found %s and --id %s\n",
			command->name, *words, job.filter.id);
		return 2;
	}
	if (*words)
		job.filter.id = *words;
	const char *why = check(&job);
	if (why) {
		fprintf(stderr, "herald: %s: %s\n", command->name, why);
		return 2;
	}
	return broker_job_run(&job);
}

static int
usage(FILE *out)
{
	fprintf(out, "usage: herald broker dead COMMAND --url URL --source NAME [OPTION...]\n\n");
	for (size_t i = 0; i < HERALD_COUNT(commands); i++)
		fprintf(out, "  %-8s %s\n", last_word(&commands[i]), commands[i].doc);
	fprintf(out, "\nherald broker dead COMMAND --help prints the options of a command.\n");
	return out == stdout ? 0 : 2;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int
broker_main(int argc, char **argv)
{
	const char *word = argc > 0 ? argv[0] : "", *command = argc > 1 ? argv[1] : "";

	if (is_help(word) || (strcmp(word, "dead") == 0 && is_help(command)))
		return usage(stdout);
	for (size_t i = 0; i < HERALD_COUNT(commands) && strcmp(word, "dead") == 0; i++)
		if (strcmp(command, last_word(&commands[i])) == 0)
			return run(&commands[i], argc - 1, argv + 1);
	if (*word != '\0' && strcmp(word, "dead") != 0)
		fprintf(stderr, "herald: broker: unknown command \"%s\"; expected dead\n", word);
	else if (*word != '\0' && *command == '\0')
		fprintf(stderr, "herald: broker dead: a command is missing; expected list, show, "
				"replay, drop\n");
	else if (*word != '\0')
		fprintf(stderr,
			"herald: broker dead: unknown command \"%s\"; expected list, show, "
			"replay, drop\n",
			command);
	return usage(stderr);
}
