/*
 * Reads dead letters in batches, chooses those that match, and prints, replays or drops them. What
 * fails is counted and told; the others go on. Knows no broker.
 */
#include "broker_job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <herald/adapter/text.h>

#include "broker_output.h"
#include "broker_place.h"
#include "output.h"
#include "text.h"

/* Read at once. The same number is in doubt when a connection is lost. */
#define BATCH_COUNT 64
#define BATCH_BYTES ((size_t)8 << 20)
/* Failures that are told one by one. */
#define FAILURES_TOLD 10
/* Of an event whose type is looked for. */
#define EVENT_BYTES_MAX ((size_t)64 << 20)

/* Dead letters of a batch. */
struct batch {
	struct herald_dead_message_list read;
	struct herald_dead_message_list chosen; /* to be replayed to `target`, or dropped */
	struct herald_dead_message_list passed; /* to be freed */
	const char *target;
};

static const char *
verb_of(const struct broker_job *job)
{
	return job->action == BROKER_DROP ? "dropped" : "replayed";
}

/* A rate: batches are smaller, and wait for each other. */

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static size_t
batch_count(const struct broker_job *job)
{
	const uint64_t count = job->per_second / 4;

	if (job->per_second == 0 || count > BATCH_COUNT)
		return BATCH_COUNT;
	return count > 0 ? (size_t)count : 1;
}

/* A signal ends the pause. */
static void
wait_for_rate(const struct broker_job *job)
{
	if (job->per_second == 0 || job->is_dry_run)
		return;
	const uint64_t due_ms = job->began_ms + (job->done + job->failed) * 1000 / job->per_second;

	for (uint64_t now = now_ms(); now < due_ms && !progress_is_interrupted(); now = now_ms()) {
		const uint64_t left = due_ms - now;
		const struct timespec pause = {(time_t)(left / 1000),
					       (long)(left % 1000) * 1000000};

		if (nanosleep(&pause, NULL) != 0 && errno != EINTR)
			return;
	}
}

/* Replay and drop. */

static void
tell_failure(struct broker_job *job, const char *id, const char *reason)
{
	if (job->failed++ >= FAILURES_TOLD)
		return;
	fprintf(stderr, "herald: dead letter %s: ", id);
	text_print_safe(stderr, text_of(reason));
	fputc('\n', stderr);
}

static void
count_outcomes(struct broker_job *job, const struct herald_dead_message_list *list)
{
	for (const struct herald_dead_message *message = list->first; message;
	     message = message->next) {
		if (message->status == HERALD_OK)
			job->done++;
		else if (message->status == HERALD_UNKNOWN_OUTCOME)
			job->unknown++;
		else
			tell_failure(job, message->id, message->reason);
	}
}

/* Replay or drop those that were chosen. */
static enum herald_status
end_chosen(struct broker_job *job, struct batch *batch, struct herald_error *error)
{
	const struct herald_dead_letters_ops *ops = job->letters->ops;
	enum herald_status status;

	if (batch->chosen.count == 0)
		return HERALD_OK;
	if (job->action == BROKER_DROP)
		status = ops->remove(job->letters, &batch->chosen, error);
	else
		status = ops->replay(job->letters, &batch->chosen, batch->target, error);
	count_outcomes(job, &batch->chosen);
	for (struct herald_dead_message *message;
	     (message = herald_dead_message_list_take(&batch->chosen));)
		herald_dead_message_list_add(&batch->passed, message);
	wait_for_rate(job);
	return status;
}

/* Who may write dead letters may name any origin. So it must be the place that they belong to,
 * or a part of it. */
static enum herald_status
check_origin(struct broker_job *job, const struct batch *batch, const char *origin, bool *out,
	     struct herald_error *error)
{
	const struct herald_dead_letters_ops *ops = job->letters->ops;

	*out = strcmp(origin, job->place.source) == 0 ||
	       (batch->chosen.count > 0 && strcmp(origin, batch->target) == 0);
	return *out || !ops->is_origin ? HERALD_OK
				       : ops->is_origin(job->letters, origin, out, error);
}

/* Where a dead letter is sent. NULL: nowhere, and that is told. */
static enum herald_status
find_target(struct broker_job *job, const struct batch *batch, const struct broker_letter *letter,
	    const char **out, struct herald_error *error)
{
	char reason[640];
	bool is_own = false;

	*out = job->target;
	if (job->action != BROKER_REPLAY || job->target)
		return HERALD_OK;
	if (!letter->origin) {
		tell_failure(job, letter->message->id,
			     "it has no header herald-origin; say where to with --target");
		return HERALD_OK;
	}
	enum herald_status status = check_origin(job, batch, letter->origin, &is_own, error);
	if (status == HERALD_OK && is_own) {
		*out = letter->origin;
	} else if (status == HERALD_OK) {
		snprintf(reason, sizeof(reason),
			 "its origin is not %.250s; say where to with --target: %.250s",
			 job->place.source, letter->origin);
		tell_failure(job, letter->message->id, reason);
	}
	return status;
}

/* Those in a row with the same target are replayed together. */
static enum herald_status
choose(struct broker_job *job, struct batch *batch, const struct broker_letter *letter,
       struct herald_dead_message *message, struct herald_error *error)
{
	const char *target = NULL;
	enum herald_status status = find_target(job, batch, letter, &target, error);

	if (status != HERALD_OK || (job->action == BROKER_REPLAY && !target)) {
		herald_dead_message_list_add(&batch->passed, message);
		return status;
	}
	if (job->is_dry_run) {
		job->done++;
		herald_dead_message_list_add(&batch->passed, message);
		return HERALD_OK;
	}
	if (job->action == BROKER_REPLAY && batch->chosen.count > 0 &&
	    strcmp(target, batch->target) != 0)
		status = end_chosen(job, batch, error);
	batch->target = target;
	herald_dead_message_list_add(&batch->chosen, message);
	return status;
}

