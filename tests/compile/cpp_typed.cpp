/*
 * herald.hpp: tables, functions of all forms, handlers, exceptions, who owns what, and raw JSON.
 * Prints TAP.
 */
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <herald/herald.hpp>

#include "cpp_schema.h"

namespace
{

/* What ran, and in which order. */
std::string trace;

int failures = 0, cases = 0;

#define CHECK(...) expect((__VA_ARGS__), #__VA_ARGS__, __LINE__)
bool
expect(bool holds, const char *text, int line)
{
	if (!holds) {
		std::printf("# line %d: %s; trace \"%s\"\n", line, text, trace.c_str());
		failures++;
	}
	return holds;
}

void
test(const char *name, void function())
{
	const int before = failures;

	trace.clear();
	function();
	std::printf("%s %d - %s\n", failures == before ? "ok" : "not ok", ++cases, name);
}

std::string
event(const std::string &type, const std::string &payload, const std::string &version = "")
{
	return "{\"event_type\":\"" + type + "\",\"timestamp\":\"2024-08-20T05:21:19Z\"," +
	       (version.empty() ? "" : "\"metadata\":{\"version\":\"" + version + "\"},") +
	       "\"payload\":" + payload + "}";
}

/* Payloads of C++. */

struct line {
	const char *sku;
	std::int32_t quantity;
};

enum class size { small, large, other };
/* Not const: such names are taken, too. */
herald_name sizes[] = {{"small", static_cast<int>(size::small)},
		       {"large", static_cast<int>(size::large)}};

struct order {
	herald::text id;
	herald::list<line> lines;
	herald::list<std::int64_t> codes;
	herald::list<const char *> tags;
	herald::list<size> sizes;
	herald::json extra;
};

const herald::schema<line> line_schema{
	"line",
	herald::field("sku", &line::sku).required(),
	herald::field("quantity", &line::quantity).range(1, 999),
};

const herald::schema<order> order_schema{
	"order",
	herald::field("id", &order::id).required().min_bytes(1),
	herald::field("lines", &order::lines, line_schema).max_count(3),
	herald::field("codes", &order::codes),
	herald::field("tags", &order::tags),
	herald::field("sizes", &order::sizes, sizes).unknown(size::other),
	herald::field("extra", &order::extra),
};

struct node {
	const char *name;
	const node *next;
	herald::list<node> children;
};

extern const herald::schema<node> node_schema;
const herald::schema<node> node_schema{
	"node",
	herald::field("name", &node::name),
	herald::field("next", &node::next, node_schema),
	herald::field("children", &node::children, node_schema),
};

struct price {
	const char *sku;
	std::int64_t cents;
};

const herald::schema<price> price_schema{
	herald::transparent("price"),
	herald::key("sku", &price::sku),
	herald::field("cents", &price::cents),
};

struct shelf {
	double xy[2];
	line corners[2];
	herald::list<price> prices;
};

const herald::schema<shelf> shelf_schema{
	"shelf",
	herald::field("xy", &shelf::xy),
	herald::field("corners", &shelf::corners, line_schema),
	herald::map_field("prices", &shelf::prices, price_schema).max_count(2),
};

struct badge {
	const char *kind;
	union {
		line named;
		herald::json other;
	};
};

const herald::schema<badge> badge_schema{
	"badge",
	herald::field("kind", &badge::kind).required(),
	herald::field("line", &badge::named, line_schema).when("kind", "line").flat(),
	herald::field("other", &badge::other).when_other("kind"),
};

/* A union with a name: every kind of member that field() takes. */
struct figure {
	union bodies {
		line named;
		const line *pointed;
		herald::list<std::int64_t> codes;
		herald::list<size> sizes;
		herald::list<node> nodes;
		size one_size;
		double xy[2];
		const char *text;
		herald::json other;
	};

	std::int64_t before;
	bodies body;
	const char *kind;
};

const herald::schema<figure> figure_schema{
	"figure",
	herald::field("before", &figure::before),
	herald::variant("the body", &figure::body, &figure::kind,
			herald::when("line", &figure::bodies::named, line_schema),
			herald::when("pointed", &figure::bodies::pointed, line_schema),
			herald::when("codes", &figure::bodies::codes),
			herald::when("sizes", &figure::bodies::sizes, sizes),
			herald::when("nodes", &figure::bodies::nodes, node_schema),
			herald::when("size", &figure::bodies::one_size, sizes),
			herald::when("xy", &figure::bodies::xy),
			herald::when("te\"xt", &figure::bodies::text),
			herald::when_other(&figure::bodies::other))
		.doc("B")
		.required(),
	herald::field("kind", &figure::kind).required(),
};

/* Cases that are lines with options. */
struct goods {
	union bodies {
		herald::list<price> prices;
		double weight;
		const char *grade;
	};

	const char *kind;
	bodies body;
	const void *label;
};

const herald::schema<goods> goods_schema{
	"goods",
	herald::variant(
		"body", &goods::body, &goods::kind,
		herald::when(
			"prices",
			herald::map_field("", &goods::bodies::prices, price_schema).max_count(2)),
		herald::when("weight", herald::field("x", &goods::bodies::weight).min(0)),
		herald::when_other(herald::field("", &goods::bodies::grade)
					   .one_of({"good", "bad"})
					   .min_bytes(1))),
	herald::variant("label", &goods::label, &goods::kind, herald::when("weight", line_schema),
			herald::when_other(node_schema)),
	herald::field("kind", &goods::kind).required(),
};

/* The tag is an enum, and the members are next to it. */
struct emblem {
	size kind;
	union bodies {
		line named;
		node tree;
	} body;
};

const herald::schema<emblem> emblem_schema{
	"emblem",
	herald::field("kind", &emblem::kind, sizes).required(),
	herald::variant("body", &emblem::body, &emblem::kind,
			herald::when("small", &emblem::bodies::named, line_schema),
			herald::when("large", &emblem::bodies::tree, node_schema))
		.flat(),
};

const herald_name shades[] = {{"light", SHADE_LIGHT}, {"dark", SHADE_DARK}};
constexpr auto leaf_of_c = herald::schema_of<leaf>(leaf_schema);

const herald::schema<kinds> kinds_of_cpp{
	herald::schema_options("kinds", "All.", true),
	herald::field("boolean", &kinds::boolean),
	herald::field("int8", &kinds::int8),
	herald::field("int16", &kinds::int16),
	herald::field("int32", &kinds::int32).range(-5, 5),
	herald::field("int64", &kinds::int64),
	herald::field("uint8", &kinds::uint8).max(9),
	herald::field("uint16", &kinds::uint16),
	herald::field("uint32", &kinds::uint32),
	herald::field("uint64", &kinds::uint64),
	herald::field("longest", &kinds::longest),
	herald::field("real32", &kinds::real32),
	herald::field("real64", &kinds::real64).min(0.5L),
	herald::field("string", &kinds::string).required().min_bytes(1).max_bytes(9).doc("S"),
	herald::field("writable", &kinds::writable).one_of({"a", "b"}),
	herald::field("chars", &kinds::chars),
	herald::field("text", &kinds::text),
	herald::field("time", &kinds::time),
	herald::field("json", &kinds::json),
	herald::field("map", &kinds::map).max_count(3),
	herald::field("json_map", &kinds::json_map),
	herald::field("shade", &kinds::shade, shades),
	herald::field("leaf", &kinds::leaf, leaf_of_c),
	herald::field("pointer", &kinds::pointer, leaf_of_c),
	herald::list_field("list", &kinds::list, &kinds::list_count, leaf_of_c).min_count(1),
	herald::list_field("values", &kinds::values, &kinds::values_count)
		.set(&herald_field::max_count, 5),
	herald::list_field("strings", &kinds::strings, &kinds::strings_count),
	herald::optional("maybe", &kinds::maybe, &kinds::has_maybe),
	herald::optional("tint", &kinds::tint, &kinds::has_tint, shades)
		.numeric()
		.unknown(SHADE_DARK),
	herald::list_field("shades", &kinds::shades, &kinds::shades_count, shades).max_count(2),
	herald::field("quoted", &kinds::quoted).quoted().lenient(),
	herald::field("numeric", &kinds::numeric).numeric(),
	herald::field("since", &kinds::since).epoch(HERALD_EPOCH_SECONDS),
	herald::ignored("secret", &kinds::secret),
};

const herald::schema<entry> entry_of_cpp{
	herald::transparent("entry"),
	herald::key("name", &entry::name),
	herald::field("value", &entry::value),
};

const herald::schema<collections> collections_of_cpp{
	"collections",
	herald::field("xy", &collections::xy),
	herald::optional("uv", &collections::uv, &collections::has_uv).max(9),
	herald::field("nullable", &collections::nullable).nullable(),
	herald::field("leaves", &collections::leaves, leaf_of_c).required(),
	herald::map_field("entries", &collections::entries, &collections::entries_count,
			  herald::schema_of<entry>(entry_schema))
		.max_count(4),
	herald::list_field("writable", &collections::writable, &collections::writable_count,
			   leaf_of_c),
	herald::list_field("numbers", &collections::numbers, &collections::numbers_count),
	herald::list_field("strings", &collections::strings, &collections::strings_count),
	herald::list_field("shades", &collections::shades, &collections::shades_count, shades),
};

const herald::schema<tagged> tagged_of_cpp{
	"tagged",
	herald::variant("body", &tagged::body, &tagged::shade,
			herald::when("light", &bodies::leaf, leaf_of_c),
			herald::when_other(&bodies::other)),
	herald::field("shade", &tagged::shade, shades).required(),
	herald::variant("required", &tagged::required, &tagged::shade,
			herald::when("light", &numbers::pointed, leaf_of_c),
			herald::when("dark", herald::field("", &numbers::number)))
		.required()
		.doc("R"),
	herald::variant("flat", &tagged::flat, &tagged::shade,
			herald::when("light", &next_to::leaf, leaf_of_c))
		.flat(),
	herald::variant("pointer", &tagged::pointer, &tagged::shade,
			herald::when("light", leaf_of_c), herald::when_other(leaf_of_c)),
	herald::variant("required_pointer", &tagged::required_pointer, &tagged::shade,
			herald::when("dark", leaf_of_c))
		.required(),
	herald::field("light_number", &tagged::light_number).when("shade", "light"),
	herald::field("any_text", &tagged::any_text).when_other("shade"),
};

/* NOLINTNEXTLINE(cert-err58-cpp): what a check throws, it throws when it is called */
const herald::schema<ruled> ruled_of_cpp{
	herald::no_padding("ruled"), herald::field("from", &ruled::from),
	herald::field("to", &ruled::to),
	herald::check<ruled>([](const ruled &ruled, herald_refusal *refusal) {
		return ruled.from <= ruled.to || herald_refuse(refusal, "to", "is less than %d",
							       static_cast<int>(ruled.from));
	})};

bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && std::strcmp(a, b) == 0);
}

