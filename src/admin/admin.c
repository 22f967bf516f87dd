/*
 * The dashboard: its options, their defaults and checks, and what it keeps. It answers no request:
 * see handle.c.
 */
#include "admin/admin.h"

#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>
#include <herald/metrics.h>

#include "admin/actions.h"
#include "metrics/metrics.h"

#define MAX_TOKEN_BYTES 256
#define WEAK_TOKEN_BYTES 16
#define MAX_NAME_BYTES 63
#define MAX_PER_MINUTE 1000000
#define MAX_ACTION_COUNT 1000000
#define MAX_PAYLOAD_BYTES (64u << 20)

#define SET_DEFAULT(OPTION, VALUE) ((OPTION) = (OPTION) ? (OPTION) : (VALUE))

/* Options. */

static enum herald_status
check_token(const char *token, struct herald_error *error)
{
	if (!token || *token == '\0')
		return herald_option_refuse(error, "token", "is required");
	if (strlen(token) > MAX_TOKEN_BYTES)
		return herald_option_refuse(error, "token", "must have at most %d bytes, not %zu",
					    MAX_TOKEN_BYTES, strlen(token));
	for (const char *at = token; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~')
			return herald_option_refuse(error, "token",
						    "must be visible ASCII; byte %td is not",
						    at - token);
	return HERALD_OK;
}

static enum herald_status
check_options(struct herald_admin_options *options, struct herald_error *error)
{
	SET_DEFAULT(options->name, "Herald");
	SET_DEFAULT(options->max_wrong_tokens_per_minute, 10);
	SET_DEFAULT(options->max_actions_per_minute, 600);
	SET_DEFAULT(options->max_action_count, 1000);
	SET_DEFAULT(options->max_payload_bytes, 256u << 10);
	const struct herald_option_range ranges[] = {
		{"max_wrong_tokens_per_minute", options->max_wrong_tokens_per_minute, 1,
		 MAX_PER_MINUTE},
		{"max_actions_per_minute", options->max_actions_per_minute, 1, MAX_PER_MINUTE},
		{"max_action_count", options->max_action_count, 1, MAX_ACTION_COUNT},
		{"max_payload_bytes", options->max_payload_bytes, 1, MAX_PAYLOAD_BYTES},
	};
	enum herald_status status = check_token(options->token, error);

	if (status != HERALD_OK)
		return status;
	if (*options->name == '\0' || strlen(options->name) > MAX_NAME_BYTES)
		return herald_option_refuse(error, "name", "must have 1 to %d bytes, not %zu",
					    MAX_NAME_BYTES, strlen(options->name));
	return herald_option_ranges_check(ranges, HERALD_COUNT(ranges), error);
}

static enum herald_status
read_options(const struct herald_admin_options *options, struct herald_admin_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(options, out, sizeof(*out), "HERALD_ADMIN_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	return status == HERALD_OK ? check_options(out, error) : status;
}

/* The parts of the process, which metrics have as well: they check them and copy the lists. */
static enum herald_status
copy_parts(struct herald_admin *admin, struct herald_error *error)
{
	struct herald_admin_options *options = &admin->options;
	enum herald_status status = herald_metrics_create(
		&HERALD_METRICS_OPTIONS(.consumers = options->consumers,
					.consumers_count = options->consumers_count,
					.producers = options->producers,
					.producers_count = options->producers_count,
					.allocator = admin->allocator),
		&admin->parts, error);

	if (status != HERALD_OK)
		return status;
	options->consumers = admin->parts->options.consumers;
	options->producers = admin->parts->options.producers;
	if (!options->store && options->service)
		options->store = herald_service_store(options->service);
	return HERALD_OK;
}

static bool
copy_texts(struct herald_admin *admin)
{
	struct herald_admin_options *options = &admin->options;
	const size_t token_bytes = strlen(options->token) + 1;
	const size_t name_bytes = strlen(options->name) + 1;

	admin->texts_bytes = token_bytes + name_bytes;
	admin->texts = herald_memory_allocate(&admin->allocator, admin->texts_bytes);
	if (!admin->texts)
		return false;
	memcpy(admin->texts, options->token, token_bytes);
	memcpy(admin->texts + token_bytes, options->name, name_bytes);
	options->token = admin->texts;
	options->name = admin->texts + token_bytes;
	return true;
}

/* Creation. */

static void
start_clock(struct herald_admin *admin, const struct herald__delivery_clock *clock)
{
	admin->clock = clock ? *clock : herald__system_clock(&admin->random_state);
	const uint64_t now_ms = herald__clock_now_ms(&admin->clock);

	admin->began_ms = herald__clock_wall_ms(&admin->clock);
	herald__allowance_init(&admin->wrong_tokens, admin->options.max_wrong_tokens_per_minute,
			       now_ms);
	herald__allowance_init(&admin->actions, admin->options.max_actions_per_minute, now_ms);
}

static void
warn_of_weak_token(const struct herald_admin *admin)
{
	if (strlen(admin->options.token) < WEAK_TOKEN_BYTES)
		herald_log_write(&admin->options.log, HERALD_LOG_WARNING,
				 "the dashboard's token has fewer than 16 characters", NULL, 0);
}

enum herald_status
herald__admin_create(const struct herald_admin_options *options,
		     const struct herald__delivery_clock *clock, struct herald_admin **out,
		     struct herald_error *error)
{
	struct herald_admin_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;
	const struct herald_allocator allocator = herald_allocator_or_libc(&read.allocator);
	struct herald_admin *admin = herald_memory_allocate_zeroed(&allocator, 1, sizeof(*admin));
	if (!admin)
		return herald_out_of_memory(error);
	if (herald_condition_init(&admin->turn) != 0) {
		herald_memory_release(&allocator, admin, sizeof(*admin));
		return herald_out_of_memory(error);
	}
	admin->options = read;
	admin->allocator = allocator;
	/* They cannot fail without attributes. */
	pthread_mutex_init(&admin->mutex, NULL);
	pthread_mutex_init(&admin->queues.mutex, NULL);
	herald_buffer_init(&admin->queues.text, &allocator, 0);
	status = copy_texts(admin) ? copy_parts(admin, error) : herald_out_of_memory(error);
	if (status == HERALD_OK)
		status = herald__admin_actions_init(admin, error);
	if (status != HERALD_OK) {
		herald_admin_destroy(admin);
		return status;
	}
	start_clock(admin, clock);
	warn_of_weak_token(admin);
	*out = admin;
	return HERALD_OK;
}

enum herald_status
herald_admin_create(const struct herald_admin_options *options, struct herald_admin **out,
		    struct herald_error *error)
{
	return herald__admin_create(options, NULL, out, error);
}

void
herald_admin_destroy(struct herald_admin *admin)
{
	if (!admin)
		return;
	const struct herald_allocator allocator = admin->allocator;

	herald_codec_destroy(admin->action_codec);
	herald_metrics_destroy(admin->parts);
	if (admin->texts)
		herald_memory_release(&allocator, admin->texts, admin->texts_bytes);
	herald_buffer_finish(&admin->queues.text);
	pthread_cond_destroy(&admin->turn);
	pthread_mutex_destroy(&admin->queues.mutex);
	pthread_mutex_destroy(&admin->mutex);
	herald_memory_release(&allocator, admin, sizeof(*admin));
}
