/*
 * simdjson On-Demand, straight into structs of string_views and vectors that keep their memory from
 * event to event; no copy of the document is needed, it has the padding. Two variants: "lookup"
 * asks for each member by name, which is fastest when they come in the expected order; "iterate"
 * goes through the members as they come and compares names, which is fastest when they do not.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <simdjson.h>

#include "peer.h"
#include "rfc3339.h"

using namespace simdjson;
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

template <typename Payload, typename F>
void
each(event<Payload> &v, F &&f)
{
	f("event_type", v.event_type);
	f("timestamp", v.timestamp);
	f("payload", v.payload);
	f("metadata", v.metadata);
}

/* Values. Lookup says which of the two variants. */
template <bool Lookup> struct reader {
	static void read(ondemand::value value, string_view &out)
	{
		out = value.get_string();
	}
	static void read(ondemand::value value, int64_t &out)
	{
		out = value.get_int64();
	}
	static void read(ondemand::value value, uint64_t &out)
	{
		out = value.get_uint64();
	}
	static void read(ondemand::value value, double &out)
	{
		out = value.get_double();
	}
	static void read(ondemand::value value, bool &out)
	{
		out = value.get_bool();
	}

	static void read(ondemand::value value, int32_t &out)
	{
		int64_t wide = value.get_int64();

		if (wide < std::numeric_limits<int32_t>::min() ||
		    wide > std::numeric_limits<int32_t>::max())
			throw simdjson_error(NUMBER_OUT_OF_RANGE);
		out = static_cast<int32_t>(wide);
	}

	static void read(ondemand::value value, point_in_time &out)
	{
		string_view text = value.get_string();

		if (!rfc3339_parse(text.data(), text.size(), &out.seconds, &out.nanoseconds,
				   &out.offset_minutes))
			throw simdjson_error(INCORRECT_TYPE);
	}

	/* The kind of an order comes before the order in the documents; a reader that takes them
	 * in any order would be slower. */
	static void read(ondemand::value value, any_order &out)
	{
		ondemand::object object = value.get_object();
		string_view kind = object.find_field("kind").get_string();
		ondemand::value order = object.find_field("order").value();

		if (kind == "goods")
			read(order, out.emplace<goods>());
		else if (kind == "download")
			read(order, out.emplace<download>());
		else if (kind == "subscription")
			read(order, out.emplace<subscription>());
		else if (kind == "refund")
			read(order, out.emplace<refund>());
		else
			throw simdjson_error(INCORRECT_TYPE);
	}

	template <typename T> static void read(ondemand::value value, entries<T> &out)
	{
		out.clear();
		for (auto field : value.get_object()) {
			auto &entry = out.emplace_back();
			entry.first = field.unescaped_key();
			read(field.value().value(), entry.second);
		}
	}

	template <typename T> static void read(ondemand::value value, std::vector<T> &out)
	{
		out.clear();
		for (ondemand::value element : value.get_array())
			read(element, out.emplace_back());
	}

	template <typename T> static void read(ondemand::value value, T &out)
	{
		ondemand::object object = value.get_object();
		read_members(object, out);
	}

	template <typename T> static void read_members(ondemand::object &object, T &out)
	{
		if constexpr (Lookup) {
			each(out, [&](const char *name, auto &member) {
				read(object.find_field_unordered(name).value(), member);
			});
		} else {
			unsigned found = 0, expected = 0;
			for (auto field : object) {
				auto key = field.key();
				ondemand::value value = field.value();
				bool done = false;
				each(out, [&](const char *name, auto &member) {
					if (!done && key.value_unsafe() == name) {
						read(value, member);
						found++;
						done = true;
					}
				});
			}
			each(out, [&](const char *, auto &) { expected++; });
			if (found != expected)
				throw simdjson_error(NO_SUCH_FIELD);
		}
	}
};

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

/* The peer. */
ondemand::parser parser;

template <typename Payload> event<Payload> current;

template <typename Payload, bool Lookup>
void
decode(const struct document *document)
{
	try {
		ondemand::document root = parser.iterate(document->data, document->bytes,
							 document->bytes + SIMDJSON_PADDING);
		ondemand::object object = root.get_object();
		reader<Lookup>::read_members(object, current<Payload>);
		if (!Lookup && root.current_location().error() != OUT_OF_BOUNDS)
			throw simdjson_error(TRAILING_CONTENT);
	} catch (const simdjson_error &error) {
		peer_fail("simdjson: %s", error.what());
	}
}

void (*decode_current)(const struct document *document);
void (*dump_current)();

template <typename Payload>
void
choose(bool lookup)
{
	decode_current = lookup ? decode<Payload, true> : decode<Payload, false>;
	dump_current = [] { dump(current<Payload>); };
}

} // namespace

void
peer_open(const struct peer_arguments *arguments)
{
	bool lookup = strcmp(arguments->variant, "lookup") == 0;
	string_view type = arguments->type;

	if (arguments->encode)
		peer_fail("this simdjson cannot encode");
	if (type == "user_created")
		choose<user_created>(lookup);
	else if (type == "order_placed")
		choose<order_placed>(lookup);
	else if (type == "telemetry")
		choose<telemetry>(lookup);
	else if (type == "article")
		choose<article>(lookup);
	else if (type == "batch")
		choose<batch>(lookup);
	else if (type == "mixed_orders")
		choose<mixed_orders>(lookup);
	else if (type == "catalog")
		choose<catalog>(lookup);
	else
		peer_fail("no type %s", arguments->type);
}

void
peer_event(const struct document *document)
{
	decode_current(document);
}

void
peer_check(const struct document *document)
{
	decode_current(document);
	dump_current();
}
