/*
 * The queue with a store. It knows nothing about what is right. The store's mutex is held during
 * each change, as a transaction would be.
 */
#include "stored_queue.h"

#include <stdlib.h>
#include <string.h>

/* When a record cannot be made for lack of memory. */
#define NO_MEMORY_WAIT_MS 1000

struct stored_queue {
	struct herald_delivery_queue base;
	struct stored_queue_store *store;
	unsigned number;
	bool is_cut_off;
	uint64_t max_delay_ms;
};

/* Deliveries as bytes: each text with its length before it, and no text as a length of its own. */

#define NO_TEXT UINT32_MAX

struct writer {
	char *bytes;
	size_t count;
};

static void
write_bytes(struct writer *writer, const void *data, size_t bytes)
{
	writer->bytes = realloc(writer->bytes, writer->count + bytes + 1);
	if (!writer->bytes)
		abort();
	if (bytes > 0)
		memcpy(writer->bytes + writer->count, data, bytes);
	writer->count += bytes;
}

static void
write_block(struct writer *writer, const void *data, size_t bytes)
{
	uint32_t length = data ? (uint32_t)bytes : NO_TEXT;

	write_bytes(writer, &length, sizeof(length));
	write_bytes(writer, data, data ? bytes : 0);
}

static void
write_text(struct writer *writer, const char *text)
{
	write_block(writer, text, text ? strlen(text) + 1 : 0);
}

static void
write_delivery(struct writer *writer, const struct herald_delivery *delivery)
{
	uint32_t headers = (uint32_t)delivery->headers_count;

	write_text(writer, delivery->url);
	write_text(writer, delivery->id);
	write_text(writer, delivery->event_type);
	write_text(writer, delivery->event_id);
	write_text(writer, delivery->result);
	write_text(writer, delivery->error);
	write_text(writer, delivery->content_type);
	write_block(writer, delivery->body, delivery->body_bytes);
	write_bytes(writer, &headers, sizeof(headers));
	for (size_t i = 0; i < headers; i++)
		write_text(writer, delivery->headers[i]);
}

/* NULL for no text; the pointer is into the bytes. */
static const char *
read_block(const char **at, size_t *bytes)
{
	const char *block;
	uint32_t length;

	memcpy(&length, *at, sizeof(length));
	*at += sizeof(length);
	*bytes = length == NO_TEXT ? 0 : length;
	block = length == NO_TEXT ? NULL : *at;
	*at += *bytes;
	return block;
}

static const char *
read_text(const char **at)
{
	size_t bytes;

	return read_block(at, &bytes);
}

/* `headers` has room for 64. */
static void
read_delivery(const char *at, const char **headers, struct herald_delivery *out)
{
	uint32_t headers_count;

	*out = (struct herald_delivery){.url = read_text(&at)};
	out->id = read_text(&at);
	out->event_type = read_text(&at);
	out->event_id = read_text(&at);
	out->result = read_text(&at);
	out->error = read_text(&at);
	out->content_type = read_text(&at);
	out->body = read_block(&at, &out->body_bytes);
	if (out->body && out->body_bytes == 0)
		out->body = HERALD_EMPTY_BODY;
	memcpy(&headers_count, at, sizeof(headers_count));
	at += sizeof(headers_count);
	for (size_t i = 0; i < headers_count; i++)
		headers[i] = read_text(&at);
	out->headers = headers_count > 0 ? headers : NULL;
	out->headers_count = headers_count;
}

/* Rows, with the mutex held. */

static struct stored_row *
find(struct stored_queue_store *store, uint64_t key)
{
	for (size_t i = 0; i < store->count; i++)
		if (store->rows[i].key == key)
			return &store->rows[i];
	return NULL;
}

/* NULL: this queue does not have it any more. */
static struct stored_row *
find_own(struct stored_queue *queue, const struct herald_delivery_record *record)
{
	struct stored_row *row = find(queue->store, record->key);

	return row && row->owner == queue->number && row->attempts == record->attempts ? row : NULL;
}

static void
remove_row(struct stored_queue_store *store, struct stored_row *row)
{
	size_t place = (size_t)(row - store->rows);

	free(row->bytes);
	memmove(row, row + 1, (--store->count - place) * sizeof(*row));
}