bool
same_bound(const herald_bound &a, const herald_bound &b)
{
	return a.is_set == b.is_set && (!a.is_set || !(a.value < b.value || a.value > b.value));
}

bool
same_names(const herald_field &a, const herald_field &b)
{
	if (a.names_count != b.names_count)
		return false;
	for (std::size_t i = 0; i < a.names_count; i++)
		if (!same_text(a.names[i].name, b.names[i].name) ||
		    a.names[i].value != b.names[i].value)
			return false;
	return true;
}

bool
same_one_of(const char *const *a, const char *const *b)
{
	if (!a || !b)
		return a == b;
	for (; *a && *b; a++, b++)
		if (!same_text(*a, *b))
			return false;
	return *a == *b;
}

/* All members of a line, except inner_bytes: the macros of C know that the struct is the right
 * one. */
bool
same_line(const herald_field &a, const herald_field &b)
{
	return same_text(a.owner, b.owner) && same_text(a.name, b.name) && a.kind == b.kind &&
	       a.element == b.element && a.offset == b.offset && a.bytes == b.bytes &&
	       a.optional == b.optional && a.has_offset == b.has_offset &&
	       a.count_offset == b.count_offset && a.schema == b.schema && same_names(a, b) &&
	       same_text(a.key, b.key) && same_text(a.doc, b.doc) && a.required == b.required &&
	       same_bound(a.lower_bound, b.lower_bound) &&
	       same_bound(a.upper_bound, b.upper_bound) && a.min_bytes == b.min_bytes &&
	       a.max_bytes == b.max_bytes && a.min_count == b.min_count &&
	       a.max_count == b.max_count && same_one_of(a.one_of, b.one_of) &&
	       a.nullable == b.nullable && same_text(a.tag, b.tag) && same_text(a.when, b.when) &&
	       a.flat == b.flat && a.quoted == b.quoted && a.numeric == b.numeric &&
	       a.epoch == b.epoch && a.unknown.is_set == b.unknown.is_set &&
	       a.unknown.value == b.unknown.value && a.lenient == b.lenient;
}

void
expect_same_table(const herald_schema &cpp, const herald_schema &c)
{
	CHECK(same_text(cpp.name, c.name) && same_text(cpp.doc, c.doc));
	CHECK(cpp.bytes == c.bytes && cpp.alignment == c.alignment);
	CHECK(cpp.reject_unknown == c.reject_unknown && cpp.transparent == c.transparent);
	CHECK(cpp.no_padding == c.no_padding && !cpp.check == !c.check);
	CHECK(!c.check || same_text(cpp.check->owner, c.check->owner));
	if (!CHECK(cpp.fields_count == c.fields_count))
		return;
	for (std::size_t i = 0; i < c.fields_count; i++) {
		if (!CHECK(same_line(cpp.fields[i], c.fields[i])))
			std::printf("# %s.%s, line %zu\n", c.name, c.fields[i].name, i);
	}
}

/* Both tables make a codec, too. */
void
expect_codec(const herald_schema &schema)
{
	herald_codec *codec = nullptr;
	herald_error error{};

	if (!CHECK(herald_codec_create(&schema, nullptr, nullptr, &codec, &error) == HERALD_OK))
		std::printf("# %s: %s\n", error.path, error.message);
	herald_codec_destroy(codec);
}

void
tables_are_equal()
{
	const std::pair<const herald_schema *, const herald_schema *> tables[] = {
		{&kinds_of_cpp.get(), &kinds_schema},
		{&entry_of_cpp.get(), &entry_schema},
		{&collections_of_cpp.get(), &collections_schema},
		{&tagged_of_cpp.get(), &tagged_schema},
		{&ruled_of_cpp.get(), &ruled_schema},
	};

	for (const auto &[cpp, c] : tables) {
		expect_same_table(*cpp, *c);
		if (c == &entry_schema)
			continue; /* an element of a map only */
		expect_codec(*cpp);
		expect_codec(*c);
	}
}

/* Functions. */

herald_verdict
plain_function(herald::context &ctx, const order &order)
{
	trace += "plain(" + std::string(order.id.view()) + ")";
	return order.lines.empty() ? ctx.fail(409, "no lines") : HERALD_DONE;
}

struct shop {
	int orders = 0;

	herald_verdict on_order(herald::context &, const order &order)
	{
		orders += static_cast<int>(order.lines.size());
		return HERALD_DONE;
	}
	void on_line(const line &line)
	{
		orders += line.quantity;
	}
	herald_verdict on_constant(herald_context *ctx, const line &line) const
	{
		return herald_fail(ctx, "%d and %d", orders, static_cast<int>(line.quantity));
	}
	void on_noexcept(const line &) const noexcept
	{
		trace += "noexcept ";
	}
};

struct branch : shop {
};

