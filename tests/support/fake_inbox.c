/*
 * The store of tests. It owns copies of the events that it has stored; events that wait for an
 * answer belong to the service.
 */
#include "support/fake_inbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/delivery.h>

static struct fake_inbox *
inbox_of(struct herald__inbox *base)
{
	return (struct fake_inbox *)base;
}

/* Copies. */

static char *
copy_bytes(const char *data, size_t bytes)
{
	char *copy = malloc(bytes + 1);

	assert(copy);
	if (bytes > 0)
		memcpy(copy, data, bytes);
	copy[bytes] = '\0';
	return copy;
}

static char *
copy_string(const char *text)
{
	return copy_bytes(text, strlen(text));
}

static void
free_stored(struct fake_stored *stored)
{
	free(stored->event_type);
	free(stored->source);
	free(stored->id);
	free(stored->content_type);
	free(stored->attributes);
	free(stored->data);
	free(stored->key);
}

static void
store(struct fake_inbox *inbox, const struct herald__inbox_event *event)
{
	size_t bytes = (inbox->stored_count + 1) * sizeof(*inbox->stored);

	inbox->stored = realloc(inbox->stored, bytes);
	assert(inbox->stored);
	inbox->stored[inbox->stored_count++] = (struct fake_stored){
		.event_type = copy_string(event->event_type),
		.source = copy_string(event->source),
		.id = copy_string(event->id),
		.content_type = copy_string(event->content_type),
		.attributes = copy_bytes(event->attributes.data, event->attributes.bytes),
		.attributes_bytes = event->attributes.bytes,
		.data = copy_bytes(event->data.data, event->data.bytes),
		.data_bytes = event->data.bytes,
		.key = event->key.data ? copy_bytes(event->key.data, event->key.bytes) : NULL,
		.key_bytes = event->key.bytes,
		.due_ms = event->due_ms,
		.holds_key = event->holds_key,
		.service = event->service,
	};
}

static bool
is_known(const struct fake_inbox *inbox, const struct herald__inbox_event *event)
{
	for (size_t i = 0; i < inbox->stored_count && *event->id != '\0'; i++)
		if (strcmp(inbox->stored[i].id, event->id) == 0 &&
		    strcmp(inbox->stored[i].source, event->source) == 0)
			return true;
	return false;
}

/* Answers, under the mutex until the event's `done`. */

static void
settle(struct fake_inbox *inbox, struct herald__inbox_event *event)
{
	event->status = inbox->accept_status;
	event->is_duplicate = event->status == HERALD_OK && is_known(inbox, event);
	if (event->status != HERALD_OK)
		herald_error_set(&event->error, event->status, HERALD_NO_OFFSET,
				 "the fake store says no");
	else if (!event->is_duplicate)
		store(inbox, event);
}

static void
fake_accept(struct herald__inbox *base, struct herald__inbox_event *event)
{
	struct fake_inbox *inbox = inbox_of(base);

	pthread_mutex_lock(&inbox->mutex);
	inbox->accepts++;
	bool answers = inbox->answers_at_once;
	if (answers) {
		settle(inbox, event);
	} else {
		event->next = NULL;
		*inbox->last = event;
		inbox->last = &event->next;
		inbox->waiting_count++;
	}
	pthread_cond_broadcast(&inbox->changed);
	pthread_mutex_unlock(&inbox->mutex);
	if (answers)
		event->done(event);
}

void
fake_inbox_wait(struct fake_inbox *inbox, size_t count)
{
	pthread_mutex_lock(&inbox->mutex);
	while (inbox->waiting_count < count)
		pthread_cond_wait(&inbox->changed, &inbox->mutex);
	pthread_mutex_unlock(&inbox->mutex);
}

size_t
fake_inbox_commit(struct fake_inbox *inbox)
{
	pthread_mutex_lock(&inbox->mutex);
	struct herald__inbox_event *event = inbox->first;
	size_t count = inbox->waiting_count;
	for (struct herald__inbox_event *each = event; each; each = each->next)
		settle(inbox, each);
	inbox->first = NULL;
	inbox->last = &inbox->first;
	inbox->waiting_count = 0;
	pthread_mutex_unlock(&inbox->mutex);

	while (event) {
		struct herald__inbox_event *next = event->next;

		event->done(event);
		event = next;
	}
	return count;
}

static void *
run_committer(void *state)
{
	struct fake_inbox *inbox = state;
	bool stops = false;

	while (!stops) {
		pthread_mutex_lock(&inbox->mutex);
		while (inbox->waiting_count == 0 && !inbox->committer_stops)
			pthread_cond_wait(&inbox->changed, &inbox->mutex);
		stops = inbox->committer_stops;
		pthread_mutex_unlock(&inbox->mutex);
		fake_inbox_commit(inbox);
	}
	return NULL;
}

void
fake_inbox_start_committer(struct fake_inbox *inbox)
{
	inbox->answers_at_once = false;
	inbox->committer_stops = false;
	if (pthread_create(&inbox->committer, NULL, run_committer, inbox) != 0)
		abort();
}

void
fake_inbox_stop_committer(struct fake_inbox *inbox)
{
	pthread_mutex_lock(&inbox->mutex);
	inbox->committer_stops = true;
	pthread_cond_broadcast(&inbox->changed);
	pthread_mutex_unlock(&inbox->mutex);
	pthread_join(inbox->committer, NULL);
}