static bool
is_due(const struct stored_queue *queue, const struct stored_row *row, int64_t now_ms)
{
	return row->due_ms <= now_ms || row->due_ms > now_ms + (int64_t)queue->max_delay_ms;
}

/* The one that has been due longest, or NULL. */
static struct stored_row *
find_due(struct stored_queue *queue, int64_t now_ms, uint64_t *wait_ms)
{
	struct stored_queue_store *store = queue->store;
	struct stored_row *due = NULL;

	*wait_ms = UINT64_MAX;
	for (size_t i = 0; i < store->count && !queue->is_cut_off; i++) {
		struct stored_row *row = &store->rows[i];

		if (row->owner != 0)
			continue;
		if (!is_due(queue, row, now_ms)) {
			if ((uint64_t)(row->due_ms - now_ms) < *wait_ms)
				*wait_ms = (uint64_t)(row->due_ms - now_ms);
		} else if (!due || row->due_ms < due->due_ms) {
			due = row;
		}
	}
	return due;
}

/* The others may have something to do. */
static void
wake_all(struct stored_queue_store *store)
{
	for (size_t i = 0; i < STORED_QUEUES; i++)
		if (store->queues[i])
			herald_delivery_queue_wake(&store->queues[i]->base);
}

/* The slots. */

static enum herald_status
stored_open(struct herald_delivery_queue *base,
	    const struct herald_delivery_queue_settings *settings, struct herald_error *error)
{
	struct stored_queue *queue = (struct stored_queue *)base;
	struct stored_queue_store *store = queue->store;
	size_t place = 0;

	(void)error;
	queue->max_delay_ms = settings->max_delay_ms;
	pthread_mutex_lock(&store->mutex);
	queue->number = ++store->last_number;
	while (store->queues[place])
		if (++place == STORED_QUEUES)
			abort();
	store->queues[place] = queue;
	pthread_mutex_unlock(&store->mutex);
	return HERALD_OK;
}

static enum herald_status
stored_push(struct herald_delivery_queue *base, struct herald_delivery_record *record)
{
	struct stored_queue_store *store = ((struct stored_queue *)base)->store;
	struct writer writer = {NULL, 0};

	pthread_mutex_lock(&store->mutex);
	enum herald_status status = store->count == STORED_ROWS ? HERALD_LIMIT : store->push_status;
	if (status == HERALD_OK) {
		write_delivery(&writer, &record->delivery);
		store->rows[store->count++] = (struct stored_row){
			.key = ++store->last_key,
			.attempts = record->attempts,
			.last_http_status = record->last_http_status,
			.created_ms = record->created_ms,
			.due_ms = record->due_ms,
			.expires_ms = record->expires_ms,
			.bytes = writer.bytes,
			.bytes_count = writer.count,
		};
		wake_all(store);
	}
	pthread_mutex_unlock(&store->mutex);
	if (status == HERALD_OK)
		herald_delivery_record_destroy(base, record);
	return status;
}

static struct herald_delivery_record *
make_record(struct stored_queue *queue, const struct stored_row *row)
{
	const char *headers[64];
	struct herald_delivery_record record = {
		.key = row->key,
		.attempts = row->attempts,
		.last_http_status = row->last_http_status,
		.created_ms = row->created_ms,
		.due_ms = row->due_ms,
		.expires_ms = row->expires_ms,
	};

	read_delivery(row->bytes, headers, &record.delivery);
	return herald_delivery_record_create(&queue->base, &record);
}

static struct herald_delivery_record *
stored_claim(struct herald_delivery_queue *base, const struct herald_delivery_time *now,
	     uint64_t *wait_ms)
{
	struct stored_queue *queue = (struct stored_queue *)base;
	struct herald_delivery_record *record = NULL;

	pthread_mutex_lock(&queue->store->mutex);
	struct stored_row *row = find_due(queue, now->wall_ms, wait_ms);
	if (row) {
		record = make_record(queue, row);
		*wait_ms = NO_MEMORY_WAIT_MS;
	}
	if (record) {
		row->owner = queue->number;
		row->attempts++;
	}
	pthread_mutex_unlock(&queue->store->mutex);
	return record;
}