void
functions_of_all_forms()
{
	shop shop;
	int sum = 0;
	herald::service_options options;
	const auto constant = [&sum](const line &line) { sum += line.quantity; };

	options.route("plain", order_schema, plain_function);
	options.route("lambda", order_schema, [&sum](herald::context &ctx, const order &order) {
		for (const line &line : order.lines)
			sum += line.quantity;
		for (const std::int64_t code : order.codes)
			sum += static_cast<int>(code);
		for (const char *tag : order.tags)
			trace += tag;
		for (const size size : order.sizes)
			trace += std::to_string(static_cast<int>(size));
		return sum > 0 ? HERALD_DONE : ctx.retry(std::chrono::seconds(2), "empty");
	});
	options.route("constant", line_schema, constant);
	options.route("c context", line_schema, [](herald_context *ctx, const line &line) {
		return herald_fail(ctx, "not %s", line.sku);
	});
	options.route("mutable", line_schema,
		      [count = 0](herald::context &ctx, const line &) mutable {
			      return ctx.fail(std::to_string(++count));
		      });
	options.route("member", order_schema, shop, &shop::on_order);
	options.route("member alone", line_schema, shop, &shop::on_line);
	branch branch;
	const struct shop &constant_shop = shop;
	options.route("member of base", line_schema, branch, &branch::on_line);
	options.route("constant member", line_schema, constant_shop, &shop::on_constant);
	options.route("noexcept member", line_schema, shop, &shop::on_noexcept);
	options.route("c schema", greeting_schema,
		      [](herald::context &ctx, const greeting &greeting) {
			      return ctx.fail(greeting.name);
		      });
	options.route("generic", line_schema,
		      [](auto &ctx, const auto &line) { return ctx.unauthorized(line.sku); });
	options.route("versions", line_schema, [](const line &) { trace += "any"; });
	options.route("versions", line_schema, [](const line &) { trace += "1.x"; }).version("1.x");
	herald::service service(std::move(options));

	const std::string order = "{\"id\":\"\\u0061\",\"lines\":[{\"sku\":\"x\",\"quantity\":2},"
				  "{\"sku\":\"y\",\"quantity\":3}],\"codes\":[10,20],\"tags\":"
				  "[\"t\",\"u\"],\"sizes\":[\"large\",\"odd\",\"small\"]}";
	CHECK(service.handle(event("plain", order)).verdict == HERALD_DONE);
	CHECK(service.handle(event("plain", "{\"id\":\"b\"}")).http_status == 409);
	CHECK(trace == "plain(a)plain(b)");
	const herald_result empty = service.handle(event("lambda", "{\"id\":\"b\"}"));
	CHECK(empty.verdict == HERALD_RETRY && empty.retry_after_ms == 2000);
	CHECK(service.handle(event("lambda", order)).verdict == HERALD_DONE && sum == 35);
	CHECK(trace == "plain(a)plain(b)tu120");
	const std::string line = "{\"sku\":\"s\",\"quantity\":4}";
	CHECK(service.handle(event("constant", line)).verdict == HERALD_DONE && sum == 39);
	CHECK(same_text(service.handle(event("c context", line)).error.message, "not s"));
	CHECK(same_text(service.handle(event("mutable", line)).error.message, "1"));
	CHECK(same_text(service.handle(event("mutable", line)).error.message, "2"));
	CHECK(service.handle(event("member", order)).verdict == HERALD_DONE && shop.orders == 2);
	CHECK(service.handle(event("member alone", line)).verdict == HERALD_DONE);
	CHECK(shop.orders == 6);
	CHECK(service.handle(event("member of base", line)).verdict == HERALD_DONE);
	CHECK(branch.orders == 4 && shop.orders == 6);
	CHECK(same_text(service.handle(event("constant member", line)).error.message, "6 and 4"));
	CHECK(service.handle(event("noexcept member", line)).verdict == HERALD_DONE);
	CHECK(same_text(
		service.handle(event("c schema", "{\"name\":\"Ada\",\"times\":1}")).error.message,
		"Ada"));
	CHECK(service.handle(event("generic", line)).status == HERALD_UNAUTHORIZED);
	trace.clear();
	CHECK(service.handle(event("versions", line, "1.7")).verdict == HERALD_DONE);
	CHECK(service.handle(event("versions", line, "2")).verdict == HERALD_DONE);
	CHECK(trace == "1.xany");
	const herald_result bad = service.handle(
		event("plain", "{\"id\":\"a\",\"lines\":[{\"sku\":\"x\",\"quantity\":0}]}"));
	CHECK(bad.status == HERALD_OUT_OF_RANGE &&
	      same_text(bad.error.path, "/payload/lines/0/quantity"));
}

void
a_schema_contains_itself()
{
	herald::service_options options;

	options.route("node", node_schema, [](const node &node) {
		trace += node.name;
		for (const auto *next = node.next; next; next = next->next)
			trace += next->name;
		trace += std::to_string(node.children.size());
	});
	herald::service service(std::move(options));
	CHECK(service.handle(event("node", "{\"name\":\"a\",\"next\":{\"name\":\"b\",\"next\":"
					   "{\"name\":\"c\"}},\"children\":[{},{}]}"))
		      .verdict == HERALD_DONE);
	CHECK(trace == "abc2");
}

void
arrays_maps_and_values()
{
	herald::service_options options;

	options.route("shelf", shelf_schema, [](herald::context &ctx, const shelf &shelf) {
		for (const price &price : shelf.prices)
			trace += price.sku + std::string("=") + std::to_string(price.cents) + " ";
		trace += shelf.corners[1].sku;
		return shelf.xy[0] < shelf.xy[1] ? HERALD_DONE : ctx.fail("order");
	});
	herald::service service(std::move(options));
	const std::string corners = "\"xy\":[1,2.5],\"corners\":[{\"sku\":\"a\",\"quantity\":1},"
				    "{\"sku\":\"b\",\"quantity\":2}]";

	CHECK(service.handle(event("shelf", "{" + corners + ",\"prices\":{\"y\":2,\"x\":1}}"))
		      .verdict == HERALD_DONE);
	CHECK(trace == "y=2 x=1 b");
	const herald_result bad =
		service.handle(event("shelf", "{" + corners + ",\"prices\":{\"y\":\"2\"}}"));
	CHECK(bad.status == HERALD_BAD_TYPE && same_text(bad.error.path, "/payload/prices/y"));
	CHECK(service.handle(event("shelf", "{\"xy\":[1]}")).status == HERALD_BAD_LENGTH);
}

void
unions_with_a_tag()
{
	herald::service_options options;

	options.route("badge", badge_schema, [](const badge &badge) {
		trace += std::string(badge.kind) + ":";
		trace += same_text(badge.kind, "line") ? badge.named.sku : badge.other.view();
		trace += " ";
	});
	herald::service service(std::move(options));
	CHECK(service.handle(event("badge", "{\"sku\":\"x\",\"quantity\":1,\"kind\":\"line\"}"))
		      .verdict == HERALD_DONE);
	CHECK(service.handle(event("badge", "{\"kind\":\"b\",\"other\":[1]}")).verdict ==
	      HERALD_DONE);
	CHECK(trace == "line:x b:[1] ");
	const herald_result bad = service.handle(event("badge", "{\"kind\":\"line\"}"));
	CHECK(bad.status == HERALD_MISSING && same_text(bad.error.path, "/payload/sku"));
}

/* Unions with a name. */

struct untagged {
	std::int64_t number;
	const char *kind, *other;
	emblem::bodies body;
	emblem::bodies second;
};

void
variants_are_lines()
{
	const herald_schema &c = figure_schema.get();
	herald::service_options options;

	CHECK(c.fields_count == 11);
	for (std::size_t i = 1; i < 10; i++) {
		const herald_field &field = c.fields[i];

		CHECK(same_text(field.name, "the body") && same_text(field.tag, "kind"));
		CHECK(same_text(field.owner, "figure") && same_text(field.doc, "B"));
		CHECK(field.required && !field.flat && field.offset == offsetof(figure, body));
	}
	CHECK(same_text(c.fields[8].when, "te\"xt") && c.fields[9].when == nullptr);
	CHECK(c.fields[3].count_offset == offsetof(figure, body) + sizeof(void *));

	options.route("figure", figure_schema, [](const figure &figure) {
		trace += figure.kind + std::to_string(figure.before) + figure.body.named.sku;
	});
	options.route("emblem", emblem_schema, [](const emblem &emblem) {
		trace += emblem.kind == size::large ? emblem.body.tree.name : "small";
	});
	herald::service service(std::move(options));
	CHECK(service.handle(event("figure", "{\"the body\":{\"sku\":\"x\",\"quantity\":1},"
					     "\"before\":3,\"kind\":\"line\"}"))
		      .verdict == HERALD_DONE);
	CHECK(service.handle(event("emblem", "{\"name\":\"n\",\"kind\":\"large\"}")).verdict ==
	      HERALD_DONE);
	CHECK(trace == "line3xn");
	const herald_result bad = service.handle(
		event("figure", "{\"the body\":{\"quantity\":1},\"kind\":\"pointed\"}"));
	CHECK(bad.status == HERALD_MISSING && same_text(bad.error.path, "/payload/the body/sku"));
	CHECK(service.handle(event("figure", "{\"kind\":\"xy\"}")).status == HERALD_MISSING);
}

