/*
 * Dead letters, for an operator: reads their topic from its beginning to its end at open(), by
 * partition and offset, without a group. Owns its clients, and the letters that it has read.
 * Replays and removals are in replay.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "dead_state.h"
#include "make.h"
#include "message.h"
#include "options.h"
#include "reach.h"
#include "replay.h"
#include "trim.h"

#define MAX_TEXTS 1000000
/* ".dead" and ".done" are added. */
#define MAX_TOPIC_BYTES (KAFKA_MAX_TOPIC_BYTES - 10)
#define DEFAULT_MARKS 1000000

/* Opening. */

static enum herald_status
connect_brokers(struct kafka_dead_letters *letters, struct herald_error *error)
{
	const struct kafka_setting settings[] = {KAFKA_RECORDS_SETTINGS};
	enum herald_status status = herald__kafka_access_create(
		&letters->access, RD_KAFKA_CONSUMER, RD_KAFKA_EVENT_ERROR, settings,
		sizeof(settings) / sizeof(*settings), &letters->consumer, error);

	if (status != HERALD_OK)
		return status;
	letters->errors = rd_kafka_queue_get_main(letters->consumer);
	letters->marks.records = (struct kafka_records){
		.consumer = letters->consumer,
		.errors = letters->errors,
		.timeout_ms = letters->options.timeout_ms,
	};
	return herald__kafka_reach(letters->consumer, letters->errors,
				   kafka_now_ms() + letters->options.timeout_ms, NULL, error);
}

/* There are no dead letters yet, or the name is wrong. */
static enum herald_status
check_origin(struct kafka_dead_letters *letters, struct herald_error *error)
{
	const rd_kafka_resp_err_t code =
		herald__kafka_look(letters->consumer, letters->origin, letters->options.timeout_ms);

	if (herald__kafka_is_missing(code))
		return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
					"the cluster has neither the topic %s nor the topic %s",
					letters->origin, letters->dead);
	return code ? herald__kafka_refuse(error, "topic", code, letters->origin,
					   rd_kafka_err2str(code))
		    : HERALD_OK;
}

static struct kafka_records
records_of(const struct kafka_dead_letters *letters)
{
	return (struct kafka_records){letters->consumer, letters->errors, letters->topic,
				      letters->at, letters->options.timeout_ms};
}

static enum herald_status
find_ends(struct kafka_dead_letters *letters, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (letters->at = 0; letters->at < letters->count && status == HERALD_OK; letters->at++) {
		const struct kafka_records records = records_of(letters);
		struct kafka_dead_partition *partition = &letters->partitions[letters->at];

		status = herald__kafka_records_range(&records, &partition->low, &partition->end,
						     error);
		partition->next = partition->low;
		partition->kept = partition->first = partition->first_ms = -1;
	}
	letters->at = 0;
	return status;
}

/* One letter is read only; another name is not an id. */
static void
choose(struct kafka_dead_letters *letters, const char *id)
{
	int64_t numbers[2];

	letters->is_whole = !id;
	if (!id)
		return;
	if (!herald__kafka_numbers_read(id, numbers, 2))
		numbers[0] = -1;
	for (int i = 0; i < letters->count; i++) {
		struct kafka_dead_partition *partition = &letters->partitions[i];

		if (i != numbers[0] || numbers[1] < partition->low ||
		    numbers[1] >= partition->end) {
			partition->next = partition->end;
			continue;
		}
		partition->next = numbers[1];
		partition->end = numbers[1] + 1;
	}
}

static enum herald_status
open_marks(struct kafka_dead_letters *letters, struct herald_error *error)
{
	const rd_kafka_resp_err_t code =
		herald__kafka_look(letters->consumer, letters->done, letters->options.timeout_ms);

	if (herald__kafka_is_missing(code))
		return HERALD_OK;
	if (code)
		return herald__kafka_refuse(error, "topic", code, letters->done,
					    rd_kafka_err2str(code));
	enum herald_status status = herald__kafka_marks_open(&letters->marks, letters->done, error);
	return status == HERALD_OK ? herald__kafka_marks_read(&letters->marks, error) : status;
}

