/*
 * A line of a schema, with its options. herald/cpp/field.hpp and herald/cpp/variant.hpp make lines.
 */
#ifndef HERALD_CPP_LINE_HPP
#define HERALD_CPP_LINE_HPP

#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/schema.h>

namespace herald
{

template <class S> class schema;
template <class S> class variant_of;
template <class S> class message_lines;

namespace detail
{

/* The value of a case. 0 and nullptr would be the case of all other values. */
template <class T>
constexpr const char *
text_of_case([[maybe_unused]] T value) noexcept
{
	constexpr bool is_text =
		std::is_convertible_v<T, const char *> && !std::is_null_pointer_v<T>;

	static_assert(is_text, "the value of a case must be the text of the tag in JSON or, for an "
			       "enum, its name in the table of the enum; all other values are "
			       "when_other()");
	if constexpr (is_text)
		return value;
	else
		return nullptr;
}

} // namespace detail

/** A line of a schema of struct S; see field(), optional(), list_field() and ignored(). */
template <class S> class line
{
      public:
	/** Missing or null is an error. */
	line required() &&noexcept
	{
		field_.required = true;
		return std::move(*this);
	}
	/** One line for people. */
	line doc(const char *text) &&noexcept
	{
		field_.doc = text;
		return std::move(*this);
	}
	/** Numbers: the least value. */
	line min(long double value) &&noexcept
	{
		field_.lower_bound = {nullptr, true, value};
		return std::move(*this);
	}
	/** Numbers: the greatest value. */
	line max(long double value) &&noexcept
	{
		field_.upper_bound = {nullptr, true, value};
		return std::move(*this);
	}
	/** Numbers: both ends. */
	line range(long double least, long double greatest) &&noexcept
	{
		return std::move(*this).min(least).max(greatest);
	}
	/** Strings, if present: bytes after unescaping. */
	line min_bytes(std::size_t bytes) &&noexcept
	{
		field_.min_bytes = bytes;
		return std::move(*this);
	}
	/** Strings, if present: bytes after unescaping. */
	line max_bytes(std::size_t bytes) &&noexcept
	{
		field_.max_bytes = bytes;
		return std::move(*this);
	}
	/** Lists and maps, if present: elements. */
	line min_count(std::size_t count) &&noexcept
	{
		field_.min_count = count;
		return std::move(*this);
	}
	/** Lists and maps, if present: elements. */
	line max_count(std::size_t count) &&noexcept
	{
		field_.max_count = count;
		return std::move(*this);
	}
	/** Strings: the allowed values. */
	line one_of(std::initializer_list<const char *> values) &&noexcept
	{
		one_of_.assign(values);
		one_of_.push_back(nullptr);
		return std::move(*this);
	}
	/** Counts only if the member with the line `tag` has this value, as HERALD_WHEN. The value
	 * is the text of the tag in JSON or, for an enum, its name in the enum's table. */
	template <class T> line when(const char *tag, T value) &&noexcept
	{
		field_.tag = tag;
		field_.when = detail::text_of_case(value);
		return std::move(*this);
	}
	/** The same for all values without a line of their own, as HERALD_WHEN_OTHER. */
	line when_other(const char *tag) &&noexcept
	{
		field_.tag = tag;
		return std::move(*this);
	}
	/** Structs: the members are in this object, not in one of their own. */
	line flat() &&noexcept
	{
		field_.flat = true;
		return std::move(*this);
	}
	/** Numbers: in a string, such as "12". */
	line quoted() &&noexcept
	{
		field_.quoted = true;
		return std::move(*this);
	}
	/** bool: 0 or 1. Enums: the number in C++. */
	line numeric() &&noexcept
	{
		field_.numeric = true;
		return std::move(*this);
	}
	/** Times: a number, the time since 1970. */
	line epoch(herald_epoch unit) &&noexcept
	{
		field_.epoch = unit;
		return std::move(*this);
	}
	/** Enums: the value for names that are not known. */
	template <class E> line unknown(E value) &&noexcept
	{
		static_assert(std::is_enum_v<E> || std::is_same_v<E, int>,
			      "the value for unknown names must be one of the enum");
		field_.unknown = {nullptr, true, static_cast<int>(value)};
		return std::move(*this);
	}
	/** Accept what less strict senders write, too; see struct herald_field. */
	line lenient() &&noexcept
	{
		field_.lenient = true;
		return std::move(*this);
	}
	/** Lists and arrays of strings: an element may be null, which is NULL. */
	line nullable() &&noexcept
	{
		field_.nullable = true;
		return std::move(*this);
	}
	/** Any other option of struct herald_field: line.set(&herald_field::min_bytes, 1). */
	template <class T> line set(T herald_field::*option, std::common_type_t<T> value) &&noexcept
	{
		field_.*option = value;
		return std::move(*this);
	}

	/** Made by the functions below. */
	explicit line(const herald_field &field) noexcept : field_(field) {}

      private:
	friend class schema<S>;
	template <class> friend class variant_of;
	template <class> friend class message_lines;

	herald_field field_;
	std::vector<const char *> one_of_;
};

} // namespace herald

#endif
