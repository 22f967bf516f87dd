/*
 * A producer for the cases, and a reader. Reads with the broker's subscriber alone, without a
 * consumer, so that any bytes can be looked at.
 */
#include "writer.h"

#include <stdio.h>

#include <herald/adapter/publisher.h>

#define GROUP "reader"

/* Writing. */

struct writer *
writer_create(const struct herald_producer_options *given, bool makes_topic)
{
	static unsigned number;
	struct herald_producer_options options = *given;
	struct writer *writer = test_calloc(1, sizeof(*writer));
	struct herald_error error;

	/* Longer than a server takes to start. */
	options.timeout_ms = options.timeout_ms ? options.timeout_ms : 120000;
	snprintf(writer->topic, sizeof(writer->topic), "written-%u", number++);
	pthread_mutex_init(&writer->mutex, NULL);
	if (makes_topic)
		writer_make_topic(writer);
	if (broker->publisher(WRITER_SILENCE_MS, &options.publisher, &error) != HERALD_OK ||
	    herald_producer_create(&options, &writer->producer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return writer;
}

void
writer_end(struct writer *writer)
{
	herald_producer_destroy(writer->producer);
	writer->producer = NULL;
}

void
writer_destroy(struct writer *writer)
{
	writer_end(writer);
	pthread_mutex_destroy(&writer->mutex);
	test_free(writer);
}

static void
on_end(enum herald_status status, const char *reason, void *state)
{
	struct writer_end *end = state;
	struct writer *writer = end->writer;

	pthread_mutex_lock(&writer->mutex);
	end->status = status;
	end->calls++;
	snprintf(end->reason, sizeof(end->reason), "%s", reason);
	writer->ended++;
	writer->confirmed += status == HERALD_OK;
	pthread_mutex_unlock(&writer->mutex);
}

enum herald_status
writer_try(struct writer *writer, int number)
{
	struct writer_end *end = &writer->ends[number];
	char id[32];

	assert_true(number < WRITER_MESSAGES);
	snprintf(id, sizeof(id), "m-%d", number);
	end->writer = writer;
	return herald_producer_submit(writer->producer,
				      &(struct herald_publication){
					      .topic = writer->topic,
					      .id = id,
					      HERALD_BODY(id + 2, strlen(id + 2)),
				      },
				      on_end, end, NULL);
}

void
writer_submit(struct writer *writer, int first, int count)
{
	for (int i = first; i < first + count; i++)
		assert_int_equal(writer_try(writer, i), HERALD_OK);
}

size_t
writer_ended(struct writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	const size_t ended = writer->ended;
	pthread_mutex_unlock(&writer->mutex);
	return ended;
}

size_t
writer_confirmed(struct writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	const size_t confirmed = writer->confirmed;
	pthread_mutex_unlock(&writer->mutex);
	return confirmed;
}

struct herald_producer_statistics
writer_counts(struct writer *writer)
{
	struct herald_producer_statistics counts;

	herald_producer_statistics_read(writer->producer, &counts);
	return counts;
}

/* Reading. */

static struct herald_subscriber *
open_reader(const struct writer *writer)
{
	const struct herald_subscriber_settings settings = {
		.allocator = herald_allocator_libc,
		.max_in_flight = 1000,
		.max_in_flight_bytes = 64 << 20,
		.max_delay_ms = 1000,
	};
	const uint64_t until_ms = now_ms() + WAIT_MS;
	struct herald_subscriber *reader = NULL;
	struct herald_error error;

	enum herald_status status =
		broker->subscribe(writer->topic, GROUP, VISIBILITY_MS, &reader, &error);
	if (status == HERALD_OK)
		status = reader->ops->open(reader, &settings, &error);
	/* A broker that has hung may need a while until it makes queues and topics again. */
	while (status == HERALD_UNAVAILABLE && reader && now_ms() < until_ms) {
		probe_pause();
		status = reader->ops->open(reader, &settings, &error);
	}
	if (status != HERALD_OK)
		fail_msg("%s", error.message);
	return reader;
}

static void
close_reader(struct herald_subscriber *reader)
{
	assert_int_equal(reader->ops->flush(reader, WAIT_MS), 0);
	reader->ops->close(reader, 1000);
	reader->ops->destroy(reader);
}

void
writer_make_topic(const struct writer *writer)
{
	if (broker->make_topic)
		broker->make_topic(writer->topic);
	else
		close_reader(open_reader(writer));
}

static struct herald_text
copy(struct herald_text text)
{
	char *data = test_calloc(1, text.bytes + 1);

	if (text.bytes > 0)
		memcpy(data, text.data, text.bytes);
	return (struct herald_text){data, text.bytes};
}

static int
number_of(struct herald_text attributes)
{
	const char *id = herald_attributes_find(attributes, HERALD_MESSAGE_ID_HEADER);

	return id && strncmp(id, "m-", 2) == 0 ? atoi(id + 2) : -1;
}

static void
add(struct arrivals *out, const struct herald_received *message)
{
	if (out->count == out->room) {
		out->room = out->room ? 2 * out->room : 256;
		out->all = test_realloc(out->all, out->room * sizeof(*out->all));
	}
	out->all[out->count++] = (struct arrival){
		.data = copy(message->data),
		.attributes = copy(message->attributes),
		.key = copy(message->key),
		.content_type =
			message->content_type
				? (char *)copy((struct herald_text){message->content_type,
								    strlen(message->content_type)})
					  .data
				: NULL,
		.number = number_of(message->attributes),
	};
}

void
writer_read(const struct writer *writer, struct arrivals *out)
{
	struct herald_subscriber *reader = open_reader(writer);
	struct herald_error error;

	*out = (struct arrivals){0};
	while (broker->left(writer->topic, GROUP) > 0) {
		struct herald_received_list list = {0};

		if (reader->ops->receive(reader, 500, 32 << 20, 50, &list, &error) != HERALD_OK)
			fail_msg("%s", error.message);
		for (struct herald_received *message = list.first, *next; message; message = next) {
			const struct herald_settlement done = {.message = message,
							       .kind = HERALD_SETTLE_DONE};

			next = message->next;
			add(out, message);
			reader->ops->settle(reader, &done, 1);
		}
	}
	close_reader(reader);
}

void
arrivals_free(struct arrivals *arrivals)
{
	for (size_t i = 0; i < arrivals->count; i++) {
		test_free((void *)(uintptr_t)arrivals->all[i].data.data);
		test_free((void *)(uintptr_t)arrivals->all[i].attributes.data);
		test_free((void *)(uintptr_t)arrivals->all[i].key.data);
		test_free(arrivals->all[i].content_type);
	}
	test_free(arrivals->all);
}

size_t
arrivals_repeated(const struct arrivals *arrivals, int count)
{
	unsigned char *seen = test_calloc(1, (size_t)count);
	size_t repeated = 0;

	for (size_t i = 0; i < arrivals->count; i++) {
		const int number = arrivals->all[i].number;

		assert_in_range(number, 0, count - 1);
		repeated += seen[number];
		seen[number] = 1;
	}
	for (int i = 0; i < count; i++)
		if (!seen[i])
			fail_msg("message %d is lost", i);
	test_free(seen);
	return repeated;
}