/* One dead letter, which goes into a list of the batch. */
static enum herald_status
take_letter(struct broker_job *job, struct batch *batch, const struct broker_letter *letter,
	    struct herald_dead_message *message, struct herald_error *error)
{
	if (!broker_letter_matches(letter, &job->filter) ||
	    (job->limit != 0 && job->found == job->limit)) {
		herald_dead_message_list_add(&batch->passed, message);
		return HERALD_OK;
	}
	job->found++;
	if (job->action == BROKER_REPLAY || job->action == BROKER_DROP)
		return choose(job, batch, letter, message, error);
	if (job->action == BROKER_LIST && job->found == 1 && !job->is_json)
		broker_print_heading();
	job->is_printed = job->action == BROKER_LIST
				  ? broker_print_letter(letter, job->is_json)
				  : broker_print_whole_letter(letter, job->is_json);
	herald_dead_message_list_add(&batch->passed, message);
	return HERALD_OK;
}

static enum herald_status
take_batch(struct broker_job *job, struct batch *batch, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (struct herald_dead_message *message;
	     status == HERALD_OK && job->is_printed &&
	     (message = herald_dead_message_list_take(&batch->read));) {
		struct broker_letter letter;

		if (broker_letter_read(&job->inspector, message, &letter)) {
			status = take_letter(job, batch, &letter, message, error);
			broker_letter_finish(&letter);
		} else {
			herald_dead_message_list_add(&batch->passed, message);
			status = herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET,
						  "out of memory");
		}
	}
	return status == HERALD_OK ? end_chosen(job, batch, error) : status;
}

static enum herald_status
work(struct broker_job *job, struct herald_error *error)
{
	const struct herald_dead_letters_ops *ops = job->letters->ops;
	enum herald_status status = HERALD_OK;
	bool is_end = false;

	while (status == HERALD_OK && !is_end && job->is_printed) {
		struct batch batch = {0};

		status = ops->read(job->letters, batch_count(job), BATCH_BYTES, &batch.read, error);
		is_end = batch.read.count == 0;
		if (status == HERALD_OK)
			status = take_batch(job, &batch, error);
		ops->release(job->letters, &batch.read);
		ops->release(job->letters, &batch.chosen);
		ops->release(job->letters, &batch.passed);
		is_end |= (job->limit != 0 && job->found == job->limit) ||
			  !progress_tell(&job->progress, job->done);
	}
	return status;
}

/* The whole. */

static enum herald_status
no_such_id(const struct broker_job *job, struct herald_error *error)
{
	struct broker_filter others = job->filter;

	others.id = NULL;
	return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
				broker_filter_is_one(&others)
					? "no dead letter %s matches the filter"
					: "there is no dead letter %s",
				job->filter.id);
}

static enum herald_status
run_open(struct broker_job *job, struct herald_error *error)
{
	enum herald_status status = work(job, error);

	if (status == HERALD_OK && job->found == 0 && job->filter.id)
		return no_such_id(job, error);
	if (job->action == BROKER_REPLAY || job->action == BROKER_DROP) {
		if (status == HERALD_OK || job->done > 0)
			job->is_printed =
				print_done(verb_of(job), job->done, job->is_dry_run, job->is_json);
	} else if (status == HERALD_OK && job->found == 0 && !job->is_json) {
		job->is_printed = printf("There are no such dead letters.\n") > 0;
	}
	return status;
}

static enum herald_status
run(struct broker_job *job, bool *is_wrong_usage, struct herald_error *error)
{
	enum herald_status status = broker_letters_create(&job->place, &job->letters, error);

	*is_wrong_usage = status == HERALD_BAD_OPTION;
	if (status != HERALD_OK)
		return status;
	const struct herald_dead_letters_ops *ops = job->letters->ops;
	job->inspector = (struct inspector){.max_bytes = EVENT_BYTES_MAX, .takes_untyped = true};
	status = inspector_init(&job->inspector, error);
	if (status == HERALD_OK) {
		status = ops->open(job->letters, job->filter.id, error);
		if (status == HERALD_OK)
			status = run_open(job, error);
		ops->close(job->letters);
		inspector_finish(&job->inspector);
	}
	if (status != HERALD_OK)
		broker_name_option(error);
	ops->destroy(job->letters);
	return status;
}

/* How many were not replayed, for people. */
static void
tell_rest(const struct broker_job *job)
{
	const uint64_t all = job->done + job->failed + job->unknown;

	if (job->failed > 0)
		fprintf(stderr, "herald: %" PRIu64 " of %" PRIu64 " were not %s\n", job->failed,
			all, verb_of(job));
	if (job->unknown > 0)
		fprintf(stderr,
			"herald: of %" PRIu64 " more it is unknown whether they were %s: the "
			"connection was lost; list them again\n",
			job->unknown, verb_of(job));
}

int
broker_job_run(struct broker_job *job)
{
	struct herald_error error;
	bool is_wrong_usage = false;

	job->is_printed = true;
	/* Equal dead letters may have equal ids. */
	if (job->filter.id)
		job->limit = 1;
	job->began_ms = now_ms();
	progress_begin(&job->progress, verb_of(job),
		       job->is_dry_run || job->action == BROKER_LIST || job->action == BROKER_SHOW);
	enum herald_status status = run(job, &is_wrong_usage, &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "herald", &error);
	tell_rest(job);
	if (fflush(stdout) != 0 || !job->is_printed) {
		fprintf(stderr, "herald: could not write to stdout\n");
		return 1;
	}
	progress_end(&job->progress);
	return is_wrong_usage ? 2 : status != HERALD_OK || job->failed > 0 || job->unknown > 0;
}
