/*
 * The lines of members: values, structs, lists, maps, and members that are not in the JSON.
 */
#ifndef HERALD_CPP_FIELD_HPP
#define HERALD_CPP_FIELD_HPP

#include <cstddef>
#include <type_traits>

#include <herald/cpp/detail.hpp>
#include <herald/cpp/line.hpp>
#include <herald/cpp/member.hpp>
#include <herald/cpp/typed_schema.hpp>
#include <herald/cpp/value.hpp>
#include <herald/schema.h>

namespace herald
{

/**
 * A member of a type that HERALD_FIELD takes, herald::text, herald::json, or herald::list or a
 * fixed array of such a type. If missing or null in the JSON, it is zero.
 */
template <class S, class M>
line<S>
field(const char *key, M S::*member) noexcept
{
	if constexpr (!std::is_void_v<detail::element_t<M>>) {
		const std::size_t offset = detail::offset_of(member);

		return line<S>(detail::make_list<S>(key, offset, offset + offsetof(M, count),
						    detail::element_kind<detail::element_t<M>>(),
						    nullptr));
	} else {
		if constexpr (!detail::is_array_of_values<M>)
			detail::check_member<M>();
		return line<S>(detail::make_value(key, member));
	}
}

/** An enum or a herald::list of enums, with an array of its names: `static const herald_name
 * size_names[]`. */
template <class S, class M, std::size_t N>
line<S>
field(const char *key, M S::*member, const herald_name (&names)[N]) noexcept
{
	if constexpr (!std::is_void_v<detail::element_t<M>>) {
		const std::size_t offset = detail::offset_of(member);

		return detail::name_values<S, std::remove_cv_t<detail::element_t<M>>>(
			detail::make_list<S>(key, offset, offset + offsetof(M, count),
					     HERALD_KIND_ENUM, nullptr),
			names);
	} else {
		return detail::name_values<S, std::remove_cv_t<M>>(
			detail::make_field(key, member, HERALD_KIND_ENUM), names);
	}
}

/** A struct, a pointer to one (`const T *`, NULL if missing or null), a fixed array or a
 * herald::list of structs, with the struct's schema. */
template <class S, class M, class Schema, class T = typename Schema::payload>
line<S>
field(const char *key, M S::*member, const Schema &inner) noexcept
{
	if constexpr (std::is_same_v<M, list<T>>) {
		const std::size_t offset = detail::offset_of(member);

		return line<S>(detail::make_list<S>(key, offset, offset + offsetof(M, count),
						    HERALD_KIND_NONE, detail::address_of(inner),
						    sizeof(T)));
	} else if constexpr (std::is_array_v<M>) {
		static_assert(std::is_same_v<std::remove_extent_t<M>, T>,
			      "the schema is of another struct than the member");
		herald_field field = detail::make_array(key, member, HERALD_KIND_STRUCT);

		field.schema = detail::address_of(inner);
		field.inner_bytes = sizeof(T);
		return line<S>(field);
	} else {
		constexpr bool is_pointer = std::is_same_v<M, T *> || std::is_same_v<M, const T *>;

		static_assert(is_pointer || std::is_same_v<M, T>,
			      "the schema is of another struct than the member");
		herald_field field = detail::make_field(
			key, member, is_pointer ? HERALD_KIND_POINTER : HERALD_KIND_STRUCT);

		field.schema = detail::address_of(inner);
		field.inner_bytes = sizeof(T);
		return line<S>(field);
	}
}

/** A C schema does not say which struct it is of. Does not compile. */
template <class S, class M>
line<S>
field(const char *, M S::*, const herald_schema &) noexcept
{
	static_assert(detail::always_false<M>, "a schema of C is used as "
					       "herald::schema_of<STRUCT>(STRUCT_schema)");
	return line<S>(herald_field{});
}

namespace detail
{

/* What the functions above take. */
template <class Other, class = void>
constexpr bool is_names_or_schema =
	std::is_same_v<std::remove_cv_t<std::remove_extent_t<Other>>, herald_name> ||
	std::is_same_v<Other, herald_schema>;
template <class Other>
constexpr bool is_names_or_schema<Other, std::void_t<typename Other::payload>> = true;

} // namespace detail

/** Something else than names and a schema. Does not compile. */
template <class S, class M, class Other,
	  std::enable_if_t<!detail::is_names_or_schema<Other>, int> = 0>
line<S>
field(const char *, M S::*, const Other &) noexcept
{
	static_assert(detail::always_false<M>,
		      "after the member comes nothing, a schema, or an array of herald_name");
	return line<S>(herald_field{});
}

/** A value or a fixed array of values that distinguishes missing from zero: `has`, a bool, is true
 * if the JSON has a value that is not null. */
template <class S, class M, class B>
line<S>
optional(const char *key, M S::*member, B S::*has) noexcept
{
	static_assert(std::is_same_v<B, bool>,
		      "the member that says whether there is a value must be a bool");
	if constexpr (!detail::is_array_of_values<M>)
		detail::check_member<M>();
	herald_field field = detail::make_value(key, member);

	field.optional = true;
	field.has_offset = detail::offset_of(has);
	return line<S>(field);
}

/** Without `has`, or of a struct. Does not compile. */
template <class S, class M, class... More>
line<S>
optional(const char *, M S::*, const More &...) noexcept
{
	static_assert(detail::always_false<M>,
		      "after an optional member comes the bool that says whether there is a value, "
		      "then the names of an enum; an optional struct is a pointer");
	return line<S>(herald_field{});
}

/** The same for an enum, with its names. */
template <class S, class E, std::size_t N>
line<S>
optional(const char *key, E S::*member, bool S::*has, const herald_name (&names)[N]) noexcept
{
	herald_field field = detail::make_field(key, member, HERALD_KIND_ENUM);

	field.optional = true;
	field.has_offset = detail::offset_of(has);
	return detail::name_values<S, std::remove_cv_t<E>>(field, names);
}

/** A list of values in two members, as C structs have it. */
template <class S, class T>
line<S>
list_field(const char *key, T *S::*member, std::size_t S::*count) noexcept
{
	return line<S>(
		detail::make_list<S>(key, detail::offset_of(member), detail::offset_of(count),
				     detail::element_kind<std::remove_const_t<T>>(), nullptr));
}

/** A list of enums in two members, with their names. */
template <class S, class E, std::size_t N>
line<S>
list_field(const char *key, E *S::*member, std::size_t S::*count,
	   const herald_name (&names)[N]) noexcept
{
	return detail::name_values<S, std::remove_const_t<E>>(
		detail::make_list<S>(key, detail::offset_of(member), detail::offset_of(count),
				     HERALD_KIND_ENUM, nullptr),
		names);
}

/** A list of structs in two members. */
template <class S, class T, class Schema, class = typename Schema::payload>
line<S>
list_field(const char *key, T *S::*member, std::size_t S::*count, const Schema &inner) noexcept
{
	static_assert(std::is_same_v<std::remove_const_t<T>, typename Schema::payload>,
		      "the schema is of another struct than the member");
	return line<S>(detail::make_list<S>(key, detail::offset_of(member),
					    detail::offset_of(count), HERALD_KIND_NONE,
					    detail::address_of(inner), sizeof(T)));
}

/** Other members. Does not compile. */
template <class S, class M, class... More>
line<S>
list_field(const char *, M S::*, const More &...) noexcept
{
	static_assert(detail::always_false<M>,
		      "the members of a list are a pointer and a std::size_t, then come the schema "
		      "of a struct or the names of an enum; a herald::list is herald::field()");
	return line<S>(herald_field{});
}

/** A map, as HERALD_MAP: an object of any members, in input order. T's schema has a herald::key. */
template <class S, class T, class Schema>
line<S>
map_field(const char *key, list<T> S::*member, const Schema &inner) noexcept
{
	static_assert(std::is_same_v<T, typename Schema::payload>,
		      "the schema is of another struct than the member");
	const std::size_t offset = detail::offset_of(member);
	herald_field field =
		detail::make_list<S>(key, offset, offset + offsetof(list<T>, count),
				     HERALD_KIND_NONE, detail::address_of(inner), sizeof(T));

	field.kind = HERALD_KIND_STRUCT_MAP;
	return line<S>(field);
}

/** A map in two members, as C structs have it. */
template <class S, class T, class Schema>
line<S>
map_field(const char *key, T *S::*member, std::size_t S::*count, const Schema &inner) noexcept
{
	static_assert(std::is_same_v<std::remove_const_t<T>, typename Schema::payload>,
		      "the schema is of another struct than the member");
	herald_field field =
		detail::make_list<S>(key, detail::offset_of(member), detail::offset_of(count),
				     HERALD_KIND_NONE, detail::address_of(inner), sizeof(T));

	field.kind = HERALD_KIND_STRUCT_MAP;
	return line<S>(field);
}

/** Other members. Does not compile. */
template <class S, class M, class... More>
line<S>
map_field(const char *, M S::*, const More &...) noexcept
{
	static_assert(detail::always_false<M>,
		      "the member of a map is a herald::list of structs, or a pointer and a "
		      "std::size_t, then comes the schema of the struct; a herald_map is "
		      "herald::field()");
	return line<S>(herald_field{});
}

/** The member of a map's struct that is the name in JSON, as HERALD_KEY. */
template <class S, class M>
line<S>
key(const char *name, M S::*member) noexcept
{
	static_assert(std::is_same_v<M, const char *> || std::is_same_v<M, char *>,
		      "the member must be a const char *, because a name in JSON is a string");
	return line<S>(detail::make_field(name, member, HERALD_KIND_KEY));
}

/** A member that is not in the JSON. Decoding sets it to zero. */
template <class S, class M>
line<S>
ignored(const char *name, M S::*member) noexcept
{
	return line<S>(detail::make_field(name, member, HERALD_KIND_NONE));
}

} // namespace herald

#endif
