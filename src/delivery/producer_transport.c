/*
 * Attempts at brokers. A producer reports the end of a message on its own thread; the report is
 * kept in a list, and the deliverer's thread is woken. An attempt that the deliverer cancels goes
 * on in the producer, without a report. Such messages may end after the transport was destroyed, so
 * what both threads use has a count of its users.
 */
#include "delivery/producer_transport.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>
#include <herald/adapter/thread.h>
#include <herald/buffer.h>
#include <herald/producer.h>

#include "delivery/broker_url.h"
#include "producer/producer.h"

struct call {
	struct shared *shared;
	struct herald_attempt *attempt; /* NULL: it was cancelled */
	struct call *next;              /* in `ended` */
	enum herald_status status;
	char reason[256];
};

/*
 * What the producers' threads use, too. It and the calls are freed when the last message has ended,
 * which may be after herald_deliverer_destroy(). The deliverer's allocator may be gone by then, so
 * they have libc's.
 */
struct shared {
	struct herald_transport *inner; /* NULL: none */
	atomic_size_t users;            /* the transport, and each call */
	pthread_mutex_t mutex;          /* protects the members below, and calls */
	pthread_cond_t woken;
	struct call *first, *last; /* ended, with an attempt */
	bool is_woken;
	bool is_destroyed;
};

struct producer_transport {
	struct herald_transport base; /* the first member */
	struct herald_allocator allocator;
	struct shared *shared;
	struct herald_transport *inner;
	const struct herald_named_producer *producers;
	size_t count;
	struct herald_buffer attributes; /* of the message that is submitted */
};

static struct producer_transport *
transport_of(struct herald_transport *transport)
{
	return (struct producer_transport *)transport;
}

/* What is shared. */

static void
release(struct shared *shared)
{
	if (atomic_fetch_sub(&shared->users, 1) > 1)
		return;
	pthread_cond_destroy(&shared->woken);
	pthread_mutex_destroy(&shared->mutex);
	herald_memory_release(&herald_allocator_libc, shared, sizeof(*shared));
}

static void
free_call(struct call *call)
{
	struct shared *shared = call->shared;

	herald_memory_release(&herald_allocator_libc, call, sizeof(*call));
	release(shared);
}

/* With the mutex. */
static void
wake(struct shared *shared)
{
	shared->is_woken = true;
	if (shared->inner && !shared->is_destroyed)
		shared->inner->ops->wake(shared->inner);
	else
		pthread_cond_signal(&shared->woken);
}

/* The producer's thread: a message has ended. */
static void
ended(enum herald_status status, const char *reason, void *state)
{
	struct call *call = state;
	struct shared *shared = call->shared;

	call->status = status;
	snprintf(call->reason, sizeof(call->reason), "%s", reason);
	pthread_mutex_lock(&shared->mutex);
	const bool is_cancelled = !call->attempt;
	if (!is_cancelled) {
		*(shared->last ? &shared->last->next : &shared->first) = call;
		shared->last = call;
		wake(shared);
	}
	pthread_mutex_unlock(&shared->mutex);
	if (is_cancelled)
		free_call(call);
}

/* Beginning. */

/* Copy the lines of Herald's own headers, with names in lower case. The number of the attempt is
 * not copied: for who consumes the message, `herald-attempt` counts runs. */
static enum herald_status
add_own(struct herald_buffer *out, const char *lines)
{
	static const char attempt[] = "Herald-Attempt: ";
	enum herald_status status = HERALD_OK;

	while (*lines && status == HERALD_OK) {
		const size_t bytes = strcspn(lines, "\r");
		const size_t name = strcspn(lines, ":");
		const size_t begin = out->bytes;

		if (strncmp(lines, attempt, sizeof(attempt) - 1) != 0) {
			status = herald_buffer_append(out, lines, bytes + 1);
			if (status == HERALD_OK) {
				char *copy = out->data + begin;

				for (size_t i = 0; i < name; i++)
					copy[i] = herald_ascii_lower(copy[i]);
				/* ": " becomes the end of the name. */
				copy[name] = '\0';
				memmove(copy + name + 1, copy + name + 2, bytes - name - 2);
				copy[bytes - 1] = '\0';
				out->bytes--;
			}
		}
		lines += bytes + (lines[bytes] ? 2 : 0);
	}
	return status;
}

static enum herald_status
add_header(struct herald_buffer *out, const char *header)
{
	const size_t name = strcspn(header, ":");
	const struct herald_text value =
		herald_http_trimmed(header + name + 1, strlen(header + name + 1));
	enum herald_status status = herald_buffer_append(out, header, name);

	if (status == HERALD_OK)
		status = herald_buffer_append(out, "", 1);
	if (status == HERALD_OK)
		status = herald_buffer_append(out, value.data, value.bytes);
	return status == HERALD_OK ? herald_buffer_append(out, "", 1) : status;
}