void
cases_with_options()
{
	static const struct {
		const char *payload, *path;
		herald_status status;
	} bad[] = {
		{"\"kind\":\"prices\",\"body\":{\"a\":1,\"b\":2,\"c\":3}", "/payload/body",
		 HERALD_BAD_LENGTH},
		{"\"kind\":\"prices\",\"body\":{\"a\":1,\"a\":2}", "/payload/body/a",
		 HERALD_DUPLICATE},
		{"\"kind\":\"weight\",\"body\":-1", "/payload/body", HERALD_OUT_OF_RANGE},
		{"\"kind\":\"x\",\"body\":\"odd\"", "/payload/body", HERALD_BAD_VALUE},
		{"\"kind\":\"weight\",\"label\":{\"quantity\":0}", "/payload/label/quantity",
		 HERALD_OUT_OF_RANGE},
		{"\"kind\":\"x\",\"label\":{\"name\":0}", "/payload/label/name", HERALD_BAD_TYPE},
	};
	herald::service_options options;

	options.route("goods", goods_schema, [](const goods &goods) {
		if (same_text(goods.kind, "prices"))
			trace += goods.body.prices[0].sku;
		else if (same_text(goods.kind, "weight"))
			trace += static_cast<const line *>(goods.label)->sku;
		else
			trace += std::string(goods.body.grade) + (goods.label ? "?" : "");
	});
	herald::service service(std::move(options));
	for (const auto &[payload, path, status] : bad) {
		const auto result =
			service.handle(event("goods", std::string("{") + payload + "}"));

		if (!CHECK(result.status == status && same_text(result.error.path, path)))
			std::printf("# %s: %s: %s\n", payload, result.error.path,
				    result.error.message);
	}
	for (const char *good : {"\"body\":{\"tea\":1},\"kind\":\"prices\"",
				 "\"label\":{\"sku\":\" kg \"},\"kind\":\"weight\",\"body\":0",
				 "\"kind\":\"x\",\"body\":\"good\""})
		CHECK(service.handle(event("goods", std::string("{") + good + "}")).verdict ==
		      HERALD_DONE);
	CHECK(trace == "tea kg good");
}

/* What a table of C would be refused for. */
void
bad_variants_are_refused()
{
	const auto variant = [](const char *name, auto tag, auto member) {
		return herald::variant(name, member, tag,
				       herald::when("a", &emblem::bodies::named, line_schema),
				       herald::when("b", &emblem::bodies::tree, node_schema));
	};
	const herald::schema<untagged> two_tags{
		"untagged",
		herald::field("number", &untagged::number),
		herald::field("kind", &untagged::kind).required(),
		herald::field("other", &untagged::other).required(),
		variant("body", &untagged::kind, &untagged::body),
		variant("second", &untagged::other, &untagged::second)};
	/* What comes before a dot is not a part of the name. */
	const herald::schema<untagged> same_name{
		"untagged",
		herald::field("number", &untagged::number),
		herald::field("a.kind", &untagged::other).required(),
		herald::field("b.kind", &untagged::kind).required(),
		variant("body", &untagged::kind, &untagged::body),
		variant("second", &untagged::kind, &untagged::second)};
	const herald::schema<untagged> no_line{"untagged",
					       herald::field("number", &untagged::number),
					       herald::field("other", &untagged::other),
					       herald::ignored("second", &untagged::second),
					       variant("body", &untagged::kind, &untagged::body)};
	const herald::schema<untagged> not_required{
		"untagged",
		variant("body", &untagged::kind, &untagged::body),
		variant("second", &untagged::kind, &untagged::second),
		herald::field("kind", &untagged::kind),
		herald::field("other", &untagged::other),
		herald::field("number", &untagged::number)};
	const std::pair<const herald::schema<untagged> *, const char *> rows[] = {
		{&two_tags, "the tag other is not the schema's only one"},
		{&same_name, "the tag kind is the name of several members"},
		{&no_line, "the tag that has no line is not a member of the schema"},
		{&not_required, "the tag kind must be required"},
	};

	for (const auto &[schema, reason] : rows) {
		herald_codec *codec = nullptr;
		herald_error error{};

		CHECK(herald_codec_create(&schema->get(), nullptr, nullptr, &codec, &error) ==
		      HERALD_BAD_SCHEMA);
		if (!CHECK(std::strstr(error.message, reason)))
			std::printf("# %s: %s\n", error.path, error.message);
	}
}

/* Exceptions. */

void
exceptions_become_failures()
{
	herald::service_options options;

	options.route("standard", line_schema, [](const line &line) -> herald_verdict {
		throw std::runtime_error("no " + std::string(line.sku) + " left, 100%s");
	});
	options.route("memory", line_schema, [](const line &) { throw std::bad_alloc(); });
	options.route("other", line_schema, [](const line &) { throw 7; });
	herald::service service(std::move(options));
	const std::string line = "{\"sku\":\"tea\"}";
	herald_result result = service.handle(event("standard", line));

	CHECK(result.verdict == HERALD_FAIL && result.status == HERALD_OK);
	CHECK(same_text(result.error.message, "no tea left, 100%s"));
	result = service.handle(event("memory", line));
	CHECK(result.verdict == HERALD_FAIL && result.error.message[0] != '\0');
	result = service.handle(event("other", line));
	CHECK(result.verdict == HERALD_FAIL);
	CHECK(same_text(result.error.message, "an exception that is not a std::exception"));
}

/* A handler with every function; each throws if it is told to. */
struct every_function {
	std::string *thrower;
	static constexpr const char *attributes[] = {"X-Key", nullptr};

	void enter(const char *name) const
	{
		trace += std::string(name) + " ";
		if (*thrower == name)
			throw std::runtime_error(std::string("thrown by ") + name);
	}
	void receive(herald::context &, std::string_view data)
	{
		CHECK(data.front() == '{' && data.back() == '}');
		enter("receive");
	}
	herald_verdict before(herald::context &)
	{
		enter("before");
		return HERALD_DONE;
	}
	herald_again again(herald::context &, unsigned attempt, std::uint32_t &delay_ms)
	{
		enter("again");
		delay_ms = 0;
		return attempt < 2 ? HERALD_AGAIN_RUN : HERALD_AGAIN_STOP;
	}
	void after(herald::context &, herald_verdict)
	{
		enter("after");
	}
	void rejected(herald::context &, const herald_rejection &rejection)
	{
		CHECK(rejection.bytes > 0);
		enter("rejected");
	}
	herald_status check(const herald_schema &envelope, herald_error &)
	{
		CHECK(&envelope == &herald_message_schema);
		enter("check");
		return HERALD_OK;
	}
};

void
handlers_run_and_throw()
{
	static const struct {
		const char *thrower, *trace;
		herald_verdict verdict;
		const char *reason;
	} rows[] = {
		{"", "receive before again again after ", HERALD_RETRY, "again"},
		{"receive", "receive rejected ", HERALD_FAIL, "thrown by receive"},
		{"before", "receive before rejected ", HERALD_FAIL, "thrown by before"},
		{"again", "receive before again after ", HERALD_FAIL, "thrown by again"},
		{"after", "receive before again again after ", HERALD_RETRY, "again"},
	};
	std::string thrower;
	herald::service_options options;
	std::vector<std::string> logged;

	options.handler("every", every_function{&thrower});
	options.log(HERALD_LOG_ERROR, [&logged](const herald_log_record &record) {
		logged.emplace_back(record.message);
		throw std::runtime_error("dropped");
	});
	options.route("retry", line_schema,
		      [](herald::context &ctx, const line &) { return ctx.retry("again"); });
	options.route("done", line_schema, [](const line &) {});
	herald::service service(std::move(options));
	CHECK(trace == "check ");
	for (const auto &row : rows) {
		trace.clear();
		thrower = row.thrower;
		const herald_result result = service.handle(event("retry", "{\"sku\":\"a\"}"));
		CHECK(trace == row.trace);
		CHECK(result.verdict == row.verdict && same_text(result.error.message, row.reason));
	}
	thrower = "after";
	const herald_result after = service.handle(event("done", "{\"sku\":\"a\"}"));
	CHECK(after.verdict == HERALD_FAIL && same_text(after.error.message, "thrown by after"));
	thrower = "rejected";
	logged.clear();
	CHECK(service.handle(event("done", "{}")).status == HERALD_MISSING);
	CHECK(logged.size() == 1 && logged[0] == "a handler threw an exception");
}