/* The ends come first: a letter that is marked later is still there, and replay() looks again. */
static enum herald_status
open_topic(struct kafka_dead_letters *letters, const char *id, struct herald_error *error)
{
	const rd_kafka_resp_err_t code = herald__kafka_look_at(
		letters->consumer, letters->dead, letters->options.timeout_ms, &letters->count);

	if (herald__kafka_is_missing(code)) {
		letters->count = 0;
		return check_origin(letters, error);
	}
	if (code)
		return herald__kafka_refuse(error, "topic", code, letters->dead,
					    rd_kafka_err2str(code));
	letters->partitions = herald_memory_allocate_zeroed(
		&letters->options.allocator, (size_t)letters->count, sizeof(*letters->partitions));
	if (!letters->partitions)
		return herald_out_of_memory(error);
	letters->topic = rd_kafka_topic_new(letters->consumer, letters->dead, NULL);
	enum herald_status status = find_ends(letters, error);
	if (status != HERALD_OK)
		return status;
	choose(letters, id);
	return open_marks(letters, error);
}

static void
stop_reading(struct kafka_dead_letters *letters)
{
	if (letters->is_reading)
		(void)rd_kafka_consume_stop(letters->topic, letters->at);
	letters->is_reading = false;
}

static void
close_letters(struct herald_dead_letters *base)
{
	struct kafka_dead_letters *letters = kafka_dead_letters_of(base);

	stop_reading(letters);
	if (letters->is_changing && letters->is_whole && !letters->is_lost && letters->handed == 0)
		herald__kafka_dead_trim(letters);
	if (letters->is_changing)
		herald__kafka_sender_destroy(&letters->sender);
	letters->is_changing = letters->is_lost = false;
	letters->waiting = 0;
	herald__kafka_marks_close(&letters->marks);
	if (letters->topic)
		rd_kafka_topic_destroy(letters->topic);
	letters->topic = NULL;
	herald_memory_release(&letters->options.allocator, letters->partitions,
			      (size_t)letters->count * sizeof(*letters->partitions));
	letters->partitions = NULL;
	letters->count = letters->at = 0;
	if (letters->errors)
		rd_kafka_queue_destroy(letters->errors);
	letters->errors = NULL;
	if (letters->consumer)
		rd_kafka_destroy(letters->consumer);
	letters->consumer = NULL;
}

static enum herald_status
open_letters(struct herald_dead_letters *base, const char *id, struct herald_error *error)
{
	struct kafka_dead_letters *letters = kafka_dead_letters_of(base);
	enum herald_status status = connect_brokers(letters, error);

	if (status == HERALD_OK)
		status = open_topic(letters, id, error);
	if (status != HERALD_OK)
		close_letters(base);
	return status;
}

/* Reading. */

static struct herald_text
copy(char *at, const void *data, size_t bytes)
{
	if (data && bytes > 0)
		memcpy(at, data, bytes);
	return (struct herald_text){data ? at : NULL, data ? bytes : 0};
}

static void
fill(struct kafka_dead_message *message, const rd_kafka_message_t *from)
{
	char *at = (char *)(message + 1);
	const size_t bytes = herald__kafka_attributes_write(message->headers, at);

	message->base.attributes = (struct herald_text){at, bytes};
	message->key = copy(at + bytes, from->key, from->key_len);
	message->value = copy(at + bytes + message->key.bytes, from->payload, from->len);
	message->base.data =
		(struct herald_text){message->value.data ? message->value.data : "", from->len};
	message->offset = from->offset;
	message->time_ms = message->base.stored_ms = kafka_record_ms(from);
	snprintf(message->id, sizeof(message->id), "%d:%" PRId64, message->partition, from->offset);
	message->base.id = message->id;
}

static struct kafka_dead_message *
create_message(struct kafka_dead_letters *letters, rd_kafka_message_t *from)
{
	rd_kafka_headers_t *headers = NULL;

	(void)rd_kafka_message_detach_headers(from, &headers);
	const size_t bytes = sizeof(struct kafka_dead_message) +
			     herald__kafka_attributes_write(headers, NULL) + from->key_len +
			     from->len;
	struct kafka_dead_message *message =
		herald_memory_allocate(&letters->options.allocator, bytes);
	if (!message) {
		if (headers)
			rd_kafka_headers_destroy(headers);
		return NULL;
	}
	*message = (struct kafka_dead_message){
		.headers = headers,
		.partition = letters->at,
		.bytes = bytes,
	};
	fill(message, from);
	return message;
}

