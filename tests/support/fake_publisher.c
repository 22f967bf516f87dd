/*
 * A broker in memory: it keeps what arrives, and answers as it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_publisher.h"

#include <herald/adapter/thread.h>

#include "support/draw.h"

static struct fake_publisher *
fake_of(struct herald_publisher *publisher)
{
	return (struct fake_publisher *)publisher;
}

static bool
draws(struct fake_publisher *fake, unsigned count)
{
	return fake->random && draw_one_in(fake->random, count);
}

static enum herald_status
fake_open(struct herald_publisher *publisher, const struct herald_publisher_settings *settings,
	  struct herald_error *error)
{
	struct fake_publisher *fake = fake_of(publisher);

	(void)settings;
	pthread_mutex_lock(&fake->mutex);
	assert_false(fake->is_open);
	fake->opens++;
	enum herald_status status = draws(fake, 3) ? HERALD_UNAVAILABLE : fake->open_status;
	fake->is_open = status == HERALD_OK;
	pthread_mutex_unlock(&fake->mutex);
	if (status == HERALD_OK)
		return HERALD_OK;
	return herald_error_set(error, status, HERALD_NO_OFFSET, "the fake broker is not there");
}

static void
put(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

static void
arrive(struct fake_publisher *fake, const struct herald_outgoing *message)
{
	struct fake_arrival *arrival;

	if (fake->arrivals_count == fake->arrivals_room) {
		fake->arrivals_room = fake->arrivals_room ? 2 * fake->arrivals_room : 64;
		fake->arrivals =
			realloc(fake->arrivals, fake->arrivals_room * sizeof(*fake->arrivals));
		assert_non_null(fake->arrivals);
	}
	arrival = &fake->arrivals[fake->arrivals_count++];
	*arrival = (struct fake_arrival){.attributes_bytes = message->attributes.bytes};
	put(arrival->topic, sizeof(arrival->topic), message->topic);
	put(arrival->key, sizeof(arrival->key), message->key.data);
	put(arrival->id, sizeof(arrival->id), message->id);
	put(arrival->content_type, sizeof(arrival->content_type), message->content_type);
	put(arrival->data, sizeof(arrival->data), message->data.data);
	assert_true(message->attributes.bytes <= sizeof(arrival->attributes));
	memcpy(arrival->attributes, message->attributes.data, message->attributes.bytes);
}

static enum herald_status
fake_send(struct herald_publisher *publisher, struct herald_outgoing *message)
{
	struct fake_publisher *fake = fake_of(publisher);
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&fake->mutex);
	assert_true(fake->is_open);
	fake->sends++;
	if (fake->refuses) {
		snprintf(message->reason, sizeof(message->reason), "the fake broker refuses it");
		status = fake->refuses;
	} else if (fake->window && fake->held.count >= fake->window) {
		status = HERALD_LIMIT;
	} else {
		herald_outgoing_list_add(&fake->held, message);
	}
	pthread_mutex_unlock(&fake->mutex);
	return status;
}

static void
answer(struct herald_outgoing *message, enum herald_status status,
       struct herald_outgoing_list *finished)
{
	message->status = status;
	if (status != HERALD_OK)
		snprintf(message->reason, sizeof(message->reason), "the fake broker says no");
	herald_outgoing_list_add(finished, message);
}

static void
answer_all(struct fake_publisher *fake, struct herald_outgoing_list *finished)
{
	struct herald_outgoing *message;

	while (!fake->is_silent && !draws(fake, 8) &&
	       (message = herald_outgoing_list_take(&fake->held))) {
		const bool is_missing = fake->missing && strcmp(message->topic, fake->missing) == 0;
		const enum herald_status status = draws(fake, 6) || is_missing ? HERALD_UNAVAILABLE
						  : draws(fake, 20)            ? HERALD_BAD_VALUE
									       : fake->answers;

		if (status == HERALD_OK)
			arrive(fake, message);
		answer(message, status, finished);
	}
}

static void
wait(struct fake_publisher *fake, uint32_t timeout_ms)
{
	const struct timespec until = herald_deadline_after(timeout_ms);

	while (!fake->is_woken && timeout_ms > 0 &&
	       pthread_cond_timedwait(&fake->woken, &fake->mutex, &until) == 0)
		;
	fake->is_woken = false;
}

static enum herald_status
fake_run(struct herald_publisher *publisher, uint32_t timeout_ms,
	 struct herald_outgoing_list *finished, struct herald_error *error)
{
	struct fake_publisher *fake = fake_of(publisher);
	enum herald_status status = HERALD_OK;

	pthread_mutex_lock(&fake->mutex);
	assert_true(fake->is_open);
	fake->runs++;
	fake->last_wait_ms = timeout_ms;
	if (fake->loses || draws(fake, 10))
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					  "the fake connection is lost");
	else
		answer_all(fake, finished);
	/* Not after wait(), during which a test may set it. */
	fake->loses = false;
	if (status == HERALD_OK && finished->count == 0 && fake->is_threaded)
		wait(fake, timeout_ms);
	pthread_mutex_unlock(&fake->mutex);
	return status;
}

static void
fake_wake(struct herald_publisher *publisher)
{
	struct fake_publisher *fake = fake_of(publisher);

	pthread_mutex_lock(&fake->mutex);
	fake->is_woken = true;
	pthread_cond_signal(&fake->woken);
	pthread_mutex_unlock(&fake->mutex);
}

static void
fake_close(struct herald_publisher *publisher, uint32_t timeout_ms,
	   struct herald_outgoing_list *finished)
{
	struct fake_publisher *fake = fake_of(publisher);
	struct herald_outgoing *message;

	(void)timeout_ms;
	pthread_mutex_lock(&fake->mutex);
	assert_true(fake->is_open);
	fake->is_open = false;
	fake->closes++;
	while ((message = herald_outgoing_list_take(&fake->held))) {
		if (fake->arrives || draws(fake, 2))
			arrive(fake, message);
		answer(message, HERALD_UNKNOWN_OUTCOME, finished);
	}
	pthread_mutex_unlock(&fake->mutex);
}

static void
fake_destroy(struct herald_publisher *publisher)
{
	struct fake_publisher *fake = fake_of(publisher);

	assert_false(fake->is_open);
	assert_int_equal(fake->held.count, 0);
	if (fake->is_destroyed)
		*fake->is_destroyed = true;
	pthread_cond_destroy(&fake->woken);
	pthread_mutex_destroy(&fake->mutex);
	free(fake->arrivals);
	free(fake);
}

static const struct herald_publisher_ops fake_ops = {
	.name = "fake",
	.open = fake_open,
	.send = fake_send,
	.run = fake_run,
	.wake = fake_wake,
	.close = fake_close,
	.destroy = fake_destroy,
};

struct fake_publisher *
fake_publisher_create(void)
{
	struct fake_publisher *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->base.ops = &fake_ops;
	pthread_mutex_init(&fake->mutex, NULL);
	assert_int_equal(herald_condition_init(&fake->woken), 0);
	return fake;
}

size_t
fake_publisher_count(struct fake_publisher *fake, const char *id)
{
	size_t count = 0;

	pthread_mutex_lock(&fake->mutex);
	for (size_t i = 0; i < fake->arrivals_count; i++)
		count += strcmp(fake->arrivals[i].id, id) == 0;
	pthread_mutex_unlock(&fake->mutex);
	return count;
}
