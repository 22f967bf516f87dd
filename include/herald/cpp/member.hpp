/*
 * What the type of a member means to a schema: its kind, its place in the struct, and sentences of
 * the compiler for what is not supported. Not for users.
 */
#ifndef HERALD_CPP_MEMBER_HPP
#define HERALD_CPP_MEMBER_HPP

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <herald/cpp/line.hpp>
#include <herald/cpp/typed_schema.hpp>
#include <herald/cpp/value.hpp>
#include <herald/schema.h>

namespace herald
{

namespace detail
{

/* The integer types that HERALD_FIELD takes: not char and its like. */
template <class T>
inline constexpr bool is_integer =
	std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> &&
#ifdef __cpp_char8_t
	!std::is_same_v<T, char8_t> &&
#endif
	!std::is_same_v<T, wchar_t> && !std::is_same_v<T, char16_t> && !std::is_same_v<T, char32_t>;

template <class T>
constexpr herald_kind
integer_kind()
{
	constexpr bool is_signed = std::is_signed_v<T>;

	if constexpr (sizeof(T) == 8)
		return is_signed ? HERALD_KIND_INT64 : HERALD_KIND_UINT64;
	else if constexpr (sizeof(T) == 4)
		return is_signed ? HERALD_KIND_INT32 : HERALD_KIND_UINT32;
	else if constexpr (sizeof(T) == 2)
		return is_signed ? HERALD_KIND_INT16 : HERALD_KIND_UINT16;
	else
		return is_signed ? HERALD_KIND_INT8 : HERALD_KIND_UINT8;
}

/* The kind of a type that stands for itself; HERALD_KIND_COUNT: none. */
template <class M>
constexpr herald_kind
kind_of()
{
	using T = std::remove_cv_t<M>;

	if constexpr (std::is_same_v<T, bool>)
		return HERALD_KIND_BOOL;
	else if constexpr (is_integer<T>)
		return integer_kind<T>();
	else if constexpr (std::is_same_v<T, float>)
		return HERALD_KIND_FLOAT;
	else if constexpr (std::is_same_v<T, double>)
		return HERALD_KIND_DOUBLE;
	else if constexpr (std::is_same_v<T, const char *> || std::is_same_v<T, char *>)
		return HERALD_KIND_STRING;
	else if constexpr (std::is_array_v<T> && std::is_same_v<std::remove_extent_t<T>, char>)
		return HERALD_KIND_CHARS;
	else if constexpr (std::is_base_of_v<herald_text, T>)
		return HERALD_KIND_TEXT;
	else if constexpr (std::is_same_v<T, herald_time>)
		return HERALD_KIND_TIME;
	else if constexpr (std::is_base_of_v<herald_json, T>)
		return HERALD_KIND_JSON;
	else if constexpr (std::is_same_v<T, herald_map>)
		return HERALD_KIND_MAP;
	else if constexpr (std::is_same_v<T, herald_json_map>)
		return HERALD_KIND_JSON_MAP;
	else
		return HERALD_KIND_COUNT;
}

template <class T> struct element_of_list {
	using type = void;
};
template <class T> struct element_of_list<list<T>> {
	using type = T;
};

/* The elements' type of a herald::list; void for other types. */
template <class T> using element_t = typename element_of_list<T>::type;

/* Whether a type is an instance of a template whose parameters are types. */
template <class T, template <class...> class Template> inline constexpr bool is_instance = false;
template <class... A, template <class...> class Template>
inline constexpr bool is_instance<Template<A...>, Template> = true;

/* What is often tried: says what to use instead. */
template <class M>
constexpr void
check_member()
{
	using T = std::remove_cv_t<M>;
	constexpr bool is_string =
		is_instance<T, std::basic_string> || is_instance<T, std::basic_string_view>;
	constexpr bool is_optional = is_instance<T, std::optional>;
	constexpr bool is_vector = is_instance<T, std::vector>;
	constexpr bool is_variant = is_instance<T, std::variant>;
	constexpr bool is_union = std::is_union_v<T>;
	constexpr bool is_enum = std::is_enum_v<T>;
	constexpr bool has_kind = kind_of<T>() != HERALD_KIND_COUNT;
	constexpr bool is_pointer = std::is_pointer_v<T> && !has_kind;

	static_assert(!is_string,
		      "the member is a string of C++: use const char *, or herald::text");
	static_assert(!is_optional, "the member is a std::optional: use a value and a bool, with "
				    "herald::optional()");
	static_assert(!is_vector, "the member is a std::vector: use herald::list<T>");
	static_assert(!is_variant, "the member is a std::variant: use a union, and a member that "
				   "says what it holds, with herald::variant()");
	static_assert(!is_union, "the member is a union: use herald::variant()");
	static_assert(!is_enum, "the member is an enum: its line needs the names");
	static_assert(!is_pointer, "the member is a pointer: its line needs a schema");
	static_assert(is_string || is_optional || is_vector || is_variant || is_union || is_enum ||
			      is_pointer || has_kind,
		      "the member has a type that is not supported, or needs a schema");
}

template <class S>
constexpr void
check_struct()
{
	static_assert(std::is_standard_layout_v<S> && std::is_trivially_copyable_v<S>,
		      "a payload is a plain struct: it cannot have members such as std::string");
	static_assert(
		std::is_trivially_default_constructible_v<S>,
		"members of a payload cannot be const or have initialisers: what is missing is "
		"zero");
}

template <class S, class M>
std::size_t
offset_of(M S::*member) noexcept
{
	static_assert(!std::is_const_v<M> && !std::is_volatile_v<M>,
		      "the member is const or volatile: decoding could not set it");
	check_struct<S>();
	if constexpr (!std::is_const_v<M> && !std::is_volatile_v<M>) {
		static const S object{};

		return static_cast<std::size_t>(reinterpret_cast<const char *>(&(object.*member)) -
						reinterpret_cast<const char *>(&object));
	} else {
		return 0;
	}
}

/* A line with its names. A name with a dot would be a member of an inner struct in C. */
inline herald_field
name_field(const char *key) noexcept
{
	const char *dot = key ? std::strrchr(key, '.') : nullptr;
	herald_field field{};

	field.name = key;
	if (dot) {
		field.key = key;
		field.name = dot[1] != '\0' ? dot + 1 : "member";
	}
	return field;
}

/* A line without options. */
template <class S, class M>
herald_field
make_field(const char *key, M S::*member, herald_kind kind) noexcept
{
	herald_field field = name_field(key);

	field.kind = kind;
	field.offset = offset_of(member);
	field.bytes = sizeof(M);
	return field;
}

/* The same for a fixed array. */
template <class S, class M>
herald_field
make_array(const char *key, M S::*member, herald_kind element) noexcept
{
	herald_field field = make_field(key, member, HERALD_KIND_ARRAY);

	field.element = element;
	return field;
}

/* The same for a pointer and a count. */
template <class S>
herald_field
make_list(const char *key, std::size_t offset, std::size_t count_offset, herald_kind element,
	  const herald_schema *inner, std::size_t inner_bytes = 0) noexcept
{
	herald_field field = name_field(key);

	field.kind = inner ? HERALD_KIND_LIST : HERALD_KIND_VALUES;
	field.element = inner ? HERALD_KIND_NONE : element;
	field.offset = offset;
	field.bytes = sizeof(void *);
	field.count_offset = count_offset;
	field.schema = inner;
	field.inner_bytes = inner_bytes;
	return field;
}

template <class T>
constexpr herald_kind
element_kind()
{
	constexpr herald_kind kind = kind_of<T>();

	static_assert(!std::is_enum_v<T>, "the elements are enums: their line needs the names");
	static_assert(std::is_enum_v<T> ||
			      (kind != HERALD_KIND_COUNT && kind != HERALD_KIND_CHARS &&
			       kind != HERALD_KIND_MAP && kind != HERALD_KIND_JSON_MAP),
		      "the elements have a type that is not supported, or need a schema");
	return kind;
}

template <class M>
inline constexpr bool is_array_of_values =
	std::is_array_v<M> && !std::is_same_v<std::remove_cv_t<std::remove_extent_t<M>>, char>;

/* A line of a member that is a value or a fixed array of values. Who calls it calls check_member()
 * first: gcc reports what is refused in templates that are called from here only after what is
 * refused in the struct. */
template <class S, class M>
herald_field
make_value(const char *key, M S::*member) noexcept
{
	if constexpr (is_array_of_values<M>)
		return make_array(key, member, element_kind<std::remove_extent_t<M>>());
	else
		return make_field(key, member, kind_of<M>());
}

/* Add its names to the line of an enum, or of a list of enums. */
template <class S, class E, std::size_t N>
line<S>
name_values(herald_field field, const herald_name (&names)[N]) noexcept
{
	static_assert(!std::is_array_v<E>,
		      "the member is an array of enums, which is not supported: use herald::list");
	static_assert(std::is_array_v<E> || (std::is_enum_v<E> && sizeof(E) == sizeof(int)),
		      "names are for enums of the size of an int, and lists of them");
	field.names = names;
	field.names_count = N;
	return line<S>(field);
}

/* A line of a pointer to a struct, at no place yet. */
template <class Schema>
herald_field
make_pointed(const Schema &inner) noexcept
{
	herald_field field{};

	field.kind = HERALD_KIND_POINTER;
	field.bytes = sizeof(void *);
	field.schema = address_of(inner);
	field.inner_bytes = sizeof(typename Schema::payload);
	return field;
}

} // namespace detail

} // namespace herald

#endif