void
hooks_and_handlers_of_routes()
{
	struct only_before {
		herald_verdict before(herald::context &ctx)
		{
			trace += "route ";
			return ctx.fail(403, "not you");
		}
	};
	herald::service_options options;

	options.before("first", [](herald::context &ctx) {
		trace += std::string(ctx.message()->event_type) + " ";
	});
	options.after("last", [](herald::context &ctx, herald_verdict verdict) {
		trace += std::string(herald_verdict_name(verdict)) + " ";
		(void)ctx;
		return HERALD_DONE;
	});
	options.route("free", line_schema, [](const line &) { trace += "function "; });
	options.route("guarded", line_schema, [](const line &) { trace += "function "; })
		.handler("guard", only_before{})
		.doc("Guarded.");
	herald::service service(std::move(options));
	CHECK(service.handle(event("free", "{\"sku\":\"a\"}")).verdict == HERALD_DONE);
	CHECK(service.handle(event("guarded", "{\"sku\":\"a\"}")).http_status == 403);
	CHECK(trace == "free function done guarded route fail ");
}

/* What cannot be found by the address of the function: a template, and overloads of which one
 * fits. */
struct guard_template {
	template <class Context> herald_verdict before(Context &ctx)
	{
		return ctx.fail(403, "by the template");
	}
};

struct guard_overloads {
	herald_verdict before(herald::context &ctx)
	{
		return ctx.fail(403, "by the overload");
	}
	static herald_verdict before(int)
	{
		return HERALD_DONE;
	}
};

struct guard_base {
	herald_verdict before(herald::context &ctx)
	{
		return ctx.fail(403, "by the base");
	}
};

struct guard_derived : guard_base {
};

void
functions_of_handlers_are_found_by_name()
{
	herald::service_options options;
	const auto function = [](const line &) { trace += "function "; };

	options.route("template", line_schema, function).handler("guard", guard_template{});
	options.route("overload", line_schema, function).handler("guard", guard_overloads{});
	options.route("base", line_schema, function).handler("guard", guard_derived{});
	herald::service service(std::move(options));
	for (const char *type : {"template", "overload", "base"}) {
		const herald_result result = service.handle(event(type, "{\"sku\":\"a\"}"));

		CHECK(result.http_status == 403);
		CHECK(result.error.message == "by the " + std::string(type));
	}
	CHECK(trace.empty());
}

/* Owners. */

struct counted {
	int *living;

	explicit counted(int *count) : living(count)
	{
		++*living;
	}
	counted(const counted &other) : living(other.living)
	{
		++*living;
	}
	counted(counted &&other) noexcept : living(other.living)
	{
		++*living;
	}
	counted &operator=(const counted &) = delete;
	~counted()
	{
		--*living;
	}
};

struct counted_handler {
	counted count;
	void before(herald::context &) {}
};

void
add_counted(herald::service_options &options, int *living)
{
	options.handler("counted", counted_handler{counted(living)});
	options.route("event", line_schema, [held = counted(living)](const line &) {
		trace += std::to_string(*held.living) + " ";
	});
}

void
the_service_owns_functions_and_handlers()
{
	const std::string json = event("event", "{\"sku\":\"a\"}");
	int living = 0, others = 0;

	{
		herald::service_options unused;
		add_counted(unused, &living);
		CHECK(living == 2);
	}
	CHECK(living == 0);
	{
		herald::service_options options;
		add_counted(options, &living);
		herald::service first(std::move(options));
		CHECK(living == 2 && first);
		CHECK(first.handle(json).verdict == HERALD_DONE);

		herald::service second(std::move(first));
		/* NOLINTNEXTLINE(bugprone-use-after-move): it is empty, by contract */
		CHECK(living == 2 && second && !first && !first.get());
		CHECK(second.handle(json).verdict == HERALD_DONE);

		herald::service_options more;
		add_counted(more, &others);
		first = herald::service(std::move(more));
		CHECK(others == 2 && first);
		second = std::move(first);
		/* NOLINTNEXTLINE(bugprone-use-after-move) */
		CHECK(living == 0 && others == 2 && second && !first);
		CHECK(second.handle(json).verdict == HERALD_DONE);
	}
	CHECK(living == 0 && others == 0 && trace == "2 2 2 ");
	auto owned = std::make_unique<int>(5);
	herald::service_options options;
	options.route("event", line_schema, [owned = std::move(owned)](const line &) {
		trace += std::to_string(*owned);
	});
	CHECK(herald::service(std::move(options)).handle(json).verdict == HERALD_DONE);
	CHECK(trace == "2 2 2 5");
}

/* A handler of a C function. Its destroy function may be NULL. */
struct c_handler {
	herald_handler handler;
	int destroyed;
};

const herald_handler_ops *
c_ops(bool destroys)
{
	static herald_handler_ops both[2];
	herald_handler_ops &ops = both[destroys];

	ops.struct_size = sizeof(ops);
	ops.name = "c";
	ops.before = [](herald_handler *, herald_context *) {
		trace += "c ";
		return HERALD_DONE;
	};
	if (destroys)
		ops.destroy = [](herald_handler *handler) {
			reinterpret_cast<c_handler *>(handler)->destroyed++;
		};
	return &ops;
}

void
handlers_of_c_are_owned_once()
{
	c_handler counting{{c_ops(true), nullptr}, 0}, lasting{{c_ops(false), nullptr}, 0};

	{
		herald::service_options unused;

		unused.handler(&lasting.handler);
		unused.handler(&counting.handler);
		unused.handler(&counting.handler);
	}
	CHECK(counting.destroyed == 1);
	{
		herald::service_options options;

		options.handler(&lasting.handler);
		options.handler(&counting.handler);
		options.handler(&counting.handler);
		options.route("event", line_schema, [](const line &) { trace += "function "; });
		herald::service service(std::move(options));
		CHECK(service.handle(event("event", "{\"sku\":\"a\"}")).verdict == HERALD_DONE);
		CHECK(trace == "c c c function ");
	}
	CHECK(counting.destroyed == 2);
}

herald_verdict
line_in_c(herald_context *, const void *payload, void *)
{
	trace += static_cast<const line *>(payload)->sku;
	return HERALD_DONE;
}

herald_verdict leaf_to_line(herald::context &ctx, const leaf &from, line &to);

/* What is set in the C structs is used, too, and first. */
void
options_of_c_are_used()
{
	c_handler check{{c_ops(false), nullptr}, 0}, last{{c_ops(false), nullptr}, 0};
	herald_handler *const checks[] = {&check.handler};
	herald_route routes[1] = {};
	herald_upcaster upcasters[1] = {};
	herald::service_options options;

	routes[0].event_type = "of c";
	routes[0].schema = &line_schema.get();
	routes[0].function = line_in_c;
	routes[0].version = "2";
	upcasters[0].event_type = "of c";
	upcasters[0].from = "1";
	upcasters[0].to = "2";
	upcasters[0].from_schema = &leaf_of_c.get();
	upcasters[0].to_schema = &line_schema.get();
	upcasters[0].function = [](herald_context *ctx, const void *from, void *to) {
		herald::context c(ctx);

		return leaf_to_line(c, *static_cast<const leaf *>(from), *static_cast<line *>(to));
	};
	options.c.routes = routes;
	options.c.routes_count = 1;
	options.c.upcasters = upcasters;
	options.c.upcasters_count = 1;
	options.c.handlers = checks;
	options.c.handlers_count = 1;
	options.before("added", [](herald::context &) { trace += "added "; });
	options.upcaster<leaf_to_line>("line", "1", leaf_of_c, "2", line_schema);
	options.route("line", line_schema, [](const line &) { trace += "function "; }).version("2");
	herald::route guarded =
		options.route("guarded", line_schema, [](const line &) { trace += "function "; });
	guarded.get().handlers = checks;
	guarded.get().handlers_count = 1;
	guarded.handler("route", guard_base{}).handler(&last.handler);
	herald::service service(std::move(options));

	CHECK(service.handle(event("of c", "{\"number\":3}", "1")).verdict == HERALD_DONE);
	CHECK(trace == "c added from a leaf");
	trace.clear();
	CHECK(service.handle(event("line", "{\"number\":3}", "1")).verdict == HERALD_DONE);
	CHECK(trace == "c added function ");
	trace.clear();
	CHECK(service.handle(event("guarded", "{\"sku\":\"a\"}")).http_status == 403);
	CHECK(trace == "c added c ");

	herald::service_options alone;
	herald::route route = alone.route("event", line_schema, [](const line &) {});
	route.get().handlers = checks;
	route.get().handlers_count = 1;
	service = herald::service();
	herald::service second(std::move(alone));
	trace.clear();
	CHECK(second.handle(event("event", "{\"sku\":\"a\"}")).verdict == HERALD_DONE);
	CHECK(trace == "c ");
}