static enum herald_status
write_attributes(struct herald_buffer *out, const struct herald_attempt *attempt)
{
	out->bytes = 0;
	enum herald_status status = herald_buffer_reserve(out, 1);
	if (status == HERALD_OK)
		status = add_own(out, attempt->own_headers);
	for (size_t i = 0; i < attempt->headers_count && status == HERALD_OK; i++)
		status = add_header(out, attempt->headers[i]);
	return status;
}

static struct call *
create_call(struct shared *shared, struct herald_attempt *attempt)
{
	struct call *call = herald_memory_allocate_zeroed(&herald_allocator_libc, 1, sizeof(*call));

	if (!call)
		return NULL;
	call->shared = shared;
	call->attempt = attempt;
	attempt->data = call;
	atomic_fetch_add(&shared->users, 1);
	return call;
}

/* The delivery's id, which Herald's own headers have. */
static const char *
find_id(const struct herald_buffer *attributes)
{
	static const char name[] = "herald-delivery-id";

	return attributes->bytes > sizeof(name) && memcmp(attributes->data, name, sizeof(name)) == 0
		       ? attributes->data + sizeof(name)
		       : NULL;
}

static enum herald_status
submit(struct producer_transport *transport, struct herald_producer *producer,
       const struct herald__broker_url *url, struct call *call, struct herald_error *error)
{
	const struct herald_attempt *attempt = call->attempt;
	const struct herald_publication publication = {
		.topic = url->topic,
		.key = url->key[0] ? url->key : NULL,
		.id = find_id(&transport->attributes),
		HERALD_BODY(attempt->body, attempt->body_bytes),
		.content_type = attempt->content_type,
	};
	const struct herald_text attributes = {transport->attributes.data,
					       transport->attributes.bytes};

	return herald__producer_submit(producer, &publication, attributes, ended, call, error);
}

/* Errors: HERALD_NO_MEMORY, HERALD_LIMIT and HERALD_UNAVAILABLE, after which the attempt is begun
 * again later and does not count. */
static enum herald_status
begin_message(struct producer_transport *transport, struct herald_attempt *attempt)
{
	struct herald_error error = {.message = "the deliverer has no such producer"};
	const struct herald_named_producer *named = NULL;
	struct herald__broker_url url;
	enum herald_status status = herald__broker_url_read(attempt->url, &url, &error);

	if (status == HERALD_OK)
		named = herald__named_producers_find(transport->producers, transport->count,
						     url.name);
	struct herald_producer *producer = named ? named->producer : NULL;
	if (producer && herald_producer_health(producer, NULL) != HERALD_OK)
		return HERALD_UNAVAILABLE;
	if (write_attributes(&transport->attributes, attempt) != HERALD_OK)
		return HERALD_NO_MEMORY;

	struct call *call = create_call(transport->shared, attempt);
	if (!call)
		return HERALD_NO_MEMORY;
	status = producer ? submit(transport, producer, &url, call, &error) : HERALD_BAD_VALUE;
	if (status == HERALD_OK)
		return HERALD_OK;
	if (status == HERALD_NO_MEMORY || status == HERALD_LIMIT) {
		free_call(call);
		return status;
	}
	/* It can never be sent. */
	ended(status, error.message, call);
	return HERALD_OK;
}

/* The operations. */

static enum herald_status
transport_open(struct herald_transport *base, const struct herald_transport_settings *settings,
	       struct herald_error *error)
{
	struct herald_transport *inner = transport_of(base)->inner;

	return inner ? inner->ops->open(inner, settings, error) : HERALD_OK;
}

static enum herald_status
transport_begin(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct producer_transport *transport = transport_of(base);

	if (herald__is_broker_url(attempt->url))
		return begin_message(transport, attempt);
	return transport->inner->ops->begin(transport->inner, attempt);
}

/* Remove a call that has ended, but was not returned. With the mutex. */
static void
remove_ended(struct shared *shared, const struct call *call)
{
	struct call *previous = NULL;

	for (struct call *at = shared->first; at; previous = at, at = at->next) {
		if (at != call)
			continue;
		*(previous ? &previous->next : &shared->first) = at->next;
		if (shared->last == at)
			shared->last = previous;
		return;
	}
}

static bool
has_ended(const struct shared *shared, const struct call *call)
{
	for (const struct call *at = shared->first; at; at = at->next)
		if (at == call)
			return true;
	return false;
}

static void
cancel_message(struct call *call)
{
	struct shared *shared = call->shared;

	pthread_mutex_lock(&shared->mutex);
	const bool ended_before = has_ended(shared, call);
	if (ended_before)
		remove_ended(shared, call);
	call->attempt = NULL;
	pthread_mutex_unlock(&shared->mutex);
	if (ended_before)
		free_call(call);
}