/* A letter that is done is left out. */
static enum herald_status
take_record(struct kafka_dead_letters *letters, rd_kafka_message_t *record,
	    struct herald_dead_message_list *out, size_t *bytes, struct herald_error *error)
{
	struct kafka_dead_partition *partition = &letters->partitions[letters->at];
	const int64_t time_ms = kafka_record_ms(record);

	if (partition->first < 0) {
		partition->first = record->offset;
		partition->first_ms = time_ms;
	}
	if (herald__kafka_marks_has(&letters->marks, letters->at, record->offset, time_ms))
		return HERALD_OK;
	struct kafka_dead_message *message = create_message(letters, record);
	if (!message)
		return herald_out_of_memory(error);
	*bytes += message->bytes;
	letters->handed++;
	herald_dead_message_list_add(out, &message->base);
	return HERALD_OK;
}

/* Returns false when there is nothing more. */
static bool
find_partition(struct kafka_dead_letters *letters, enum herald_status *status,
	       struct herald_error *error)
{
	while (letters->at < letters->count &&
	       letters->partitions[letters->at].next >= letters->partitions[letters->at].end) {
		stop_reading(letters);
		letters->at++;
	}
	if (letters->at == letters->count || letters->is_reading)
		return letters->at < letters->count;
	letters->is_reading = rd_kafka_consume_start(letters->topic, letters->at,
						     letters->partitions[letters->at].next) == 0;
	if (!letters->is_reading)
		*status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					   "Kafka: cannot read %s: %s", letters->dead,
					   rd_kafka_err2str(rd_kafka_last_error()));
	return letters->is_reading;
}

static enum herald_status
read_letters(struct herald_dead_letters *base, size_t room, size_t room_bytes,
	     struct herald_dead_message_list *out, struct herald_error *error)
{
	struct kafka_dead_letters *letters = kafka_dead_letters_of(base);
	enum herald_status status = HERALD_OK;
	size_t bytes = 0;

	while (status == HERALD_OK && out->count < room && (bytes < room_bytes || bytes == 0) &&
	       find_partition(letters, &status, error)) {
		struct kafka_dead_partition *partition = &letters->partitions[letters->at];
		const struct kafka_records records = records_of(letters);
		rd_kafka_message_t *record;

		status = herald__kafka_records_next(&records, &partition->next, partition->end,
						    &record, error);
		if (!record)
			continue;
		status = take_record(letters, record, out, &bytes, error);
		rd_kafka_message_destroy(record);
	}
	letters->is_lost |= status == HERALD_UNAVAILABLE;
	return status;
}

/* The end. */

/* A letter that is not done stays: nothing from the first of them on is deleted. */
static void
keep(struct kafka_dead_letters *letters, const struct kafka_dead_message *message)
{
	if (!letters->partitions || message->is_done)
		return;
	struct kafka_dead_partition *partition = &letters->partitions[message->partition];
	if (partition->kept < 0 || message->offset < partition->kept)
		partition->kept = message->offset;
}

static void
release(struct herald_dead_letters *base, struct herald_dead_message_list *list)
{
	struct kafka_dead_letters *letters = kafka_dead_letters_of(base);

	for (struct herald_dead_message *at; (at = herald_dead_message_list_take(list));) {
		struct kafka_dead_message *message = kafka_dead_message_of(at);

		keep(letters, message);
		letters->handed--;
		if (message->headers)
			rd_kafka_headers_destroy(message->headers);
		herald_memory_release(&letters->options.allocator, message, message->bytes);
	}
}

static void
destroy(struct herald_dead_letters *base)
{
	struct kafka_dead_letters *letters = kafka_dead_letters_of(base);
	const struct herald_allocator allocator = letters->options.allocator;

	close_letters(base);
	if (letters->wake_fd >= 0)
		close(letters->wake_fd);
	herald_arena_destroy(letters->texts);
	herald_memory_release(&allocator, letters, sizeof(*letters));
}