void
errors_of_options()
{
	int living = 0;
	herald::service_options options;
	herald::service service;
	herald_error error;

	add_counted(options, &living);
	options.c.limits.max_depth = 5000;
	CHECK(service.create(options, &error) == HERALD_BAD_OPTION);
	CHECK(std::strncmp(error.path, "limits", 6) == 0 && !service && living == 2);
	herald::service_options bad;
	bad.c.limits.max_depth = 5000;
	try {
		herald::service thrown(std::move(bad));
		CHECK(false);
	} catch (const herald::error &caught) {
		CHECK(caught.status() == HERALD_BAD_OPTION);
		CHECK(std::strncmp(caught.get().path, "limits", 6) == 0);
		CHECK(std::strncmp(caught.what(), "limits.max_depth", 16) == 0);
	}
	/* The options are as they were, and can be mended. */
	options.c.limits.max_depth = 5;
	CHECK(service.create(options, &error) == HERALD_OK && living == 2);
	CHECK(service.handle(event("event", "{\"sku\":\"a\"}")).verdict == HERALD_DONE);
	service = herald::service();
	CHECK(living == 0 && !service);

	herald::service_options wrong;
	wrong.route("event", greeting_schema, [](const leaf &) {});
	CHECK(service.create(wrong, &error) == HERALD_BAD_SCHEMA);
	CHECK(std::strstr(error.message, "greeting has 16 bytes"));
}

herald_verdict
leaf_to_line(herald::context &ctx, const leaf &from, line &to)
{
	if (from.number < 0)
		throw std::out_of_range("a negative number");
	to.sku = "from a leaf";
	to.quantity = static_cast<std::int32_t>(from.number);
	return ctx.allocate<line>() ? HERALD_DONE : ctx.retry("out of memory");
}

void
upcasters_convert_and_throw()
{
	herald::service_options options;

	options.route("line", line_schema,
		      [](const line &line) { trace += line.sku + std::to_string(line.quantity); })
		.version("2");
	options.upcaster<leaf_to_line>("line", "1", leaf_of_c, "2", line_schema, "leaf_to_line");
	herald::service service(std::move(options));
	CHECK(service.handle(event("line", "{\"number\":3}", "1")).verdict == HERALD_DONE);
	CHECK(trace == "from a leaf3");
	const herald_result result = service.handle(event("line", "{\"number\":-3}", "1"));
	CHECK(result.verdict == HERALD_FAIL);
	CHECK(same_text(result.error.message, "a negative number"));
}

/* A C schema of a struct of another size: wherever it is used, it is refused. */

struct wide {
	std::int64_t number, other;
};

constexpr auto wide_of_leaf = herald::schema_of<wide>(leaf_schema);

struct with_pointer {
	const wide *inner;
};
struct with_list {
	herald::list<wide> inner;
};
struct with_two {
	const wide *inner;
	std::size_t inner_count;
};

const herald::schema<with_pointer> with_pointer_schema{
	"with_pointer", herald::field("inner", &with_pointer::inner, wide_of_leaf)};
const herald::schema<with_list> with_list_schema{
	"with_list", herald::field("inner", &with_list::inner, wide_of_leaf)};
const herald::schema<with_two> with_two_schema{
	"with_two",
	herald::list_field("inner", &with_two::inner, &with_two::inner_count, wide_of_leaf)};

template <class From, class To>
void
convert_nothing(herald::context &, const From &, To &)
{
}

template <class S>
void
expect_refused(const herald::schema<S> &schema, const char *path)
{
	herald::service_options options;
	herald::service service;
	herald_error error;

	options.route("event", schema, [](const S &) {});
	CHECK(service.create(options, &error) == HERALD_BAD_SCHEMA);
	CHECK(std::strstr(error.path, path));
	CHECK(std::strstr(error.message, "16 bytes") && std::strstr(error.message, "has 8"));
}

void
sizes_are_checked_everywhere()
{
	herald_error error;
	herald::service service;

	expect_refused(with_pointer_schema, "with_pointer.inner");
	expect_refused(with_list_schema, "with_list.inner");
	expect_refused(with_two_schema, "with_two.inner");
	herald::service_options from;
	from.route("event", line_schema, [](const line &) {}).version("2");
	from.upcaster<convert_nothing<wide, line>>("event", "1", wide_of_leaf, "2", line_schema);
	CHECK(service.create(from, &error) == HERALD_BAD_SCHEMA);
	CHECK(std::strstr(error.message, "upcasters[0]: the struct of schema leaf has 8 bytes"));
	herald::service_options to;
	to.route("event", leaf_of_c, [](const leaf &) {}).version("2");
	to.upcaster<convert_nothing<line, wide>>("event", "1", line_schema, "2", wide_of_leaf);
	CHECK(service.create(to, &error) == HERALD_BAD_SCHEMA);
	CHECK(std::strstr(error.message, "function's struct has 16"));

	herald::service_options options;
	options.route("decode", order_schema, [](herald::context &ctx, const order &order) {
		wide out{1, 2};
		herald_error refused;

		CHECK(ctx.decode(wide_of_leaf, order.extra, out, &refused) == HERALD_BAD_SCHEMA);
		CHECK(std::strstr(refused.message, "leaf has 8 bytes, but the value has 16"));
		CHECK(out.number == 1 && out.other == 2);
		CHECK(ctx.decode(wide_of_leaf, order.extra, out) == HERALD_BAD_SCHEMA);
	});
	options.route("done", line_schema, [](herald::context &ctx, const line &) {
		return ctx.done(200, wide_of_leaf, wide{});
	});
	CHECK(service.create(options, &error) == HERALD_OK);
	CHECK(service.handle(event("decode", "{\"id\":\"a\",\"extra\":{\"number\":3}}")).verdict ==
	      HERALD_DONE);
	const herald_result done = service.handle(event("done", "{\"sku\":\"a\"}"));
	CHECK(done.verdict == HERALD_FAIL);
	CHECK(std::strstr(done.error.message, "leaf has 8 bytes, but the answer has 16"));
}

/* A key with a dot is not a member of an inner struct, whose padding would explain a gap. */

struct dotted {
	std::int64_t a;
	std::int16_t forgotten, b;
	std::int32_t c;
};

const herald::schema<dotted> dotted_schema{"dotted", herald::field("x.a", &dotted::a),
					   herald::field("x.forgotten", &dotted::forgotten),
					   herald::field("x.b.", &dotted::b),
					   herald::field("c", &dotted::c)};
const herald::schema<dotted> gap_schema{"dotted", herald::field("x.a", &dotted::a),
					herald::field("x.b", &dotted::b),
					herald::field("c", &dotted::c)};

void
keys_with_dots()
{
	herald::service_options options, gap;
	herald::service service;
	herald_error error;

	options.route("event", dotted_schema, [](const dotted &dotted) {
		trace += std::to_string(dotted.a) + std::to_string(dotted.b);
	});
	CHECK(service.create(options, &error) == HERALD_OK);
	CHECK(service.handle(event("event", "{\"x.a\":1,\"x.b.\":2}")).verdict == HERALD_DONE);
	CHECK(trace == "12");
	gap.route("event", gap_schema, [](const dotted &) {});
	CHECK(herald::service().create(gap, &error) == HERALD_BAD_SCHEMA);
	CHECK(std::strstr(error.path, "dotted.b") &&
	      std::strstr(error.message, "an earlier member of the struct has no field"));
}

