/*
 * Deliveries on their way from herald_publish() to the database. A delivery is checked when it is
 * published. Between the run and its transaction it is a parcel: the lengths of its parts, and the
 * parts. Parcels are only in memory; what the database has is in delivery_record.c.
 */
#include "store/published.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "base/siphash.h"
#include "service/inbox.h"
#include "store/delivery_record.h"
#include "store/state.h"

#define ID_BYTES 33 /* of an id that Herald makes, with its NUL */
/* Until a deliverer takes it for the first time; then its deadline begins. Less than INT64_MAX, so
 * that a database may compute with it. */
#define NO_DEADLINE_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)

/* The parts of a parcel: texts with their NULs, except for the record. */
enum part {
	PART_ID,
	PART_URL,
	PART_ORIGIN,
	PART_EVENT_TYPE,
	PART_EVENT_ID,
	PART_RECORD,
	PARTS,
};

struct prefix {
	size_t bytes[PARTS];
};

/* Ids. */

static void
write_hex(const unsigned char bytes[16], char *out)
{
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void
add_text(struct herald__siphash *hash, const char *text)
{
	herald__siphash_add(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

/*
 * The id of a delivery without one: the same each time that the event runs, if it publishes the
 * same. What tells a failure and what tells a success after a replay are two deliveries, so URL,
 * type and result are part of it. A database that was restored from a backup gives out row ids
 * again, to other events, so the event's time is part of it, too.
 */
static void
derive_id(const struct herald_store *store, const struct herald__run *run,
	  const struct herald_delivery *delivery, char out[ID_BYTES])
{
	const uint64_t place[] = {run->id, (uint64_t)run->created_ms, run->published.bytes};
	struct herald__siphash hash;
	unsigned char bytes[16];

	herald__siphash_init(&hash, store->secret, HERALD__SIPHASH_128);
	herald__siphash_add(&hash, place, sizeof(place));
	add_text(&hash, delivery->url);
	add_text(&hash, delivery->event_type);
	add_text(&hash, delivery->result);
	herald__siphash_128(&hash, bytes);
	write_hex(bytes, out);
}

static void
draw_id(const struct herald_store *store, char out[ID_BYTES])
{
	const struct herald__delivery_clock *clock = &store->settings.clock;
	uint64_t words[2] = {clock->random(clock->state), clock->random(clock->state)};

	snprintf(out, ID_BYTES, "%016" PRIx64 "%016" PRIx64, words[0], words[1]);
}

/* Parcels. */

static const char *
text_or_empty(const char *text)
{
	return text ? text : "";
}

static enum herald_status
append(struct herald_buffer *out, const struct herald__checked_delivery *checked, const char *id)
{
	const struct herald_delivery *delivery = &checked->delivery;
	const char *const texts[PART_RECORD] = {
		[PART_ID] = id,
		[PART_URL] = delivery->url,
		[PART_ORIGIN] = checked->origin,
		[PART_EVENT_TYPE] = text_or_empty(delivery->event_type),
		[PART_EVENT_ID] = text_or_empty(delivery->event_id),
	};
	const size_t begin = out->bytes;
	struct prefix prefix = {{0}};
	enum herald_status status =
		herald_buffer_append(out, (const char *)&prefix, sizeof(prefix));

	for (size_t i = 0; i < PART_RECORD && status == HERALD_OK; i++) {
		prefix.bytes[i] = strlen(texts[i]) + 1;
		status = herald_buffer_append(out, texts[i], prefix.bytes[i]);
	}
	size_t record = out->bytes;
	if (status == HERALD_OK)
		status = herald__delivery_record_write(delivery, out);
	if (status != HERALD_OK) {
		out->bytes = begin;
		return status;
	}
	prefix.bytes[PART_RECORD] = out->bytes - record;
	memcpy(out->data + begin, &prefix, sizeof(prefix));
	return HERALD_OK;
}

/* Read the parcel at *at, and move *at behind it. */
static void
read_parcel(const char **at, int64_t now_ms, struct herald_stored_delivery *out)
{
	const char *parts[PARTS];
	struct prefix prefix;

	memcpy(&prefix, *at, sizeof(prefix));
	*at += sizeof(prefix);
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = *at;
		*at += prefix.bytes[i];
	}
	*out = (struct herald_stored_delivery){
		.delivery_id = parts[PART_ID],
		.url = parts[PART_URL],
		.origin = parts[PART_ORIGIN],
		.event_type = parts[PART_EVENT_TYPE],
		.event_id = parts[PART_EVENT_ID],
		.record = {parts[PART_RECORD], prefix.bytes[PART_RECORD]},
		.created_ms = now_ms,
		.due_ms = now_ms,
		.expires_ms = now_ms + NO_DEADLINE_MS,
		.last_error = "",
	};
}

/* Publishing. */

/* Append what was checked; `made_id` is for a delivery without an id. */
static enum herald_status
add(struct herald_store *store, const struct herald__checked_delivery *checked, const char *made_id,
    struct herald_buffer *out, struct herald_error *error)
{
	const size_t most = store->settings.options.max_published_bytes;

	out->max_bytes = most;
	enum herald_status status =
		append(out, checked, checked->delivery.id ? checked->delivery.id : made_id);
	if (status == HERALD_TOO_LARGE)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"more than %zu bytes are published with one event "
					"(max_published_bytes)",
					most);
	return status == HERALD_OK ? HERALD_OK : herald_out_of_memory(error);
}

static enum herald_status
check(const struct herald_store *store, const struct herald_delivery *delivery,
      struct herald__checked_delivery *out, struct herald_error *error)
{
	return herald__delivery_check(delivery, store->settings.options.max_published_bytes,
				      &store->settings.allocator, out, error);
}

enum herald_status
herald__published_add(struct herald_store *store, struct herald__run *run,
		      const struct herald_delivery *delivery, struct herald_error *error)
{
	struct herald__checked_delivery checked;
	char id[ID_BYTES];

	enum herald_status status = check(store, delivery, &checked, error);
	if (status == HERALD_OK) {
		derive_id(store, run, &checked.delivery, id);
		status = add(store, &checked, id, &run->published, error);
	}
	herald__delivery_check_finish(&checked);
	return status;
}

enum herald_status
herald__published_push(struct herald_store *store, struct herald_session *session,
		       const struct herald_buffer *published, int64_t now_ms,
		       struct herald_error *error)
{
	const struct herald_database_ops *ops = store->database->ops;
	const char *at = published->data ? published->data : "", *end = at + published->bytes;
	enum herald_status status = HERALD_OK;

	while (status == HERALD_OK && at < end) {
		struct herald_stored_delivery deliveries[16];
		size_t count = 0;

		while (at < end && count < HERALD_COUNT(deliveries))
			read_parcel(&at, now_ms, &deliveries[count++]);
		status = ops->delivery_push(session, deliveries, count, error);
	}
	return status;
}

enum herald_status
herald_store_publish_in(struct herald_store *store, struct herald_session *session,
			const struct herald_delivery *delivery, struct herald_error *error)
{
	struct herald__checked_delivery checked;
	struct herald_buffer parcel;
	char id[ID_BYTES];

	draw_id(store, id);
	herald_buffer_init(&parcel, &store->settings.allocator, 0);
	enum herald_status status = check(store, delivery, &checked, error);
	if (status == HERALD_OK)
		status = add(store, &checked, id, &parcel, error);
	if (status == HERALD_OK)
		status = herald__published_push(store, session, &parcel,
						herald__clock_wall_ms(&store->settings.clock),
						error);
	herald_buffer_finish(&parcel);
	herald__delivery_check_finish(&checked);
	return status;
}
