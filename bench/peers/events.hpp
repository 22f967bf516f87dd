/*
 * The events of the cases as C++ structs of string_views and vectors, their members by name, and
 * their dump: for the peers in C++. bench/documents.py has the same types in the same order.
 */
#ifndef BENCH_EVENTS_HPP
#define BENCH_EVENTS_HPP

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "peer.h"

using std::string_view;

namespace
{

struct point_in_time {
	int64_t seconds;
	int32_t nanoseconds;
	int16_t offset_minutes;
};

struct user_created {
	string_view user_id, username;
};

struct customer {
	int64_t id;
	string_view name, email;
};

struct address {
	string_view street, city, postcode, country;
};

struct order_line {
	string_view sku, title;
	int32_t quantity;
	int64_t unit_cents;
	bool gift;
};

struct order_placed {
	string_view order_id;
	point_in_time placed_at;
	string_view currency;
	int64_t total_cents;
	bool paid;
	struct customer customer;
	address ship_to;
	std::vector<order_line> lines;
	string_view note;
};

struct position {
	double latitude, longitude, altitude;
};

struct telemetry {
	string_view device;
	uint64_t sequence;
	int64_t uptime_ms;
	double battery;
	struct position position;
	std::vector<double> readings;
	std::vector<int64_t> counters;
};

struct comment {
	string_view author, text;
};

struct article {
	string_view article_id, title, author, body;
	std::vector<string_view> tags;
	std::vector<comment> comments;
};

struct item {
	int64_t id;
	string_view sku;
	int32_t quantity;
	double price, weight;
	bool active;
};

struct batch {
	string_view batch_id;
	std::vector<item> items;
};

struct goods {
	string_view order_id;
	int64_t total_cents;
	string_view sku;
	int32_t quantity;
	bool gift;
	string_view city, country;
};

struct download {
	string_view order_id;
	int64_t total_cents;
	string_view title;
	int32_t licences;
	string_view url;
};

struct subscription {
	string_view order_id;
	int64_t total_cents;
	string_view plan;
	point_in_time starts_at;
	int32_t months;
	bool renews;
};

struct refund {
	string_view order_id;
	int64_t total_cents;
	double share;
	string_view reason;
};

using any_order = std::variant<goods, download, subscription, refund>;

struct mixed_orders {
	string_view list_id;
	std::vector<any_order> orders;
};

struct article_entry {
	string_view title;
	int64_t unit_cents;
	double weight;
	bool active;
};

/* A map: in the order of the document, and not searched for duplicate names. */
template <typename T> using entries = std::vector<std::pair<string_view, T>>;

struct catalog {
	string_view catalog_id;
	entries<article_entry> articles;
	entries<int64_t> stock;
	entries<double> rates;
};

struct integers {
	string_view series_id;
	std::vector<int64_t> values;
};

struct doubles {
	string_view series_id;
	std::vector<double> values;
};

struct strings {
	string_view list_id;
	std::vector<string_view> texts;
};

struct account {
	string_view login;
	int64_t id;
};

struct branch {
	string_view ref, sha;
};

struct pull_request {
	int64_t id;
	string_view title, body;
	bool draft;
	point_in_time created_at;
	account user;
	branch head, base;
	int64_t additions, deletions;
};

struct repository {
	int64_t id;
	string_view full_name;
	bool is_private;
};

struct pull_request_event {
	string_view action;
	int64_t number;
	struct pull_request pull_request;
	struct repository repository;
	account sender;
};

struct record {
	int64_t id;
	string_view name;
	double score;
	bool active;
};

struct mixture {
	std::vector<int64_t> integers;
	std::vector<double> doubles;
	std::vector<string_view> strings;
	std::vector<record> records;
};

template <typename Payload> struct event {
	string_view event_type;
	point_in_time timestamp;
	Payload payload;
	entries<string_view> metadata;
};

/* The members of each struct: each(f) calls f(name, member) for all of them. */
template <typename F>
void
each(user_created &v, F &&f)
{
	f("user_id", v.user_id);
	f("username", v.username);
}

template <typename F>
void
each(customer &v, F &&f)
{
	f("id", v.id);
	f("name", v.name);
	f("email", v.email);
}

template <typename F>
void
each(address &v, F &&f)
{
	f("street", v.street);
	f("city", v.city);
	f("postcode", v.postcode);
	f("country", v.country);
}

template <typename F>
void
each(order_line &v, F &&f)
{
	f("sku", v.sku);
	f("title", v.title);
	f("quantity", v.quantity);
	f("unit_cents", v.unit_cents);
	f("gift", v.gift);
}

template <typename F>
void
each(order_placed &v, F &&f)
{
	f("order_id", v.order_id);
	f("placed_at", v.placed_at);
	f("currency", v.currency);
	f("total_cents", v.total_cents);
	f("paid", v.paid);
	f("customer", v.customer);
	f("ship_to", v.ship_to);
	f("lines", v.lines);
	f("note", v.note);
}

template <typename F>
void
each(position &v, F &&f)
{
	f("latitude", v.latitude);
	f("longitude", v.longitude);
	f("altitude", v.altitude);
}

template <typename F>
void
each(telemetry &v, F &&f)
{
	f("device", v.device);
	f("sequence", v.sequence);
	f("uptime_ms", v.uptime_ms);
	f("battery", v.battery);
	f("position", v.position);
	f("readings", v.readings);
	f("counters", v.counters);
}

template <typename F>
void
each(comment &v, F &&f)
{
	f("author", v.author);
	f("text", v.text);
}

template <typename F>
void
each(article &v, F &&f)
{
	f("article_id", v.article_id);
	f("title", v.title);
	f("author", v.author);
	f("body", v.body);
	f("tags", v.tags);
	f("comments", v.comments);
}

template <typename F>
void
each(item &v, F &&f)
{
	f("id", v.id);
	f("sku", v.sku);
	f("quantity", v.quantity);
	f("price", v.price);
	f("weight", v.weight);
	f("active", v.active);
}

template <typename F>
void
each(batch &v, F &&f)
{
	f("batch_id", v.batch_id);
	f("items", v.items);
}

template <typename F>
void
each(goods &v, F &&f)
{
	f("order_id", v.order_id);
	f("total_cents", v.total_cents);
	f("sku", v.sku);
	f("quantity", v.quantity);
	f("gift", v.gift);
	f("city", v.city);
	f("country", v.country);
}

template <typename F>
void
each(download &v, F &&f)
{
	f("order_id", v.order_id);
	f("total_cents", v.total_cents);
	f("title", v.title);
	f("licences", v.licences);
	f("url", v.url);
}

template <typename F>
void
each(subscription &v, F &&f)
{
	f("order_id", v.order_id);
	f("total_cents", v.total_cents);
	f("plan", v.plan);
	f("starts_at", v.starts_at);
	f("months", v.months);
	f("renews", v.renews);
}

template <typename F>
void
each(refund &v, F &&f)
{
	f("order_id", v.order_id);
	f("total_cents", v.total_cents);
	f("share", v.share);
	f("reason", v.reason);
}

template <typename F>
void
each(mixed_orders &v, F &&f)
{
	f("list_id", v.list_id);
	f("orders", v.orders);
}

template <typename F>
void
each(article_entry &v, F &&f)
{
	f("title", v.title);
	f("unit_cents", v.unit_cents);
	f("weight", v.weight);
	f("active", v.active);
}

template <typename F>
void
each(catalog &v, F &&f)
{
	f("catalog_id", v.catalog_id);
	f("articles", v.articles);
	f("stock", v.stock);
	f("rates", v.rates);
}

template <typename F>
void
each(integers &v, F &&f)
{
	f("series_id", v.series_id);
	f("values", v.values);
}

template <typename F>
void
each(doubles &v, F &&f)
{
	f("series_id", v.series_id);
	f("values", v.values);
}

template <typename F>
void
each(strings &v, F &&f)
{
	f("list_id", v.list_id);
	f("texts", v.texts);
}

template <typename F>
void
each(account &v, F &&f)
{
	f("login", v.login);
	f("id", v.id);
}

template <typename F>
void
each(branch &v, F &&f)
{
	f("ref", v.ref);
	f("sha", v.sha);
}

template <typename F>
void
each(pull_request &v, F &&f)
{
	f("id", v.id);
	f("title", v.title);
	f("body", v.body);
	f("draft", v.draft);
	f("created_at", v.created_at);
	f("user", v.user);
	f("head", v.head);
	f("base", v.base);
	f("additions", v.additions);
	f("deletions", v.deletions);
}

template <typename F>
void
each(repository &v, F &&f)
{
	f("id", v.id);
	f("full_name", v.full_name);
	f("private", v.is_private);
}

template <typename F>
void
each(pull_request_event &v, F &&f)
{
	f("action", v.action);
	f("number", v.number);
	f("pull_request", v.pull_request);
	f("repository", v.repository);
	f("sender", v.sender);
}

template <typename F>
void
each(record &v, F &&f)
{
	f("id", v.id);
	f("name", v.name);
	f("score", v.score);
	f("active", v.active);
}

template <typename F>
void
each(mixture &v, F &&f)
{
	f("integers", v.integers);
	f("doubles", v.doubles);
	f("strings", v.strings);
	f("records", v.records);
}

template <typename Payload, typename F>
void
each(event<Payload> &v, F &&f)
{
	f("event_type", v.event_type);
	f("timestamp", v.timestamp);
	f("payload", v.payload);
	f("metadata", v.metadata);
}

/* The dump, as bench/documents.py has it. */
void
dump(string_view &text)
{
	putchar('s');
	for (char c : text)
		printf("%02x", static_cast<unsigned char>(c));
	putchar('\n');
}

void
dump(int32_t &value)
{
	printf("i%d\n", value);
}

void
dump(int64_t &value)
{
	printf("i%lld\n", static_cast<long long>(value));
}

void
dump(uint64_t &value)
{
	printf("i%llu\n", static_cast<unsigned long long>(value));
}

void
dump(bool &value)
{
	printf("b%d\n", value);
}

void
dump(double &value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	printf("d%016llx\n", static_cast<unsigned long long>(bits));
}

void
dump(point_in_time &value)
{
	printf("t%lld %d %d\n", static_cast<long long>(value.seconds), value.nanoseconds,
	       value.offset_minutes);
}

template <typename T> void dump(T &value);

void
dump(any_order &value)
{
	static const char *const kinds[] = {"goods", "download", "subscription", "refund"};
	string_view kind = kinds[value.index()];

	dump(kind);
	std::visit([](auto &order) { dump(order); }, value);
}

/* Maps are dumped sorted by name, as not every peer keeps the order of the document. */
template <typename T>
void
dump(entries<T> &values)
{
	std::sort(values.begin(), values.end(),
		  [](const auto &a, const auto &b) { return a.first < b.first; });
	printf("n%zu\n", values.size());
	for (auto &value : values) {
		dump(value.first);
		dump(value.second);
	}
}

template <typename T>
void
dump(std::vector<T> &values)
{
	printf("n%zu\n", values.size());
	for (T &value : values)
		dump(value);
}

template <typename T>
void
dump(T &value)
{
	each(value, [](const char *, auto &member) { dump(member); });
}

/* Calls use(event of the type). */
template <typename F>
void
with_type(string_view type, F &&use)
{
	if (type == "user_created")
		use(event<user_created>());
	else if (type == "order_placed")
		use(event<order_placed>());
	else if (type == "telemetry")
		use(event<telemetry>());
	else if (type == "article")
		use(event<article>());
	else if (type == "batch")
		use(event<batch>());
	else if (type == "mixed_orders")
		use(event<mixed_orders>());
	else if (type == "catalog")
		use(event<catalog>());
	else if (type == "integers")
		use(event<integers>());
	else if (type == "doubles")
		use(event<doubles>());
	else if (type == "strings")
		use(event<strings>());
	else if (type == "pull_request_event")
		use(event<pull_request_event>());
	else if (type == "mixture")
		use(event<mixture>());
	else
		peer_fail("no type %.*s", static_cast<int>(type.size()), type.data());
}

} // namespace

#endif