/* Rules of a struct as a whole. */

struct span {
	std::int32_t from;
	std::int32_t to;
};

constexpr const char *unlucky = "thirteen is unlucky, and this text is long";

/* NOLINTNEXTLINE(cert-err58-cpp): what a check throws, it throws when it is called */
const herald::schema<span> span_schema{
	herald::no_padding("span"), herald::field("from", &span::from),
	herald::field("to", &span::to),
	herald::check<span>([text = unlucky](const span &span, herald_refusal *refusal) {
		if (span.from == 13)
			throw std::runtime_error(text);
		if (span.from == 14)
			throw 14;
		return span.from <= span.to ||
		       herald_refuse(refusal, "to", "is less than %d", span.from);
	})};

struct spans {
	span first;
	herald::list<span> others;
};

const herald::schema<spans> spans_schema{"spans",
					 herald::field("first", &spans::first, span_schema),
					 herald::field("others", &spans::others, span_schema)};

struct padded {
	std::int64_t number;
	std::int8_t small;
};

const herald::schema<padded> padded_schema{herald::no_padding("padded"),
					   herald::field("number", &padded::number),
					   herald::field("small", &padded::small)};

void
checks_refuse()
{
	static const struct {
		const char *payload, *reason;
	} bad[] = {
		{"{\"first\":{\"from\":1}}", "to is less than 1"},
		{"{\"others\":[{},{\"from\":13}]}", "thirteen is unlucky, and this text is long"},
		{"{\"first\":{\"from\":14}}", "an exception that is not a std::exception"},
	};
	herald::service_options options, refused;
	herald::service service;
	herald_error error;

	options.route("spans", spans_schema,
		      [](const spans &spans) { trace += std::to_string(spans.others.size()); });
	CHECK(service.create(options, &error) == HERALD_OK);
	CHECK(service.handle(event("spans", "{\"others\":[{\"to\":1}]}")).verdict == HERALD_DONE);
	for (const auto &each : bad) {
		const auto result = service.handle(event("spans", each.payload));

		CHECK(result.verdict == HERALD_FAIL && result.status == HERALD_BAD_VALUE);
		CHECK(std::strstr(result.error.message, each.reason));
	}
	CHECK(trace == "1");
	refused.route("padded", padded_schema, [](const padded &) {});
	CHECK(herald::service().create(refused, &error) == HERALD_BAD_SCHEMA);
	CHECK(std::strstr(error.message, "bytes 9 to 15 are in no line, after small"));
}

/* Round trips: what is decoded is encoded to the same text, and memory may fail at any time. */

struct limited_memory {
	std::size_t calls = 0, fail_at = 0, blocks = 0;
	herald_allocator allocator = {allocate, reallocate, release, this};

	bool fails()
	{
		return ++calls == fail_at;
	}
	static void *allocate(std::size_t bytes, void *state)
	{
		auto &memory = *static_cast<limited_memory *>(state);

		memory.blocks += !memory.fails();
		return memory.calls == memory.fail_at ? nullptr : std::malloc(bytes);
	}
	static void *reallocate(void *block, std::size_t, std::size_t bytes, void *state)
	{
		return static_cast<limited_memory *>(state)->fails() ? nullptr
								     : std::realloc(block, bytes);
	}
	static void release(void *block, std::size_t, void *state)
	{
		static_cast<limited_memory *>(state)->blocks--;
		std::free(block);
	}
};

/* Decode and encode once. "" if memory has failed. */
template <class T>
std::string
once(const herald::schema<T> &schema, std::string text, limited_memory &memory)
{
	herald_codec *codec = nullptr;
	herald_arena *arena = nullptr;
	herald_buffer out;
	herald_error error{};
	T value{};
	std::string encoded;

	herald_buffer_init(&out, &memory.allocator, 0);
	herald_status status =
		herald_codec_create(&schema.get(), nullptr, &memory.allocator, &codec, &error);
	if (status == HERALD_OK)
		status = herald_arena_create(&memory.allocator, 0, &arena);
	if (status == HERALD_OK)
		status =
			herald_codec_decode(codec, text.data(), text.size(), arena, &value, &error);
	if (status == HERALD_OK)
		status = herald_codec_encode(codec, &value, &out, &error);
	if (status == HERALD_OK)
		encoded.assign(out.data, out.bytes);
	if (status != HERALD_OK && status != HERALD_NO_MEMORY)
		std::printf("# %s: %s\n", error.path, error.message);
	CHECK(status == HERALD_OK || status == HERALD_NO_MEMORY);
	herald_buffer_finish(&out);
	herald_arena_destroy(arena);
	herald_codec_destroy(codec);
	return encoded;
}

template <class T>
void
check_round_trip(const herald::schema<T> &schema, const std::string &text)
{
	std::string encoded;

	for (std::size_t n = 1; encoded.empty() && n < 1000; n++) {
		limited_memory memory;

		memory.fail_at = n;
		encoded = once(schema, text, memory);
		CHECK(memory.blocks == 0 && (memory.calls >= n) == encoded.empty());
	}
	if (!CHECK(encoded == text))
		std::printf("# %s\n# %s\n", text.c_str(), encoded.c_str());
}

void
values_come_back()
{
	check_round_trip(order_schema, "{\"id\":\"a\",\"lines\":[{\"sku\":\"x\",\"quantity\":2}],"
				       "\"codes\":[1,-2],\"tags\":[\"t\",\"\"],\"sizes\":"
				       "[\"large\",\"small\"],\"extra\":{\"a\":[1, null]}}");
	check_round_trip(node_schema,
			 "{\"name\":\"a\",\"next\":{\"name\":\"b\"},\"children\":[{},{}]}");
	check_round_trip(shelf_schema,
			 "{\"xy\":[1,2.5],\"corners\":[{\"sku\":\"a\",\"quantity\":1},"
			 "{\"sku\":\"b\",\"quantity\":2}],\"prices\":{\"y\":2,\"x\":1}}");
	check_round_trip(badge_schema, "{\"kind\":\"line\",\"sku\":\"x\",\"quantity\":1}");
	check_round_trip(badge_schema, "{\"kind\":\"b\",\"other\":[1]}");
	check_round_trip(spans_schema, "{\"first\":{\"from\":1,\"to\":2},\"others\":"
				       "[{\"from\":3,\"to\":3}]}");
	for (const char *body :
	     {"\"the body\":{\"sku\":\"x\",\"quantity\":2},\"kind\":\"line\"",
	      "\"the body\":{\"sku\":\"y\",\"quantity\":3},\"kind\":\"pointed\"",
	      "\"the body\":[1,-2],\"kind\":\"codes\"",
	      "\"the body\":[\"small\",\"large\"],\"kind\":\"sizes\"",
	      "\"the body\":[{\"name\":\"a\"},{}],\"kind\":\"nodes\"",
	      "\"the body\":\"large\",\"kind\":\"size\"", "\"the body\":[0.5,-1],\"kind\":\"xy\"",
	      "\"the body\":\"a\",\"kind\":\"te\\\"xt\"", "\"the body\":[{ }],\"kind\":\"what\""})
		check_round_trip(figure_schema, std::string("{\"before\":-7,") + body + "}");
	check_round_trip(goods_schema, "{\"body\":{\"b\":1,\"a\":2},\"kind\":\"prices\"}");
	check_round_trip(goods_schema, "{\"body\":0.5,\"label\":{\"sku\":\"x\",\"quantity\":4},"
				       "\"kind\":\"weight\"}");
	check_round_trip(goods_schema, "{\"label\":{\"name\":\"n\"},\"kind\":\"x\"}");
	check_round_trip(emblem_schema, "{\"kind\":\"small\",\"sku\":\"x\",\"quantity\":4}");
	check_round_trip(emblem_schema, "{\"kind\":\"large\",\"name\":\"x\",\"children\":[{}]}");
}

/* Raw JSON. */

