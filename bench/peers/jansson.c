/*
 * jansson: the document as a tree of json_t, of which every member goes into the C struct; strings
 * are borrowed from the tree, which is freed at the next event. Encoding builds a tree and writes
 * it out. The payloads of the cases of one shape each are in jansson_shapes.c.
 */
#include <stdio.h>
#include <string.h>

#include "jansson_shapes.h"

static const struct herald_schema *schema;
static bool is_encode;
static union event event;
static json_t *tree;
static char *encoded;

static void *lists[5];
static size_t lists_bytes[5];

void *
room(size_t list, size_t bytes)
{
	if (bytes > lists_bytes[list]) {
		lists[list] = realloc(lists[list], bytes);
		lists_bytes[list] = bytes;
		if (!lists[list])
			peer_fail("out of memory");
	}
	return lists[list];
}

/* Reading. */

static struct herald_map
map(const json_t *object, const char *key)
{
	json_t *value = (json_t *)(uintptr_t)member(object, key);
	struct herald_pair *pairs = room(4, json_object_size(value) * sizeof(*pairs));
	struct herald_map result = {.pairs = pairs};
	const char *name;
	json_t *text;

	json_object_foreach(value, name, text) pairs[result.count++] =
		(struct herald_pair){name, json_string_value(text)};
	return result;
}

static void
read_user_created(const json_t *in, struct user_created *out)
{
	out->user_id = string(in, "user_id");
	out->username = string(in, "username");
}

static void
read_order_placed(const json_t *in, struct order_placed *out)
{
	const json_t *customer = member(in, "customer"), *ship_to = member(in, "ship_to");
	const json_t *list = member(in, "lines");
	size_t count = json_array_size(list);
	struct order_line *lines = room(0, count * sizeof(*lines));

	out->order_id = string(in, "order_id");
	out->placed_at = point_in_time(in, "placed_at");
	out->currency = string(in, "currency");
	out->total_cents = integer(in, "total_cents");
	out->paid = boolean(in, "paid");
	out->customer.id = integer(customer, "id");
	out->customer.name = string(customer, "name");
	out->customer.email = string(customer, "email");
	out->ship_to.street = string(ship_to, "street");
	out->ship_to.city = string(ship_to, "city");
	out->ship_to.postcode = string(ship_to, "postcode");
	out->ship_to.country = string(ship_to, "country");
	for (size_t i = 0; i < count; i++) {
		const json_t *line = json_array_get(list, i);
		lines[i].sku = string(line, "sku");
		lines[i].title = string(line, "title");
		lines[i].quantity = integer_32(line, "quantity");
		lines[i].unit_cents = integer(line, "unit_cents");
		lines[i].gift = boolean(line, "gift");
	}
	out->lines = lines;
	out->lines_count = count;
	out->note = string(in, "note");
}

static void
read_telemetry(const json_t *in, struct telemetry *out)
{
	const json_t *position = member(in, "position");
	const json_t *readings = member(in, "readings"), *counters = member(in, "counters");
	size_t readings_count = json_array_size(readings),
	       counters_count = json_array_size(counters);
	double *values = room(0, readings_count * sizeof(*values));
	int64_t *counts = room(1, counters_count * sizeof(*counts));

	out->device = string(in, "device");
	out->sequence = (uint64_t)integer(in, "sequence");
	out->uptime_ms = integer(in, "uptime_ms");
	out->battery = number(in, "battery");
	out->position.latitude = number(position, "latitude");
	out->position.longitude = number(position, "longitude");
	out->position.altitude = number(position, "altitude");
	for (size_t i = 0; i < readings_count; i++)
		values[i] = json_number_value(json_array_get(readings, i));
	for (size_t i = 0; i < counters_count; i++)
		counts[i] = json_integer_value(json_array_get(counters, i));
	out->readings = values;
	out->readings_count = readings_count;
	out->counters = counts;
	out->counters_count = counters_count;
}

