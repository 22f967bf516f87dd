/*
 * The events of the cases as C structs with their schemas, for the peers in C. bench/documents.py
 * has the same types in the same order.
 */
#ifndef BENCH_EVENTS_H
#define BENCH_EVENTS_H

#include <herald/herald.h>

struct user_created {
	const char *user_id;
	const char *username;
};

struct customer {
	int64_t id;
	const char *name;
	const char *email;
};

struct address {
	const char *street;
	const char *city;
	const char *postcode;
	const char *country;
};

struct order_line {
	const char *sku;
	const char *title;
	int32_t quantity;
	int64_t unit_cents;
	bool gift;
};

struct order_placed {
	const char *order_id;
	struct herald_time placed_at;
	const char *currency;
	int64_t total_cents;
	bool paid;
	struct customer customer;
	struct address ship_to;
	const struct order_line *lines;
	size_t lines_count;
	const char *note;
};

struct position {
	double latitude;
	double longitude;
	double altitude;
};

struct telemetry {
	const char *device;
	uint64_t sequence;
	int64_t uptime_ms;
	double battery;
	struct position position;
	const double *readings;
	size_t readings_count;
	const int64_t *counters;
	size_t counters_count;
};

struct comment {
	const char *author;
	const char *text;
};

struct article {
	const char *article_id;
	const char *title;
	const char *author;
	const char *body;
	const char *const *tags;
	size_t tags_count;
	const struct comment *comments;
	size_t comments_count;
};

struct item {
	int64_t id;
	const char *sku;
	int32_t quantity;
	double price;
	double weight;
	bool active;
};

struct batch {
	const char *batch_id;
	const struct item *items;
	size_t items_count;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, user_id, .required = true),
	HERALD_FIELD(user_created, username, .required = true));

HERALD_SCHEMA(customer,
	HERALD_FIELD(customer, id, HERALD_MIN(1)),
	HERALD_FIELD(customer, name, .required = true),
	HERALD_FIELD(customer, email, .required = true));

HERALD_SCHEMA(address,
	HERALD_FIELD(address, street),
	HERALD_FIELD(address, city),
	HERALD_FIELD(address, postcode),
	HERALD_FIELD(address, country, .required = true));

HERALD_SCHEMA(order_line,
	HERALD_FIELD(order_line, sku, .required = true),
	HERALD_FIELD(order_line, title),
	HERALD_FIELD(order_line, quantity, HERALD_RANGE(1, 999)),
	HERALD_FIELD(order_line, unit_cents),
	HERALD_FIELD(order_line, gift));

HERALD_SCHEMA(order_placed,
	HERALD_FIELD(order_placed, order_id, .required = true),
	HERALD_FIELD(order_placed, placed_at),
	HERALD_FIELD(order_placed, currency),
	HERALD_FIELD(order_placed, total_cents, HERALD_MIN(0)),
	HERALD_FIELD(order_placed, paid),
	HERALD_STRUCT(order_placed, customer, customer, .required = true),
	HERALD_STRUCT(order_placed, ship_to, address),
	HERALD_LIST(order_placed, lines, order_line, .min_count = 1),
	HERALD_FIELD(order_placed, note));

HERALD_SCHEMA(position,
	HERALD_FIELD(position, latitude, HERALD_RANGE(-90, 90)),
	HERALD_FIELD(position, longitude, HERALD_RANGE(-180, 180)),
	HERALD_FIELD(position, altitude));

HERALD_SCHEMA(telemetry,
	HERALD_FIELD(telemetry, device, .required = true),
	HERALD_FIELD(telemetry, sequence),
	HERALD_FIELD(telemetry, uptime_ms),
	HERALD_FIELD(telemetry, battery, HERALD_RANGE(0, 1)),
	HERALD_STRUCT(telemetry, position, position),
	HERALD_VALUES(telemetry, readings),
	HERALD_VALUES(telemetry, counters));

HERALD_SCHEMA(comment,
	HERALD_FIELD(comment, author, .required = true),
	HERALD_FIELD(comment, text, .required = true));

HERALD_SCHEMA(article,
	HERALD_FIELD(article, article_id, .required = true),
	HERALD_FIELD(article, title),
	HERALD_FIELD(article, author),
	HERALD_FIELD(article, body),
	HERALD_VALUES(article, tags),
	HERALD_LIST(article, comments, comment));

HERALD_SCHEMA(item,
	HERALD_FIELD(item, id),
	HERALD_FIELD(item, sku, .required = true),
	HERALD_FIELD(item, quantity, HERALD_RANGE(1, 999)),
	HERALD_FIELD(item, price, HERALD_MIN(0)),
	HERALD_FIELD(item, weight),
	HERALD_FIELD(item, active));

HERALD_SCHEMA(batch,
	HERALD_FIELD(batch, batch_id, .required = true),
	HERALD_LIST(batch, items, item));

/* The event with its payload inside: `struct order_placed_event` and its schema. */
#define EVENT(PAYLOAD)                                                                             \
	struct PAYLOAD##_event {                                                                   \
		const char *event_type;                                                            \
		struct herald_time timestamp;                                                      \
		struct PAYLOAD payload;                                                            \
		struct herald_map metadata;                                                        \
	};                                                                                         \
	HERALD_SCHEMA(PAYLOAD##_event,                                                             \
		      HERALD_FIELD(PAYLOAD##_event, event_type, .required = true, .min_bytes = 1), \
		      HERALD_FIELD(PAYLOAD##_event, timestamp, .required = true),                  \
		      HERALD_STRUCT(PAYLOAD##_event, payload, PAYLOAD, .required = true),          \
		      HERALD_FIELD(PAYLOAD##_event, metadata))

/* All payload types: X(PAYLOAD). */
#define EVENT_LIST(X) X(user_created) X(order_placed) X(telemetry) X(article) X(batch)

EVENT(user_created);
EVENT(order_placed);
EVENT(telemetry);
EVENT(article);
EVENT(batch);

/* Room for any of the events. */
union event {
#define EVENT_MEMBER_(PAYLOAD) struct PAYLOAD##_event PAYLOAD;
	EVENT_LIST(EVENT_MEMBER_)
#undef EVENT_MEMBER_
};

/* Write all values of a struct to stdout, one a line, as bench/documents.py does. */
void events_dump(const struct herald_schema *schema, const void *in);

#endif