void
raw_json_is_read()
{
	herald::service_options options;

	options.route("order", order_schema, [](herald::context &ctx, const order &order) {
		line line{};
		herald_error error;
		std::string text;

		for (const herald::json_item &item : order.extra)
			text += std::string(item.name.view()) + "=" +
				std::string(item.value.view()) + " ";
		CHECK(text ==
		      "\"a\"=[1,\"x\\n\",true,2.5] \"line\"={\"sku\":\"s\",\"quantity\":0} ");
		CHECK(order.extra.size() == 2 && order.extra.type() == HERALD_JSON_OBJECT);
		CHECK(order.extra.find("/a/0").int64() == 1 &&
		      order.extra.find("/a/0").uint64() == 1u);
		CHECK(order.extra.find("/a/1").string_equals("x\n"));
		CHECK(order.extra.find("/a/1").string(herald_context_arena(ctx))->view() == "x\n");
		CHECK(order.extra.find("/a/2").boolean() == true);
		CHECK(order.extra.find("/a/3").number() == 2.5);
		CHECK(!order.extra.find("/a/3").int64() && !order.extra.find("/b").int64());
		CHECK(!order.extra.find("/b", &error) && error.status == HERALD_MISSING);
		CHECK(ctx.decode(line_schema, order.extra.find("/line"), line, &error) ==
		      HERALD_OUT_OF_RANGE);
		CHECK(same_text(error.path, "/payload/extra/line/quantity"));
		return HERALD_DONE;
	});
	herald::service service(std::move(options));
	CHECK(service.handle(event("order", "{\"id\":\"a\",\"extra\":{\"a\":[1,\"x\\n\",true,2.5],"
					    "\"line\":{\"sku\":\"s\",\"quantity\":0}}}"))
		      .verdict == HERALD_DONE);

	herald_error error;
	const herald::json checked = herald::json::check(" [1, 2] ", &error);
	CHECK(checked.view() == "[1, 2]" && checked.size() == 2);
	CHECK(!herald::json::check("[1, 2", &error) && error.status == HERALD_BAD_JSON);
	CHECK(!herald::json::none() && herald::text(herald_text{nullptr, 0}).view().empty());
	const herald_pair pairs[] = {{"k", "v"}};
	const herald_map map = {pairs, 1};
	for (const herald_pair &pair : herald::pairs_of(map))
		CHECK(same_text(pair.key, "k"));
}

/* Many events: a line is refused, and the last one fails. */
void
many_events_are_handled()
{
	const std::string lines = event("line", R"({"sku":"a","quantity":1})") + "\n{}\n\n" +
				  event("line", R"({"sku":"b","quantity":2})");
	herald::service_options options;

	options.route("line", line_schema, [](herald::context &ctx, const line &line) {
		trace += line.sku;
		return line.quantity == 2 ? ctx.fail("two") : HERALD_DONE;
	});
	herald::service service(std::move(options));
	herald_many_counts counts = service.handle_many(lines, [](const herald_handled &handled) {
		trace += std::to_string(handled.line) +
			 (handled.result->verdict == HERALD_DONE ? "+" : "-");
	});
	CHECK(trace == "a1+2-b4-" && counts.events == 3 && counts.done == 1 && counts.fail == 2);

	/* After an exception the function is not called, but the events are handled. */
	std::size_t calls = 0;
	trace.clear();
	try {
		service.handle_many(lines, [&calls](const herald_handled &) {
			calls++;
			throw std::runtime_error("no more");
		});
		CHECK(false);
	} catch (const std::runtime_error &thrown) {
		CHECK(same_text(thrown.what(), "no more") && calls == 1 && trace == "ab");
	}

	/* Options are used, errors are returned or thrown, and a function need not be constant. */
	herald_many_options many = herald::many_options();
	herald_error error;
	auto count = [calls = 0](const herald_handled &) mutable { return ++calls; };
	many.max_events = 2;
	CHECK(service.handle_many(lines, many, count, &counts, &error) == HERALD_LIMIT);
	CHECK(counts.events == 2 && error.offset == lines.rfind('\n') + 1);
	many.form = HERALD_MANY_ARRAY;
	CHECK(service.handle_many("[" + event("line", R"({"sku":"c"})") + "]", many, count).done ==
	      1);
	try {
		(void)service.handle_many("{}", many, count);
		CHECK(false);
	} catch (const herald::error &thrown) {
		CHECK(thrown.status() == HERALD_BAD_TYPE);
	}
	CHECK(count({}) == 4 && service.handle_many("", count).events == 0);
}

/* An envelope with a member of its own, first and second. */

struct tenant_message {
	herald_message message;
	const char *tenant;
};

const herald::schema<tenant_message> tenant_message_schema{
	"tenant_message",
	herald::message_fields(&tenant_message::message),
	herald::field("tenant", &tenant_message::tenant).required(),
};

struct plain_message {
	herald_message message;
};

const herald::schema<plain_message> plain_message_schema{
	herald::no_padding("plain_message"), herald::message_fields(&plain_message::message)};

struct late_message {
	const char *tenant;
	herald_message message;
};

const herald::schema<late_message> late_message_schema{
	"late_message",
	herald::field("tenant", &late_message::tenant),
	herald::message_fields(&late_message::message),
};

void
envelopes_have_members_of_their_own()
{
	herald::service_options options, plain, late;

	options.c.envelope = &tenant_message_schema.get();
	options.route("named", line_schema, [](herald::context &ctx, const line &line) {
		const auto &envelope = *reinterpret_cast<const tenant_message *>(ctx.message());
		trace += std::string(envelope.tenant) + ":" + ctx.message()->event_type + ":" +
			 line.sku;
	});
	herald::service service(std::move(options));
	std::string text = event("named", "{\"sku\":\"a\"}", "2");
	text.insert(1, "\"tenant\":\"acme\",");
	CHECK(service.handle(text).verdict == HERALD_DONE && trace == "acme:named:a");
	const herald_result missing = service.handle(event("named", "{\"sku\":\"a\"}"));
	CHECK(missing.status == HERALD_MISSING && same_text(missing.error.path, "/tenant"));
	const herald_result typeless = service.handle("{\"tenant\":\"acme\",\"event_type\":\"\"}");
	CHECK(typeless.status == HERALD_BAD_LENGTH &&
	      same_text(typeless.error.path, "/event_type"));

	/* Each line of C is there. */
	for (std::size_t i = 0; i < herald_message_schema.fields_count; i++) {
		herald_field expected = herald_message_schema.fields[i];
		expected.owner = "tenant_message";
		CHECK(same_line(tenant_message_schema.get().fields[i], expected));
	}
	plain.c.envelope = &plain_message_schema.get();
	CHECK(herald::service(std::move(plain)).handle("{}").status == HERALD_MISSING);
	late.c.envelope = &late_message_schema.get();
	try {
		herald::service refused(std::move(late));
		CHECK(false);
	} catch (const herald::error &thrown) {
		CHECK(thrown.status() == HERALD_BAD_SCHEMA);
		CHECK(std::strstr(thrown.what(), "must begin with a struct herald_message"));
	}
}

} // namespace

int
main()
{
	std::puts("1..24");
	test("the tables of C and C++ are equal", tables_are_equal);
	test("functions of all forms", functions_of_all_forms);
	test("a schema contains itself", a_schema_contains_itself);
	test("arrays, maps and values", arrays_maps_and_values);
	test("unions with a tag", unions_with_a_tag);
	test("variants are lines", variants_are_lines);
	test("cases with options", cases_with_options);
	test("bad variants are refused", bad_variants_are_refused);
	test("values come back", values_come_back);
	test("exceptions become failures", exceptions_become_failures);
	test("handlers run and throw", handlers_run_and_throw);
	test("hooks, and handlers of routes", hooks_and_handlers_of_routes);
	test("functions of handlers are found by name", functions_of_handlers_are_found_by_name);
	test("the service owns functions and handlers", the_service_owns_functions_and_handlers);
	test("handlers of C are owned once", handlers_of_c_are_owned_once);
	test("options of C are used", options_of_c_are_used);
	test("errors of options", errors_of_options);
	test("upcasters convert and throw", upcasters_convert_and_throw);
	test("sizes are checked everywhere", sizes_are_checked_everywhere);
	test("keys with dots", keys_with_dots);
	test("checks refuse structs, also by exceptions", checks_refuse);
	test("raw JSON is read", raw_json_is_read);
	test("many events are handled", many_events_are_handled);
	test("envelopes have members of their own", envelopes_have_members_of_their_own);
	return failures == 0 ? 0 : 1;
}
