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

struct goods {
	const char *order_id;
	int64_t total_cents;
	const char *sku;
	int32_t quantity;
	bool gift;
	const char *city;
	const char *country;
};

struct download {
	const char *order_id;
	int64_t total_cents;
	const char *title;
	int32_t licences;
	const char *url;
};

struct subscription {
	const char *order_id;
	int64_t total_cents;
	const char *plan;
	struct herald_time starts_at;
	int32_t months;
	bool renews;
};

struct refund {
	const char *order_id;
	int64_t total_cents;
	double share;
	const char *reason;
};

enum order_kind { ORDER_GOODS, ORDER_DOWNLOAD, ORDER_SUBSCRIPTION, ORDER_REFUND };

struct any_order {
	enum order_kind kind;
	union {
		struct goods goods;
		struct download download;
		struct subscription subscription;
		struct refund refund;
	} order;
};

struct mixed_orders {
	const char *list_id;
	const struct any_order *orders;
	size_t orders_count;
};

/* Entries of maps: the first member is the name in the object. */
struct article_entry {
	const char *sku;
	const char *title;
	int64_t unit_cents;
	double weight;
	bool active;
};

struct stock_entry {
	const char *sku;
	int64_t count;
};

struct rate_entry {
	const char *name;
	double rate;
};

struct catalog {
	const char *catalog_id;
	const struct article_entry *articles;
	size_t articles_count;
	const struct stock_entry *stock;
	size_t stock_count;
	const struct rate_entry *rates;
	size_t rates_count;
};

struct integers {
	const char *series_id;
	const int64_t *values;
	size_t values_count;
};

struct doubles {
	const char *series_id;
	const double *values;
	size_t values_count;
};

struct strings {
	const char *list_id;
	const char *const *texts;
	size_t texts_count;
};

struct account {
	const char *login;
	int64_t id;
};

struct branch {
	const char *ref;
	const char *sha;
};

struct pull_request {
	int64_t id;
	const char *title;
	const char *body;
	bool draft;
	struct herald_time created_at;
	struct account user;
	struct branch head;
	struct branch base;
	int64_t additions;
	int64_t deletions;
};

struct repository {
	int64_t id;
	const char *full_name;
	bool is_private;
};

struct pull_request_event {
	const char *action;
	int64_t number;
	struct pull_request pull_request;
	struct repository repository;
	struct account sender;
};

struct record {
	int64_t id;
	const char *name;
	double score;
	bool active;
};