static void
read_article(const json_t *in, struct article *out)
{
	const json_t *tags = member(in, "tags"), *comments = member(in, "comments");
	size_t tags_count = json_array_size(tags), comments_count = json_array_size(comments);
	const char **texts = room(0, tags_count * sizeof(*texts));
	struct comment *list = room(1, comments_count * sizeof(*list));

	out->article_id = string(in, "article_id");
	out->title = string(in, "title");
	out->author = string(in, "author");
	out->body = string(in, "body");
	for (size_t i = 0; i < tags_count; i++)
		texts[i] = json_string_value(json_array_get(tags, i));
	for (size_t i = 0; i < comments_count; i++) {
		const json_t *comment = json_array_get(comments, i);
		list[i].author = string(comment, "author");
		list[i].text = string(comment, "text");
	}
	out->tags = texts;
	out->tags_count = tags_count;
	out->comments = list;
	out->comments_count = comments_count;
}

static void
read_batch(const json_t *in, struct batch *out)
{
	const json_t *list = member(in, "items");
	size_t count = json_array_size(list);
	struct item *items = room(0, count * sizeof(*items));

	out->batch_id = string(in, "batch_id");
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		items[i].id = integer(item, "id");
		items[i].sku = string(item, "sku");
		items[i].quantity = integer_32(item, "quantity");
		items[i].price = number(item, "price");
		items[i].weight = number(item, "weight");
		items[i].active = boolean(item, "active");
	}
	out->items = items;
	out->items_count = count;
}

static void
read_goods(const json_t *in, struct goods *out)
{
	out->order_id = string(in, "order_id");
	out->total_cents = integer(in, "total_cents");
	out->sku = string(in, "sku");
	out->quantity = integer_32(in, "quantity");
	out->gift = boolean(in, "gift");
	out->city = string(in, "city");
	out->country = string(in, "country");
}

static void
read_download(const json_t *in, struct download *out)
{
	out->order_id = string(in, "order_id");
	out->total_cents = integer(in, "total_cents");
	out->title = string(in, "title");
	out->licences = integer_32(in, "licences");
	out->url = string(in, "url");
}

static void
read_subscription(const json_t *in, struct subscription *out)
{
	out->order_id = string(in, "order_id");
	out->total_cents = integer(in, "total_cents");
	out->plan = string(in, "plan");
	out->starts_at = point_in_time(in, "starts_at");
	out->months = integer_32(in, "months");
	out->renews = boolean(in, "renews");
}

static void
read_refund(const json_t *in, struct refund *out)
{
	out->order_id = string(in, "order_id");
	out->total_cents = integer(in, "total_cents");
	out->share = number(in, "share");
	out->reason = string(in, "reason");
}

static void
read_any_order(const json_t *in, struct any_order *out)
{
	const char *kind = string(in, "kind");
	const json_t *order = member(in, "order");
	size_t i = 0;

	while (i < 4 && strcmp(kind, order_kinds[i].name) != 0)
		i++;
	if (i == 4)
		peer_fail("no kind %s", kind);
	out->kind = (enum order_kind)order_kinds[i].value;
	if (out->kind == ORDER_GOODS)
		read_goods(order, &out->order.goods);
	else if (out->kind == ORDER_DOWNLOAD)
		read_download(order, &out->order.download);
	else if (out->kind == ORDER_SUBSCRIPTION)
		read_subscription(order, &out->order.subscription);
	else
		read_refund(order, &out->order.refund);
}

static void
read_mixed_orders(const json_t *in, struct mixed_orders *out)
{
	const json_t *list = member(in, "orders");
	size_t count = json_array_size(list);
	struct any_order *orders = room(0, count * sizeof(*orders));

	out->list_id = string(in, "list_id");
	for (size_t i = 0; i < count; i++)
		read_any_order(json_array_get(list, i), &orders[i]);
	out->orders = orders;
	out->orders_count = count;
}