static const struct herald_dead_letters_ops ops = {
	.name = "kafka",
	.open = open_letters,
	.read = read_letters,
	.replay = herald__kafka_dead_replay,
	.remove = herald__kafka_dead_remove,
	.release = release,
	.close = close_letters,
	.destroy = destroy,
};

/* Creation. */

static enum herald_status
check_topic(const char *option, const char *name, size_t max, struct herald_error *error)
{
	if (!name || *name == '\0')
		return herald_option_refuse(error, option, "must be set");
	if (strlen(name) > max)
		return herald_option_refuse(error, option, "must have at most %zu bytes, not %zu",
					    max, strlen(name));
	if (!herald__kafka_is_topic(name))
		return herald_option_refuse(
			error, option, "must have letters, digits, '.', '_' and '-' only: \"%s\"",
			name);
	return HERALD_OK;
}

static enum herald_status
read_options(const struct herald_kafka_dead_letters_options *given,
	     struct herald_kafka_dead_letters_options *out, struct herald_error *error)
{
	enum herald_status status = herald_options_read(given, out, sizeof(*out),
							"HERALD_KAFKA_DEAD_LETTERS_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = check_topic("topic", out->topic, MAX_TOPIC_BYTES, error);
	if (status == HERALD_OK && out->dead_topic)
		status = check_topic("dead_topic", out->dead_topic, MAX_TOPIC_BYTES + 5, error);
	if (out->timeout_ms == 0)
		out->timeout_ms = 5000;
	if (out->max_marks == 0)
		out->max_marks = DEFAULT_MARKS;
	const struct herald_option_range ranges[] = {
		{"timeout_ms", out->timeout_ms, 1000, 300000},
		{"max_marks", out->max_marks, 1, 100000000},
	};
	if (status == HERALD_OK)
		status = herald_option_ranges_check(ranges, 2, error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

static const char *
join(struct herald_arena *arena, const char *first, const char *second)
{
	char joined[KAFKA_NAME_BYTES];

	snprintf(joined, sizeof(joined), "%s%s", first, second);
	return herald_arena_copy(arena, joined, strlen(joined));
}

static enum herald_status
copy_options(struct kafka_dead_letters *letters, struct herald_error *error)
{
	struct herald_kafka_dead_letters_options *options = &letters->options;
	enum herald_status status =
		herald_arena_create(&options->allocator, MAX_TEXTS, &letters->texts);

	if (status != HERALD_OK)
		return herald_out_of_memory(error);
	status = herald__kafka_access_read(options->url, options->timeout_ms, options->properties,
					   options->properties_count, letters->texts,
					   &letters->access, error);
	if (status != HERALD_OK)
		return status;
	letters->origin = join(letters->texts, options->topic, "");
	letters->dead = options->dead_topic ? join(letters->texts, options->dead_topic, "")
					    : join(letters->texts, options->topic, ".dead");
	letters->done = letters->dead ? join(letters->texts, letters->dead, ".done") : NULL;
	options->url = options->topic = options->dead_topic = NULL;
	options->properties = NULL;
	if (!letters->origin || !letters->done)
		return herald_out_of_memory(error);
	snprintf(letters->place, sizeof(letters->place), "topic %s", letters->dead);
	return HERALD_OK;
}

enum herald_status
herald_kafka_dead_letters_create(const struct herald_kafka_dead_letters_options *given,
				 struct herald_dead_letters **out, struct herald_error *error)
{
	struct herald_kafka_dead_letters_options options;
	enum herald_status status = read_options(given, &options, error);

	if (status != HERALD_OK)
		return status;
	struct kafka_dead_letters *letters =
		herald_memory_allocate_zeroed(&options.allocator, 1, sizeof(*letters));
	if (!letters)
		return herald_out_of_memory(error);
	letters->options = options;
	letters->base.ops = &ops;
	letters->base.place = letters->place;
	letters->marks.allocator = options.allocator;
	letters->marks.max = options.max_marks;
	letters->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	status = letters->wake_fd < 0
			 ? herald_system_error(error, "cannot create an eventfd", errno)
			 : copy_options(letters, error);
	if (status == HERALD_OK)
		*out = &letters->base;
	else
		destroy(&letters->base);
	return status;
}