void
fake_inbox_set(struct fake_inbox *inbox, bool answers_at_once, enum herald_status accept_status)
{
	pthread_mutex_lock(&inbox->mutex);
	inbox->answers_at_once = answers_at_once;
	inbox->accept_status = accept_status;
	pthread_mutex_unlock(&inbox->mutex);
}

/* Services. */

static enum herald_status
fake_attach(struct herald__inbox *base, struct herald_service *service, struct herald_error *error)
{
	struct fake_inbox *inbox = inbox_of(base);

	(void)service;
	inbox->attaches++;
	return inbox->attach_status == HERALD_OK
		       ? HERALD_OK
		       : herald_error_set(error, inbox->attach_status, HERALD_NO_OFFSET,
					  "the fake store says no");
}

static void
fake_detach(struct herald__inbox *base, struct herald_service *service)
{
	(void)service;
	inbox_of(base)->detaches++;
}

/* Runs. */

struct fake_run {
	struct herald__run base;
	struct fake_inbox *inbox;
};

struct herald_session *
fake_inbox_session(struct fake_inbox *inbox)
{
	return (struct herald_session *)&inbox->begins;
}

static enum herald_status
fake_begin(struct herald__run *base, bool joins, struct herald_error *error)
{
	struct fake_inbox *inbox = ((struct fake_run *)base)->inbox;

	inbox->begins++;
	inbox->joins = joins;
	if (joins && inbox->begin_status != HERALD_OK)
		return herald_error_set(error, inbox->begin_status, HERALD_NO_OFFSET,
					"the fake store says no");
	base->session = joins ? fake_inbox_session(inbox) : NULL;
	return HERALD_OK;
}

static enum herald_status
fake_end(struct herald__run *base, bool is_done, struct herald_error *error)
{
	struct fake_inbox *inbox = ((struct fake_run *)base)->inbox;

	inbox->ends++;
	inbox->keeps_part = is_done;
	base->session = NULL;
	return inbox->end_status == HERALD_OK
		       ? HERALD_OK
		       : herald_error_set(error, inbox->end_status, HERALD_NO_OFFSET,
					  "the fake store cannot end it");
}

static enum herald_status
fake_publish(struct herald__inbox *base, struct herald__run *run,
	     const struct herald_delivery *delivery, struct herald_error *error)
{
	struct fake_inbox *inbox = inbox_of(base);

	if (inbox->publish_status != HERALD_OK)
		return herald_error_set(error, inbox->publish_status, HERALD_NO_OFFSET,
					"the fake store says no");
	enum herald_status status = run->published.bytes > 0
					    ? herald_buffer_append(&run->published, " ", 1)
					    : HERALD_OK;
	if (status == HERALD_OK)
		status =
			herald_buffer_append(&run->published, delivery->url, strlen(delivery->url));
	return status;
}

struct herald_result
fake_inbox_run(struct fake_inbox *inbox, size_t index, unsigned attempt, bool is_last_attempt)
{
	assert(index < inbox->stored_count);

	const struct fake_stored *stored = &inbox->stored[index];
	struct fake_run run = {
		.base =
			{
				.id = index + 1,
				.content_type = stored->content_type,
				.attributes = {stored->attributes, stored->attributes_bytes},
				.created_ms = 1,
				.attempt = attempt,
				.is_last_attempt = is_last_attempt,
				.begin = fake_begin,
				.end = fake_end,
				.holds_key = stored->holds_key,
			},
		.inbox = inbox,
	};
	struct herald_result result;
	/* Without a NUL, so that ASan detects every access beyond it. */
	char *data = malloc(stored->data_bytes ? stored->data_bytes : 1);

	assert(data);
	memcpy(data, stored->data, stored->data_bytes);
	memset(&result, 0xA5, sizeof(result));
	herald_buffer_init(&run.base.published, NULL, sizeof(inbox->published) - 1);
	inbox->begins = inbox->ends = 0;
	inbox->joins = false;
	herald__service_run(stored->service, &run.base, data, stored->data_bytes, &result);
	free(data);
	if (run.base.published.bytes > 0)
		memcpy(inbox->published, run.base.published.data, run.base.published.bytes);
	inbox->published[run.base.published.bytes] = '\0';
	inbox->holds_key = run.base.holds_key;
	inbox->is_exhausted = run.base.is_exhausted;
	herald_buffer_finish(&run.base.published);
	return result;
}

/* Creation. */

static const struct herald__inbox_ops fake_ops = {
	.attach = fake_attach,
	.detach = fake_detach,
	.accept = fake_accept,
	.publish = fake_publish,
};

void
fake_inbox_init(struct fake_inbox *inbox)
{
	*inbox = (struct fake_inbox){.base.ops = &fake_ops, .answers_at_once = true};
	inbox->base.max_waiting = SIZE_MAX;
	inbox->last = &inbox->first;
	pthread_mutex_init(&inbox->mutex, NULL);
	pthread_cond_init(&inbox->changed, NULL);
}

void
fake_inbox_finish(struct fake_inbox *inbox)
{
	assert(inbox->waiting_count == 0);
	for (size_t i = 0; i < inbox->stored_count; i++)
		free_stored(&inbox->stored[i]);
	free(inbox->stored);
	pthread_cond_destroy(&inbox->changed);
	pthread_mutex_destroy(&inbox->mutex);
}