static void
read_catalog(const json_t *in, struct catalog *out)
{
	json_t *articles = (json_t *)(uintptr_t)member(in, "articles");
	json_t *stock = (json_t *)(uintptr_t)member(in, "stock");
	json_t *rates = (json_t *)(uintptr_t)member(in, "rates"), *value;
	struct article_entry *article = room(0, json_object_size(articles) * sizeof(*article));
	struct stock_entry *held = room(1, json_object_size(stock) * sizeof(*held));
	struct rate_entry *rate = room(2, json_object_size(rates) * sizeof(*rate));
	const char *name;

	out->catalog_id = string(in, "catalog_id");
	out->articles = article;
	out->articles_count = json_object_size(articles);
	json_object_foreach(articles, name, value) *article++ = (struct article_entry){
		.sku = name,
		.title = string(value, "title"),
		.unit_cents = integer(value, "unit_cents"),
		.weight = number(value, "weight"),
		.active = boolean(value, "active"),
	};
	out->stock = held;
	out->stock_count = json_object_size(stock);
	json_object_foreach(stock, name, value) *held++ =
		(struct stock_entry){name, json_integer_value(value)};
	out->rates = rate;
	out->rates_count = json_object_size(rates);
	json_object_foreach(rates, name, value) *rate++ =
		(struct rate_entry){name, json_number_value(value)};
}

/* Writing. */

static json_t *
json_map(const struct herald_map *in)
{
	json_t *out = json_object();

	for (size_t i = 0; i < in->count; i++)
		json_object_set_new(out, in->pairs[i].key, json_string(in->pairs[i].value));
	return out;
}

static json_t *
write_user_created(const struct user_created *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "user_id", json_string(in->user_id));
	json_object_set_new(out, "username", json_string(in->username));
	return out;
}

static json_t *
write_order_placed(const struct order_placed *in)
{
	json_t *out = json_object(), *customer = json_object(), *ship_to = json_object();
	json_t *lines = json_array();

	json_object_set_new(out, "order_id", json_string(in->order_id));
	json_object_set_new(out, "placed_at", json_time(&in->placed_at));
	json_object_set_new(out, "currency", json_string(in->currency));
	json_object_set_new(out, "total_cents", json_integer(in->total_cents));
	json_object_set_new(out, "paid", json_boolean(in->paid));
	json_object_set_new(customer, "id", json_integer(in->customer.id));
	json_object_set_new(customer, "name", json_string(in->customer.name));
	json_object_set_new(customer, "email", json_string(in->customer.email));
	json_object_set_new(out, "customer", customer);
	json_object_set_new(ship_to, "street", json_string(in->ship_to.street));
	json_object_set_new(ship_to, "city", json_string(in->ship_to.city));
	json_object_set_new(ship_to, "postcode", json_string(in->ship_to.postcode));
	json_object_set_new(ship_to, "country", json_string(in->ship_to.country));
	json_object_set_new(out, "ship_to", ship_to);
	for (size_t i = 0; i < in->lines_count; i++) {
		json_t *line = json_object();
		json_object_set_new(line, "sku", json_string(in->lines[i].sku));
		json_object_set_new(line, "title", json_string(in->lines[i].title));
		json_object_set_new(line, "quantity", json_integer(in->lines[i].quantity));
		json_object_set_new(line, "unit_cents", json_integer(in->lines[i].unit_cents));
		json_object_set_new(line, "gift", json_boolean(in->lines[i].gift));
		json_array_append_new(lines, line);
	}
	json_object_set_new(out, "lines", lines);
	json_object_set_new(out, "note", json_string(in->note));
	return out;
}

static json_t *
write_telemetry(const struct telemetry *in)
{
	json_t *out = json_object(), *position = json_object();
	json_t *readings = json_array(), *counters = json_array();

	json_object_set_new(out, "device", json_string(in->device));
	json_object_set_new(out, "sequence", json_integer((json_int_t)in->sequence));
	json_object_set_new(out, "uptime_ms", json_integer(in->uptime_ms));
	json_object_set_new(out, "battery", json_real(in->battery));
	json_object_set_new(position, "latitude", json_real(in->position.latitude));
	json_object_set_new(position, "longitude", json_real(in->position.longitude));
	json_object_set_new(position, "altitude", json_real(in->position.altitude));
	json_object_set_new(out, "position", position);
	for (size_t i = 0; i < in->readings_count; i++)
		json_array_append_new(readings, json_real(in->readings[i]));
	for (size_t i = 0; i < in->counters_count; i++)
		json_array_append_new(counters, json_integer(in->counters[i]));
	json_object_set_new(out, "readings", readings);
	json_object_set_new(out, "counters", counters);
	return out;
}

