/*
 * simdjson On-Demand, straight into structs of string_views and vectors that keep their memory from
 * event to event; no copy of the document is needed, it has the padding. Two variants: "lookup"
 * asks for each member by name, which is fastest when they come in the expected order; "iterate"
 * goes through the members as they come and compares names, which is fastest when they do not.
 * "builder" encodes, with simdjson's string builder, which keeps its memory too; its check of UTF-8
 * is part of the work, as it is in the other encoders.
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

/* Writing. */
builder::string_builder out;

void
write(string_view &in)
{
	out.escape_and_append_with_quotes(in);
}

template <typename T>
std::enable_if_t<std::is_arithmetic_v<T>>
write(T &in)
{
	out.append(in);
}

void
write(point_in_time &in)
{
	char text[36];
	size_t bytes = rfc3339_format(in.seconds, in.nanoseconds, in.offset_minutes, text);

	out.append('"');
	out.append_raw(text, bytes);
	out.append('"');
}

template <typename T> void write(entries<T> &in);
template <typename T> void write(std::vector<T> &in);

template <typename T>
std::enable_if_t<std::is_class_v<T>>
write(T &in)
{
	bool is_first = true;

	each(in, [&](const char *name, auto &member) {
		out.append_raw(is_first ? "{\"" : ",\"");
		is_first = false;
		out.append_raw(name);
		out.append_raw("\":");
		write(member);
	});
	out.end_object();
}

void
write(any_order &in)
{
	static const char *const kinds[] = {"goods", "download", "subscription", "refund"};

	out.append_raw("{\"kind\":\"");
	out.append_raw(kinds[in.index()]);
	out.append_raw("\",\"order\":");
	std::visit([](auto &order) { write(order); }, in);
	out.end_object();
}

template <typename T>
void
write(entries<T> &in)
{
	out.start_object();
	for (auto &entry : in) {
		if (&entry != &in.front())
			out.append_comma();
		write(entry.first);
		out.append_colon();
		write(entry.second);
	}
	out.end_object();
}

template <typename T>
void
write(std::vector<T> &in)
{
	if constexpr (std::is_arithmetic_v<T>) {
		out.append(in);
		return;
	}
	out.start_array();
	for (T &element : in) {
		if (&element != &in.front())
			out.append_comma();
		write(element);
	}
	out.end_array();
}

/* The peer. */
ondemand::parser parser;
string_view encoded;
bool is_encode;

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

template <typename Event>
void
encode()
{
	out.clear();
	write(current<Event>);
	if (!out.validate_unicode() || out.view().get(encoded) != SUCCESS)
		peer_fail("simdjson: cannot be encoded");
}

void (*decode_current)(const struct document *document);
void (*encode_current)();
void (*dump_current)();

template <typename Event>
void
choose(bool lookup)
{
	decode_current = lookup ? decode<Event, true> : decode<Event, false>;
	encode_current = encode<Event>;
	dump_current = [] { dump(current<Event>); };
}

} // namespace

void
peer_open(const struct peer_arguments *arguments)
{
	bool lookup = strcmp(arguments->variant, "lookup") == 0;

	is_encode = arguments->encode;
	with_type(arguments->type, [&](auto event) { choose<decltype(event)>(lookup); });
	if (is_encode)
		decode_current(&arguments->documents[0]);
}

void
peer_event(const struct document *document)
{
	if (is_encode)
		encode_current();
	else
		decode_current(document);
}

void
peer_check(const struct document *document)
{
	peer_event(document);
	if (is_encode)
		printf("%.*s\n", static_cast<int>(encoded.size()), encoded.data());
	else
		dump_current();
}
