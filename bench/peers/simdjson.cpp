/*
 * simdjson On-Demand, straight into structs of string_views and vectors that keep their memory from
 * event to event; no copy of the document is needed, it has the padding. Two variants: "lookup"
 * asks for each member by name, which is fastest when they come in the expected order; "iterate"
 * goes through the members as they come and compares names, which is fastest when they do not.
 */
#include <cstring>
#include <limits>

#include <simdjson.h>

#include "events.hpp"
#include "rfc3339.h"

using namespace simdjson;

namespace
{

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

/* The peer. */
ondemand::parser parser;

template <typename Event> Event current;

template <typename Event, bool Lookup>
void
decode(const struct document *document)
{
	try {
		ondemand::document root = parser.iterate(document->data, document->bytes,
							 document->bytes + SIMDJSON_PADDING);
		ondemand::object object = root.get_object();
		reader<Lookup>::read_members(object, current<Event>);
		if (!Lookup && root.current_location().error() != OUT_OF_BOUNDS)
			throw simdjson_error(TRAILING_CONTENT);
	} catch (const simdjson_error &error) {
		peer_fail("simdjson: %s", error.what());
	}
}

void (*decode_current)(const struct document *document);
void (*dump_current)();

template <typename Event>
void
choose(bool lookup)
{
	decode_current = lookup ? decode<Event, true> : decode<Event, false>;
	dump_current = [] { dump(current<Event>); };
}

} // namespace

void
peer_open(const struct peer_arguments *arguments)
{
	bool lookup = strcmp(arguments->variant, "lookup") == 0;

	if (arguments->encode)
		peer_fail("this simdjson cannot encode");
	with_type(arguments->type, [&](auto event) { choose<decltype(event)>(lookup); });
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
