/*
 * Schemas in C++: a table of a plain struct, as HERALD_SCHEMA is in C.
 *
 *	struct order_line   { const char *sku; std::int32_t quantity; };
 *	struct order_placed { const char *order_id; herald::list<order_line> lines; };
 *
 *	static const herald::schema<order_line> order_line_schema{
 *		"order_line",
 *		herald::field("sku", &order_line::sku).required(),
 *		herald::field("quantity", &order_line::quantity).range(1, 999)};
 *
 *	static const herald::schema<order_placed> order_placed_schema{
 *		"order_placed",
 *		herald::field("orderId", &order_placed::order_id).required(),
 *		herald::field("lines", &order_placed::lines, order_line_schema).min_count(1)};
 *
 * Each line gives the name in JSON and the member, whose type, offset and size are taken from it.
 * A member of an unsupported type and a line of another struct do not compile. Everything else is
 * checked when a service is created. The names are borrowed; string literals are meant. If there is
 * no memory for a table, the program ends.
 */
#ifndef HERALD_CPP_SCHEMA_HPP
#define HERALD_CPP_SCHEMA_HPP

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/check.h>
#include <herald/cpp/check.hpp>
#include <herald/cpp/detail.hpp>
#include <herald/cpp/field.hpp>
#include <herald/cpp/line.hpp>
#include <herald/cpp/member.hpp>
#include <herald/cpp/message_fields.hpp>
#include <herald/cpp/typed_schema.hpp>
#include <herald/cpp/value.hpp>
#include <herald/cpp/variant.hpp>
#include <herald/schema.h>

namespace herald
{

/** The name and the options of a schema. A name alone converts to it. */
struct schema_options {
	const char *name;            /**< The struct's name. */
	const char *doc = nullptr;   /**< One line for people. */
	bool reject_unknown = false; /**< Members of the JSON without a line are errors. */
	bool transparent = false;    /**< The JSON is the value of the only member. */
	bool no_padding = false;     /**< Every byte of the struct must be in a line. */

	/** A name alone. */
	schema_options(const char *struct_name) noexcept : name(struct_name) {}
	/** A name and options. */
	schema_options(const char *struct_name, const char *text, bool rejects = false) noexcept
		: name(struct_name), doc(text), reject_unknown(rejects)
	{
	}
};

/** The options of a schema whose JSON is the value of its only member. */
inline schema_options
transparent(const char *struct_name) noexcept
{
	schema_options options(struct_name);

	options.transparent = true;
	return options;
}

/** The options of a schema in which every byte of the struct is in a line. */
inline schema_options
no_padding(const char *struct_name) noexcept
{
	schema_options options(struct_name);

	options.no_padding = true;
	return options;
}

/**
 * A table with a line for each member of struct S. It must outlive the services and codecs that use
 * it, so it is usually static. It may refer to itself, and to schemas that are declared as extern
 * and defined later: `herald::field("next", &node::next, node_schema)`.
 */
template <class S> class schema : public detail::schema_storage, public typed_schema<S>
{
      public:
	/** The lines and variants, in any order: one for each member, and at most one check(). */
	template <class... Lines>
	explicit schema(const schema_options &options, Lines... lines) noexcept
		: typed_schema<S>(static_cast<const schema_storage *>(this)->c_)
	{
		detail::check_struct<S>();
		static_assert(
			((std::is_same_v<Lines, line<S>> || std::is_same_v<Lines, variant_of<S>> ||
			  std::is_same_v<Lines, message_lines<S>> ||
			  std::is_same_v<Lines, check_of<S>> ||
			  std::is_same_v<Lines, check_of<detail::no_struct>>)&&...),
			"a line is of another struct than its schema");
		static_assert((0 + ... + std::is_same_v<Lines, check_of<S>>) <= 1,
			      "a schema has at most one check");
		static_assert(((std::is_same_v<Lines, line<S>> ||
				std::is_same_v<Lines, message_lines<S>>) ||
			       ...),
			      "a schema has a line for each member");
		fields_.reserve(sizeof...(Lines));
		one_of_.reserve(sizeof...(Lines));
		(add(options.name, std::move(lines)), ...);
		for (const auto &[index, offset] : tags_)
			fields_[index].tag = name_at(offset);
		c_.name = options.name;
		c_.bytes = sizeof(S);
		c_.alignment = alignof(S);
		c_.fields = fields_.data();
		c_.fields_count = fields_.size();
		c_.doc = options.doc;
		c_.reject_unknown = options.reject_unknown;
		c_.transparent = options.transparent;
		c_.no_padding = options.no_padding;
	}

	/** Without a name. Does not compile. */
	template <class Line, class... Lines>
	explicit schema(line<Line> &&, const Lines &...) noexcept
		: typed_schema<S>(static_cast<const schema_storage *>(this)->c_)
	{
		static_assert(detail::always_false<Line>,
			      "a schema begins with the name of its struct, then come the lines");
	}

	/* Schemas are compared by address. */
	schema(const schema &) = delete;
	schema &operator=(const schema &) = delete;

      private:
	void add(const char *owner, line<S> &&line) noexcept
	{
		line.field_.owner = owner;
		if (!line.one_of_.empty()) {
			one_of_.push_back(std::move(line.one_of_));
			line.field_.one_of = one_of_.back().data();
		}
		fields_.push_back(line.field_);
	}

	void add(const char *owner, variant_of<S> &&variant) noexcept
	{
		for (line<S> &each : variant.lines_) {
			tags_.emplace_back(fields_.size(), variant.tag_offset_);
			add(owner, std::move(each));
		}
	}

	void add(const char *owner, message_lines<S> &&message) noexcept
	{
		for (line<S> &each : message.lines_)
			add(owner, std::move(each));
	}

	/* The name of the line of a tag, which may come after the union. */
	const char *name_at(std::size_t offset) const noexcept
	{
		for (const herald_field &field : fields_)
			if (field.offset == offset)
				return field.name;
		return "that has no line";
	}

	void add(const char *owner, check_of<S> &&check) noexcept
	{
		function_ = std::move(check.function_);
		check_ = {HERALD_CHECK_MARK, owner, call_check, &function_};
		c_.check = &check_;
	}

	/* Does not compile, and has been said. */
	void add(const char *, check_of<detail::no_struct> &&) noexcept {}

	/* An exception must not pass through Herald, which is C. */
	static bool
	call_check(const void *value, const void *state, herald_refusal *refusal) noexcept
	{
		const auto &function =
			*static_cast<const std::function<bool(const S &, herald_refusal *)> *>(
				state);

		return detail::guard(
			[&] { return function(*static_cast<const S *>(value), refusal); },
			[&](const char *text) {
				return herald_refuse(refusal, nullptr, "%s", text);
			});
	}

	herald_check check_{};
	std::function<bool(const S &, herald_refusal *)> function_;
	std::vector<herald_field> fields_;
	std::vector<std::vector<const char *>> one_of_;
	/* Of variants: the number of a line, and the offset of its tag. */
	std::vector<std::pair<std::size_t, std::size_t>> tags_;
};

} // namespace herald

#endif