static json_t *
write_article(const struct article *in)
{
	json_t *out = json_object(), *tags = json_array(), *comments = json_array();

	json_object_set_new(out, "article_id", json_string(in->article_id));
	json_object_set_new(out, "title", json_string(in->title));
	json_object_set_new(out, "author", json_string(in->author));
	json_object_set_new(out, "body", json_string(in->body));
	for (size_t i = 0; i < in->tags_count; i++)
		json_array_append_new(tags, json_string(in->tags[i]));
	json_object_set_new(out, "tags", tags);
	for (size_t i = 0; i < in->comments_count; i++) {
		json_t *comment = json_object();
		json_object_set_new(comment, "author", json_string(in->comments[i].author));
		json_object_set_new(comment, "text", json_string(in->comments[i].text));
		json_array_append_new(comments, comment);
	}
	json_object_set_new(out, "comments", comments);
	return out;
}

static json_t *
write_batch(const struct batch *in)
{
	json_t *out = json_object(), *items = json_array();

	json_object_set_new(out, "batch_id", json_string(in->batch_id));
	for (size_t i = 0; i < in->items_count; i++) {
		json_t *item = json_object();
		json_object_set_new(item, "id", json_integer(in->items[i].id));
		json_object_set_new(item, "sku", json_string(in->items[i].sku));
		json_object_set_new(item, "quantity", json_integer(in->items[i].quantity));
		json_object_set_new(item, "price", json_real(in->items[i].price));
		json_object_set_new(item, "weight", json_real(in->items[i].weight));
		json_object_set_new(item, "active", json_boolean(in->items[i].active));
		json_array_append_new(items, item);
	}
	json_object_set_new(out, "items", items);
	return out;
}

static json_t *
write_goods(const struct goods *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "order_id", json_string(in->order_id));
	json_object_set_new(out, "total_cents", json_integer(in->total_cents));
	json_object_set_new(out, "sku", json_string(in->sku));
	json_object_set_new(out, "quantity", json_integer(in->quantity));
	json_object_set_new(out, "gift", json_boolean(in->gift));
	json_object_set_new(out, "city", json_string(in->city));
	json_object_set_new(out, "country", json_string(in->country));
	return out;
}

static json_t *
write_download(const struct download *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "order_id", json_string(in->order_id));
	json_object_set_new(out, "total_cents", json_integer(in->total_cents));
	json_object_set_new(out, "title", json_string(in->title));
	json_object_set_new(out, "licences", json_integer(in->licences));
	json_object_set_new(out, "url", json_string(in->url));
	return out;
}

static json_t *
write_subscription(const struct subscription *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "order_id", json_string(in->order_id));
	json_object_set_new(out, "total_cents", json_integer(in->total_cents));
	json_object_set_new(out, "plan", json_string(in->plan));
	json_object_set_new(out, "starts_at", json_time(&in->starts_at));
	json_object_set_new(out, "months", json_integer(in->months));
	json_object_set_new(out, "renews", json_boolean(in->renews));
	return out;
}

static json_t *
write_refund(const struct refund *in)
{
	json_t *out = json_object();

	json_object_set_new(out, "order_id", json_string(in->order_id));
	json_object_set_new(out, "total_cents", json_integer(in->total_cents));
	json_object_set_new(out, "share", json_real(in->share));
	json_object_set_new(out, "reason", json_string(in->reason));
	return out;
}

static json_t *
write_any_order(const struct any_order *in)
{
	switch (in->kind) {
	case ORDER_GOODS:
		return write_goods(&in->order.goods);
	case ORDER_DOWNLOAD:
		return write_download(&in->order.download);
	case ORDER_SUBSCRIPTION:
		return write_subscription(&in->order.subscription);
	default:
		return write_refund(&in->order.refund);
	}
}