struct mixture {
	const int64_t *integers;
	size_t integers_count;
	const double *doubles;
	size_t doubles_count;
	const char *const *strings;
	size_t strings_count;
	const struct record *records;
	size_t records_count;
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

HERALD_SCHEMA(goods,
	HERALD_FIELD(goods, order_id, .required = true),
	HERALD_FIELD(goods, total_cents, HERALD_MIN(0)),
	HERALD_FIELD(goods, sku, .required = true),
	HERALD_FIELD(goods, quantity, HERALD_RANGE(1, 999)),
	HERALD_FIELD(goods, gift),
	HERALD_FIELD(goods, city),
	HERALD_FIELD(goods, country, .required = true));

HERALD_SCHEMA(download,
	HERALD_FIELD(download, order_id, .required = true),
	HERALD_FIELD(download, total_cents, HERALD_MIN(0)),
	HERALD_FIELD(download, title),
	HERALD_FIELD(download, licences, HERALD_MIN(1)),
	HERALD_FIELD(download, url, .required = true));

HERALD_SCHEMA(subscription,
	HERALD_FIELD(subscription, order_id, .required = true),
	HERALD_FIELD(subscription, total_cents, HERALD_MIN(0)),
	HERALD_FIELD(subscription, plan, .required = true),
	HERALD_FIELD(subscription, starts_at),
	HERALD_FIELD(subscription, months, HERALD_RANGE(1, 60)),
	HERALD_FIELD(subscription, renews));

HERALD_SCHEMA(refund,
	HERALD_FIELD(refund, order_id, .required = true),
	HERALD_FIELD(refund, total_cents, HERALD_MAX(0)),
	HERALD_FIELD(refund, share, HERALD_RANGE(0, 1)),
	HERALD_FIELD(refund, reason));

static const struct herald_name order_kinds[] = {
	{"goods", ORDER_GOODS},
	{"download", ORDER_DOWNLOAD},
	{"subscription", ORDER_SUBSCRIPTION},
	{"refund", ORDER_REFUND},
};

HERALD_SCHEMA(any_order,
	HERALD_ENUM(any_order, kind, order_kinds, .required = true),
	HERALD_VARIANT_WITH(any_order, order, kind, (.required = true),
		HERALD_CASE("goods", goods),
		HERALD_CASE("download", download),
		HERALD_CASE("subscription", subscription),
		HERALD_CASE("refund", refund)));

HERALD_SCHEMA(mixed_orders,
	HERALD_FIELD(mixed_orders, list_id, .required = true),
	HERALD_LIST(mixed_orders, orders, any_order));

HERALD_SCHEMA(article_entry,
	HERALD_KEY(article_entry, sku),
	HERALD_FIELD(article_entry, title, .required = true),
	HERALD_FIELD(article_entry, unit_cents, HERALD_MIN(0)),
	HERALD_FIELD(article_entry, weight),
	HERALD_FIELD(article_entry, active));

HERALD_SCHEMA_WITH(stock_entry, (.transparent = true),
	HERALD_KEY(stock_entry, sku),
	HERALD_FIELD(stock_entry, count, HERALD_MIN(0)));

HERALD_SCHEMA_WITH(rate_entry, (.transparent = true),
	HERALD_KEY(rate_entry, name),
	HERALD_FIELD(rate_entry, rate));

HERALD_SCHEMA(catalog,
	HERALD_FIELD(catalog, catalog_id, .required = true),
	HERALD_MAP(catalog, articles, article_entry),
	HERALD_MAP(catalog, stock, stock_entry),
	HERALD_MAP(catalog, rates, rate_entry));

HERALD_SCHEMA(integers,
	HERALD_FIELD(integers, series_id, .required = true),
	HERALD_VALUES(integers, values));

HERALD_SCHEMA(doubles,
	HERALD_FIELD(doubles, series_id, .required = true),
	HERALD_VALUES(doubles, values));

HERALD_SCHEMA(strings,
	HERALD_FIELD(strings, list_id, .required = true),
	HERALD_VALUES(strings, texts));

HERALD_SCHEMA(account,
	HERALD_FIELD(account, login, .required = true),
	HERALD_FIELD(account, id, HERALD_MIN(1)));

HERALD_SCHEMA(branch,
	HERALD_FIELD(branch, ref, .required = true),
	HERALD_FIELD(branch, sha, .required = true));

HERALD_SCHEMA(pull_request,
	HERALD_FIELD(pull_request, id),
	HERALD_FIELD(pull_request, title, .required = true),
	HERALD_FIELD(pull_request, body),
	HERALD_FIELD(pull_request, draft),
	HERALD_FIELD(pull_request, created_at),
	HERALD_STRUCT(pull_request, user, account, .required = true),
	HERALD_STRUCT(pull_request, head, branch, .required = true),
	HERALD_STRUCT(pull_request, base, branch, .required = true),
	HERALD_FIELD(pull_request, additions),
	HERALD_FIELD(pull_request, deletions));

HERALD_SCHEMA(repository,
	HERALD_FIELD(repository, id),
	HERALD_FIELD(repository, full_name, .required = true),
	HERALD_FIELD(repository, is_private, .key = "private"));

HERALD_SCHEMA(pull_request_event,
	HERALD_FIELD(pull_request_event, action, .required = true),
	HERALD_FIELD(pull_request_event, number),
	HERALD_STRUCT(pull_request_event, pull_request, pull_request, .required = true),
	HERALD_STRUCT(pull_request_event, repository, repository, .required = true),
	HERALD_STRUCT(pull_request_event, sender, account, .required = true));

HERALD_SCHEMA(record,
	HERALD_FIELD(record, id),
	HERALD_FIELD(record, name, .required = true),
	HERALD_FIELD(record, score),
	HERALD_FIELD(record, active));

HERALD_SCHEMA(mixture,
	HERALD_VALUES(mixture, integers),
	HERALD_VALUES(mixture, doubles),
	HERALD_VALUES(mixture, strings),
	HERALD_LIST(mixture, records, record));

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
#define EVENT_LIST(X)                                                                              \
	X(user_created)                                                                            \
	X(order_placed)                                                                            \
	X(telemetry)                                                                               \
	X(article)                                                                                 \
	X(batch)                                                                                   \
	X(mixed_orders)                                                                            \
	X(catalog) X(integers) X(doubles) X(strings) X(pull_request_event) X(mixture)

EVENT(user_created);
EVENT(order_placed);
EVENT(telemetry);
EVENT(article);
EVENT(batch);
EVENT(mixed_orders);
EVENT(catalog);
EVENT(integers);
EVENT(doubles);
EVENT(strings);
EVENT(pull_request_event);
EVENT(mixture);

/* Room for any of the events. */
union event {
#define EVENT_MEMBER_(PAYLOAD) struct PAYLOAD##_event PAYLOAD;
	EVENT_LIST(EVENT_MEMBER_)
#undef EVENT_MEMBER_
};

/* Write all values of a struct to stdout, one a line, as bench/documents.py does. */
void events_dump(const struct herald_schema *schema, const void *in);

#endif
