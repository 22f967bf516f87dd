/*
 * Values of payloads in C++: text as std::string_view, lists with begin() and end(), and raw JSON
 * with a reader. Each has the layout of its C type, so it can be a member of a payload.
 */
#ifndef HERALD_CPP_VALUE_HPP
#define HERALD_CPP_VALUE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <herald/json.h>
#include <herald/value.h>

namespace herald
{

/** A struct herald_text that is a std::string_view where one is expected. */
struct text : herald_text {
	text() = default;
	/** From C. */
	constexpr text(const herald_text &c) noexcept : herald_text(c) {}

	/** "" if missing or null. */
	constexpr std::string_view view() const noexcept
	{
		return data ? std::string_view(data, bytes) : std::string_view();
	}
	/** As view(). */
	constexpr operator std::string_view() const noexcept
	{
		return view();
	}
	/** False if missing or null; true for "". */
	constexpr explicit operator bool() const noexcept
	{
		return data != nullptr;
	}
};

/** A pointer to the first element and a count, as payloads have them: `const T *x; size_t x_count;`
 * in one member. */
template <class T> struct list {
	/** The type of the elements. */
	using value_type = T;

	const T *items;    /**< NULL if missing or null. */
	std::size_t count; /**< Number of elements. */

	/** The first element. */
	constexpr const T *begin() const noexcept
	{
		return items;
	}
	/** Past the last element. */
	constexpr const T *end() const noexcept
	{
		return items + count;
	}
	/** NULL if missing or null. */
	constexpr const T *data() const noexcept
	{
		return items;
	}
	/** Number of elements. */
	constexpr std::size_t size() const noexcept
	{
		return count;
	}
	/** Whether there is no element. */
	constexpr bool empty() const noexcept
	{
		return count == 0;
	}
	/** An element; not checked. */
	constexpr const T &operator[](std::size_t index) const noexcept
	{
		return items[index];
	}
};

/** The list of a C struct: `for (const order_line &line : herald::list_of(order.lines,
 * order.lines_count))`. */
template <class T>
constexpr list<T>
list_of(const T *items, std::size_t count) noexcept
{
	return {items, count};
}

/** A map as a list: `for (const herald_pair &pair : herald::pairs_of(order.labels))`. */
inline list<herald_pair>
pairs_of(const herald_map &map) noexcept
{
	return {map.pairs, map.count};
}

/** The same for a map of any values. */
inline list<herald_json_pair>
pairs_of(const herald_json_map &map) noexcept
{
	return {map.pairs, map.count};
}

struct json_item;
class json_iterator;

/** The end of a walk. */
struct json_end {
};

/**
 * Raw JSON: a struct herald_json with the functions of herald/json.h. It is borrowed. The JSON must
 * be valid: it is if Herald has decoded it, or with check().
 */
struct json : herald_json {
	json() = default;
	/** From C. */
	constexpr json(const herald_json &c) noexcept : herald_json(c) {}

	/** Check a text that was not decoded by Herald. Returns no JSON after an error. */
	static json check(std::string_view text, herald_error *error = nullptr) noexcept
	{
		json out = none();

		return herald_json_check(text.data(), text.size(), nullptr, &out, error) ==
				       HERALD_OK
			       ? out
			       : none();
	}

	/** JSON that is missing. */
	static constexpr json none() noexcept
	{
		return herald_json{nullptr, 0};
	}

	/** False if missing. null is JSON, too. */
	constexpr explicit operator bool() const noexcept
	{
		return data != nullptr;
	}

	/** HERALD_JSON_NONE if missing. */
	herald_json_type type() const noexcept
	{
		return herald_json_type_of(this);
	}

	/** The text itself. */
	constexpr std::string_view view() const noexcept
	{
		return data ? std::string_view(data, bytes) : std::string_view();
	}

	/**
	 * Look up by a JSON Pointer: `json.find("/address/city").string_equals("Vienna")`. What is
	 * missing, ambiguous or not a pointer is JSON that is missing; the error says which.
	 */
	json find(const char *pointer, herald_error *error = nullptr) const noexcept
	{
		json out = none();

		return herald_json_find(this, pointer, &out, error) == HERALD_OK ? out : none();
	}

	/** The number of members or elements; 0 for other values. Walks over all of them. */
	std::size_t size() const noexcept
	{
		return herald_json_count(this);
	}

	/** Values; nothing if the JSON is missing, of another type, or does not fit. */
	std::optional<bool> boolean() const noexcept
	{
		return read<bool>(herald_json_read_bool);
	}
	/** An integer, exactly. */
	std::optional<std::int64_t> int64() const noexcept
	{
		return read<std::int64_t>(herald_json_read_int64);
	}
	/** The same without a sign. */
	std::optional<std::uint64_t> uint64() const noexcept
	{
		return read<std::uint64_t>(herald_json_read_uint64);
	}
	/** A number, correctly rounded. */
	std::optional<double> number() const noexcept
	{
		return read<double>(herald_json_read_double);
	}
	/** A string without its escapes, copied to an arena, such as herald_context_arena(ctx). */
	std::optional<text> string(herald_arena *memory) const noexcept
	{
		text out;

		if (herald_json_read_string(this, memory, &out) != HERALD_OK)
			return std::nullopt;
		return out;
	}
	/** Whether it is a string with this content. Allocates nothing. */
	bool string_equals(const char *expected) const noexcept
	{
		return herald_json_string_equals(this, expected);
	}

	/** Members or elements: `for (const herald::json_item &item : json)`. */
	inline json_iterator begin() const noexcept;
	/** The end of the walk. */
	json_end end() const noexcept
	{
		return {};
	}

      private:
	template <class T>
	std::optional<T> read(herald_status function(const herald_json *, T *)) const noexcept
	{
		T out;

		if (function(this, &out) != HERALD_OK)
			return std::nullopt;
		return out;
	}
};

/** A member or an element. */
struct json_item {
	json name;         /**< A member's name, as a JSON string; missing of an element. */
	json value;        /**< Its value. */
	std::size_t index; /**< Its number, from 0. */
};

/** A walk over members or elements, for range-based for. */
class json_iterator
{
      public:
	/** At the first member or element. */
	explicit json_iterator(const herald_json &value) noexcept
	{
		herald_json_walk_init(&walk, &value);
		more = herald_json_walk_next(&walk);
	}
	/** The member or element. */
	json_item operator*() const noexcept
	{
		return {walk.name, walk.value, walk.index};
	}
	/** Move on to the next one. */
	json_iterator &operator++() noexcept
	{
		more = herald_json_walk_next(&walk);
		return *this;
	}
	/** Whether there is one more. */
	bool operator!=(json_end) const noexcept
	{
		return more;
	}

      private:
	herald_json_walk walk;
	bool more;
};

inline json_iterator
json::begin() const noexcept
{
	return json_iterator(*this);
}

} // namespace herald

#endif