static json_t *
write_mixed_orders(const struct mixed_orders *in)
{
	json_t *out = json_object(), *orders = json_array();

	json_object_set_new(out, "list_id", json_string(in->list_id));
	for (size_t i = 0; i < in->orders_count; i++) {
		json_t *order = json_object();
		json_object_set_new(order, "kind",
				    json_string(order_kinds[in->orders[i].kind].name));
		json_object_set_new(order, "order", write_any_order(&in->orders[i]));
		json_array_append_new(orders, order);
	}
	json_object_set_new(out, "orders", orders);
	return out;
}

static json_t *
write_catalog(const struct catalog *in)
{
	json_t *out = json_object(), *articles = json_object();
	json_t *stock = json_object(), *rates = json_object();

	json_object_set_new(out, "catalog_id", json_string(in->catalog_id));
	for (size_t i = 0; i < in->articles_count; i++) {
		json_t *article = json_object();
		json_object_set_new(article, "title", json_string(in->articles[i].title));
		json_object_set_new(article, "unit_cents",
				    json_integer(in->articles[i].unit_cents));
		json_object_set_new(article, "weight", json_real(in->articles[i].weight));
		json_object_set_new(article, "active", json_boolean(in->articles[i].active));
		json_object_set_new(articles, in->articles[i].sku, article);
	}
	for (size_t i = 0; i < in->stock_count; i++)
		json_object_set_new(stock, in->stock[i].sku, json_integer(in->stock[i].count));
	for (size_t i = 0; i < in->rates_count; i++)
		json_object_set_new(rates, in->rates[i].name, json_real(in->rates[i].rate));
	json_object_set_new(out, "articles", articles);
	json_object_set_new(out, "stock", stock);
	json_object_set_new(out, "rates", rates);
	return out;
}

/* The events. */

#define EVENT_FUNCTIONS(PAYLOAD)                                                                   \
	static void read_##PAYLOAD##_event(const json_t *in)                                       \
	{                                                                                          \
		event.PAYLOAD.event_type = string(in, "event_type");                               \
		event.PAYLOAD.timestamp = point_in_time(in, "timestamp");                          \
		event.PAYLOAD.metadata = map(in, "metadata");                                      \
		read_##PAYLOAD(member(in, "payload"), &event.PAYLOAD.payload);                     \
	}                                                                                          \
                                                                                                   \
	static json_t *write_##PAYLOAD##_event(void)                                               \
	{                                                                                          \
		json_t *out = json_object();                                                       \
                                                                                                   \
		json_object_set_new(out, "event_type", json_string(event.PAYLOAD.event_type));     \
		json_object_set_new(out, "timestamp", json_time(&event.PAYLOAD.timestamp));        \
		json_object_set_new(out, "payload", write_##PAYLOAD(&event.PAYLOAD.payload));      \
		json_object_set_new(out, "metadata", json_map(&event.PAYLOAD.metadata));           \
		return out;                                                                        \
	}

EVENT_LIST(EVENT_FUNCTIONS)

static void (*read_event)(const json_t *in);
static json_t *(*write_event)(void);

static void
decode(const struct document *document)
{
	json_error_t error;

	json_decref(tree);
	tree = json_loadb(document->data, document->bytes, 0, &error);
	if (!tree)
		peer_fail("%s", error.text);
	read_event(tree);
}

static void
encode(void)
{
	json_t *out = write_event();

	free(encoded);
	encoded = json_dumps(out, JSON_COMPACT);
	json_decref(out);
	if (!encoded)
		peer_fail("cannot be encoded");
}

void
peer_open(const struct peer_arguments *arguments)
{
	is_encode = arguments->encode;
#define FIND(PAYLOAD)                                                                              \
	if (strcmp(arguments->type, #PAYLOAD) == 0) {                                              \
		schema = &PAYLOAD##_event_schema;                                                  \
		read_event = read_##PAYLOAD##_event;                                               \
		write_event = write_##PAYLOAD##_event;                                             \
	}
	EVENT_LIST(FIND)
#undef FIND
	if (!schema)
		peer_fail("no type %s", arguments->type);
	if (is_encode)
		decode(&arguments->documents[0]);
}

void
peer_event(const struct document *document)
{
	if (is_encode)
		encode();
	else
		decode(document);
}

void
peer_check(const struct document *document)
{
	peer_event(document);
	if (is_encode)
		puts(encoded);
	else
		events_dump(schema, &event);
}