static void
transport_cancel(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct producer_transport *transport = transport_of(base);

	if (herald__is_broker_url(attempt->url))
		cancel_message(attempt->data);
	else
		transport->inner->ops->cancel(transport->inner, attempt);
}

/* Returns true if there is something to return, or wake() was called. */
static bool
take_wake(struct shared *shared)
{
	pthread_mutex_lock(&shared->mutex);
	const bool is_woken = shared->is_woken || shared->first;
	shared->is_woken = false;
	pthread_mutex_unlock(&shared->mutex);
	return is_woken;
}

static void
wait_for_wake(struct shared *shared, int64_t timeout_ms)
{
	const uint32_t ms = timeout_ms < 0 || timeout_ms > 3600000 ? 3600000 : (uint32_t)timeout_ms;
	const struct timespec until = herald_deadline_after(ms);

	pthread_mutex_lock(&shared->mutex);
	while (!shared->is_woken && ms > 0 &&
	       pthread_cond_timedwait(&shared->woken, &shared->mutex, &until) == 0)
		;
	shared->is_woken = false;
	pthread_mutex_unlock(&shared->mutex);
}

static void
transport_wait(struct herald_transport *base, int64_t timeout_ms)
{
	struct producer_transport *transport = transport_of(base);

	if (!transport->inner)
		wait_for_wake(transport->shared, timeout_ms);
	else
		transport->inner->ops->wait(transport->inner,
					    take_wake(transport->shared) ? 0 : timeout_ms);
}

static struct call *
take_ended(struct shared *shared)
{
	pthread_mutex_lock(&shared->mutex);
	struct call *call = shared->first;
	if (call) {
		shared->first = call->next;
		if (!shared->first)
			shared->last = NULL;
	}
	pthread_mutex_unlock(&shared->mutex);
	return call;
}

static void
write_result(const struct call *call, struct herald_attempt_result *out)
{
	if (call->status == HERALD_OK)
		*out = (struct herald_attempt_result){.is_confirmed = true};
	else
		herald_attempt_result_fail(out, herald_status_may_retry(call->status), "%s",
					   call->reason);
}

static struct herald_attempt *
transport_next_finished(struct herald_transport *base, struct herald_attempt_result *out)
{
	struct producer_transport *transport = transport_of(base);
	struct call *call = take_ended(transport->shared);

	if (call) {
		struct herald_attempt *attempt = call->attempt;

		write_result(call, out);
		free_call(call);
		return attempt;
	}
	return transport->inner ? transport->inner->ops->next_finished(transport->inner, out)
				: NULL;
}

static void
transport_wake(struct herald_transport *base)
{
	struct shared *shared = transport_of(base)->shared;

	pthread_mutex_lock(&shared->mutex);
	wake(shared);
	pthread_mutex_unlock(&shared->mutex);
}

static void
transport_destroy(struct herald_transport *base)
{
	struct producer_transport *transport = transport_of(base);
	const struct herald_allocator allocator = transport->allocator;

	pthread_mutex_lock(&transport->shared->mutex);
	transport->shared->is_destroyed = true;
	pthread_mutex_unlock(&transport->shared->mutex);
	if (transport->inner)
		transport->inner->ops->destroy(transport->inner);
	herald_buffer_finish(&transport->attributes);
	release(transport->shared);
	herald_memory_release(&allocator, transport, sizeof(*transport));
}

static const struct herald_transport_ops operations = {
	.name = "producers",
	.open = transport_open,
	.begin = transport_begin,
	.cancel = transport_cancel,
	.wait = transport_wait,
	.next_finished = transport_next_finished,
	.wake = transport_wake,
	.destroy = transport_destroy,
};

static struct shared *
create_shared(struct herald_transport *inner)
{
	struct shared *shared =
		herald_memory_allocate_zeroed(&herald_allocator_libc, 1, sizeof(*shared));

	if (!shared)
		return NULL;
	if (herald_condition_init(&shared->woken) != 0) {
		herald_memory_release(&herald_allocator_libc, shared, sizeof(*shared));
		return NULL;
	}
	pthread_mutex_init(&shared->mutex, NULL);
	shared->inner = inner;
	atomic_init(&shared->users, 1);
	return shared;
}

struct herald_transport *
herald__producer_transport_create(const struct herald_allocator *allocator,
				  struct herald_transport *inner,
				  const struct herald_named_producer *producers, size_t count)
{
	struct producer_transport *transport =
		herald_memory_allocate_zeroed(allocator, 1, sizeof(*transport));
	struct shared *shared = transport ? create_shared(inner) : NULL;

	if (!shared) {
		herald_memory_release(allocator, transport, sizeof(*transport));
		return NULL;
	}
	transport->base.ops = &operations;
	transport->allocator = *allocator;
	transport->shared = shared;
	transport->inner = inner;
	transport->producers = producers;
	transport->count = count;
	herald_buffer_init(&transport->attributes, allocator, 0);
	return &transport->base;
}