static bool
stored_begin(struct herald_delivery_queue *base, struct herald_delivery_record *record)
{
	struct stored_queue *queue = (struct stored_queue *)base;

	pthread_mutex_lock(&queue->store->mutex);
	bool is_own = find_own(queue, record);
	pthread_mutex_unlock(&queue->store->mutex);
	return is_own;
}

static void
stored_reschedule(struct herald_delivery_queue *base, struct herald_delivery_record *record,
		  const struct herald_delivery_time *now, uint64_t delay_ms,
		  const struct herald_delivery_report *report)
{
	struct stored_queue *queue = (struct stored_queue *)base;

	(void)now;
	(void)delay_ms;
	(void)report;
	pthread_mutex_lock(&queue->store->mutex);
	struct stored_row *row = find(queue->store, record->key);
	if (row && row->owner == queue->number) {
		row->owner = 0;
		row->attempts = record->attempts;
		row->last_http_status = record->last_http_status;
		row->due_ms = record->due_ms;
		row->expires_ms = record->expires_ms;
		wake_all(queue->store);
	}
	pthread_mutex_unlock(&queue->store->mutex);
	herald_delivery_record_destroy(base, record);
}

static void
stored_complete(struct herald_delivery_queue *base, const struct herald_delivery_record *record,
		const struct herald_delivery_report *report)
{
	struct stored_queue *queue = (struct stored_queue *)base;

	pthread_mutex_lock(&queue->store->mutex);
	struct stored_row *row = find(queue->store, record->key);
	if (row && row->owner == queue->number) {
		remove_row(queue->store, row);
		queue->store->delivered += report->outcome == HERALD_DELIVERY_DELIVERED;
		queue->store->failed += report->outcome == HERALD_DELIVERY_FAILED;
	}
	pthread_mutex_unlock(&queue->store->mutex);
}

static void
stored_destroy(struct herald_delivery_queue *base)
{
	struct stored_queue *queue = (struct stored_queue *)base;

	pthread_mutex_lock(&queue->store->mutex);
	for (size_t i = 0; i < STORED_QUEUES; i++)
		if (queue->store->queues[i] == queue)
			queue->store->queues[i] = NULL;
	pthread_mutex_unlock(&queue->store->mutex);
	free(queue);
}

static const struct herald_delivery_queue_ops stored_ops = {
	.name = "stored",
	.open = stored_open,
	.push = stored_push,
	.claim = stored_claim,
	.begin = stored_begin,
	.reschedule = stored_reschedule,
	.complete = stored_complete,
	.destroy = stored_destroy,
};

struct herald_delivery_queue *
stored_queue_create(struct stored_queue_store *store)
{
	struct stored_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		abort();
	queue->base.ops = &stored_ops;
	queue->store = store;
	return &queue->base;
}

/* The store. */

struct stored_queue_store *
stored_queue_store_create(void)
{
	struct stored_queue_store *store = calloc(1, sizeof(*store));

	if (!store || pthread_mutex_init(&store->mutex, NULL) != 0)
		abort();
	return store;
}

void
stored_queue_store_destroy(struct stored_queue_store *store)
{
	while (store->count > 0)
		remove_row(store, &store->rows[0]);
	pthread_mutex_destroy(&store->mutex);
	free(store);
}

void
stored_queue_cut_off(struct herald_delivery_queue *base)
{
	struct stored_queue *queue = (struct stored_queue *)base;
	struct stored_queue_store *store = queue->store;

	pthread_mutex_lock(&store->mutex);
	queue->is_cut_off = true;
	for (size_t i = 0; i < store->count; i++)
		if (store->rows[i].owner == queue->number)
			store->rows[i].owner = 0;
	wake_all(store);
	pthread_mutex_unlock(&store->mutex);
}

size_t
stored_queue_count(struct stored_queue_store *store)
{
	pthread_mutex_lock(&store->mutex);
	size_t count = store->count;
	pthread_mutex_unlock(&store->mutex);
	return count;
}
