/*
 * The lines of tagged unions, and their cases.
 */
#ifndef HERALD_CPP_VARIANT_HPP
#define HERALD_CPP_VARIANT_HPP

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/cpp/detail.hpp>
#include <herald/cpp/field.hpp>
#include <herald/cpp/line.hpp>
#include <herald/cpp/member.hpp>
#include <herald/schema.h>

namespace herald
{

namespace detail
{

/* Whether a kind is a pointer with a count. */
constexpr bool
has_count(herald_kind kind) noexcept
{
	return kind == HERALD_KIND_LIST || kind == HERALD_KIND_VALUES ||
	       kind == HERALD_KIND_STRUCT_MAP;
}

} // namespace detail

/** A case of a tagged union of type U; see when(). */
template <class U> class case_of
{
      public:
	/** Made by when() and when_other(). */
	case_of(const char *value, line<U> &&line) noexcept : value_(value), line_(std::move(line))
	{
	}

      private:
	template <class> friend class variant_of;
	const char *value_; /* NULL: all others */
	line<U> line_;
};

/** The lines of a tagged union in a struct S; see variant(). */
template <class S> class variant_of
{
      public:
	/** Missing or null is an error if the tag has a case. Not with flat(). */
	variant_of required() &&noexcept
	{
		for (line<S> &each : lines_)
			each.field_.required = true;
		return std::move(*this);
	}
	/** The members of the structs are in this object, as HERALD_FLAT_VARIANT. */
	variant_of flat() &&noexcept
	{
		for (line<S> &each : lines_)
			each.field_.flat = true;
		return std::move(*this);
	}
	/** One line for people. */
	variant_of doc(const char *text) &&noexcept
	{
		for (line<S> &each : lines_)
			each.field_.doc = text;
		return std::move(*this);
	}

	/** Made by variant(): a line with names, and the offsets of the union and the tag. */
	template <class... Cases>
	variant_of(const herald_field &names, std::size_t offset, std::size_t tag_offset,
		   const Cases &...cases) noexcept
		: tag_offset_(tag_offset)
	{
		lines_.reserve(sizeof...(Cases));
		(add(names, offset, cases.value_, cases.line_.field_, cases.line_.one_of_), ...);
	}

      private:
	friend class schema<S>;

	/* The line of a case in the union is a line of the struct, further behind. */
	void add(const herald_field &names, std::size_t offset, const char *value,
		 const herald_field &in_union, const std::vector<const char *> &one_of) noexcept
	{
		herald_field field = in_union;

		field.name = names.name;
		field.key = names.key;
		field.offset += offset;
		if (detail::has_count(field.kind))
			field.count_offset += offset;
		if (field.optional)
			field.has_offset += offset;
		field.when = value;
		lines_.emplace_back(field);
		lines_.back().one_of_ = one_of;
	}

	std::size_t tag_offset_;
	std::vector<line<S>> lines_;
};

/**
 * A case of variant(): a member of the union, as in field(), for one text of the tag in JSON or,
 * for an enum, its name in the enum's table.
 *
 *	herald::when("circle", &shape::bodies::circle, circle_schema)
 *	herald::when("corners", &shape::bodies::corners)
 */
template <class T, class U, class M, class... More>
case_of<U>
when(T value, M U::*member, const More &...more) noexcept
{
	return case_of<U>(detail::text_of_case(value), field("", member, more...));
}

/** A case that needs more than field(): any line of the union, such as a map, with its options. The
 * variant's name counts, not the line's: `herald::when("weight", herald::field("",
 * &goods::bodies::weight).min(0))`. */
template <class T, class U>
case_of<U>
when(T value, line<U> &&of_union) noexcept
{
	return case_of<U>(detail::text_of_case(value), std::move(of_union));
}

/** A case of a `const void *`: the schema of the struct that it points to. */
template <class T, class Schema, class = typename Schema::payload>
case_of<void>
when(T value, const Schema &pointed) noexcept
{
	return case_of<void>(detail::text_of_case(value),
			     line<void>(detail::make_pointed(pointed)));
}

/** The case of all other texts of the tag, as HERALD_CASE_OTHER. */
template <class U, class M, class... More>
case_of<U>
when_other(M U::*member, const More &...more) noexcept
{
	return case_of<U>(nullptr, field("", member, more...));
}

/** The same for any line of the union. */
template <class U>
case_of<U>
when_other(line<U> &&of_union) noexcept
{
	return case_of<U>(nullptr, std::move(of_union));
}

/** The same for a `const void *`. */
template <class Schema, class = typename Schema::payload>
case_of<void>
when_other(const Schema &pointed) noexcept
{
	return case_of<void>(nullptr, line<void>(detail::make_pointed(pointed)));
}

/**
 * A tagged union, as HERALD_VARIANT: `tag`, a string or an enum with a line of its own that is
 * required, says which member of the union is used. It may come before or after the value.
 *
 *	struct shape {
 *		const char *kind;
 *		union bodies { circle circle; square square; } body;
 *	};
 *
 *	herald::field("kind", &shape::kind).required(),
 *	herald::variant("body", &shape::body, &shape::kind,
 *			herald::when("circle", &shape::bodies::circle, circle_schema),
 *			herald::when("square", &shape::bodies::square, square_schema))
 *
 *	{"kind": "circle", "body": {"radius": 2}}
 *
 * With .flat(): {"kind": "circle", "radius": 2}. Unions without a name have lines with when().
 *
 * The member may also be a `const void *` that points to the struct of the case, as
 * HERALD_POINTER_VARIANT. It is NULL if the value is missing:
 *
 *	herald::variant("body", &shape::body, &shape::kind,
 *			herald::when("circle", circle_schema),
 *			herald::when("square", square_schema))
 */
template <class S, class U, class T, class... Cases>
variant_of<S>
variant(const char *key, U S::*member, T S::*tag, const Cases &...cases) noexcept
{
	constexpr herald_kind kind = detail::kind_of<T>();
	constexpr bool is_pointer = std::is_same_v<U, const void *> || std::is_same_v<U, void *>;
	using place = std::conditional_t<is_pointer, void, U>;

	static_assert(std::is_union_v<U> || is_pointer,
		      "the member of a variant must be a union, or a const void *");
	static_assert(std::is_enum_v<T> || kind == HERALD_KIND_STRING || kind == HERALD_KIND_TEXT ||
			      kind == HERALD_KIND_CHARS,
		      "the tag of a union must be a string or an enum");
	static_assert(sizeof...(Cases) > 0, "a union needs a case, such as herald::when()");
	constexpr bool is_schema = !is_pointer && (std::is_same_v<Cases, case_of<void>> || ...);

	static_assert(!is_schema, "a case of a union names its member: herald::when(\"circle\", "
				  "&shape::bodies::circle, circle_schema)");
	static_assert(is_pointer || is_schema || (std::is_same_v<Cases, case_of<U>> && ...),
		      "a case is of another union than the member");
	static_assert(!is_pointer || (std::is_same_v<Cases, case_of<void>> && ...),
		      "a case of a const void * is a schema: herald::when(\"circle\", "
		      "circle_schema)");
	if constexpr ((std::is_same_v<Cases, case_of<place>> && ...))
		return variant_of<S>(detail::name_field(key), detail::offset_of(member),
				     detail::offset_of(tag), cases...);
	else
		return variant_of<S>(herald_field{}, 0, 0);
}

/** Without a tag, or with its name. Does not compile. */
template <class S, class U, class... More>
variant_of<S>
variant(const char *, U S::*, const More &...) noexcept
{
	static_assert(
		detail::always_false<U>,
		"after the union comes its tag, a member such as &shape::kind, then the cases");
	return variant_of<S>(herald_field{}, 0, 0);
}

} // namespace herald

#endif
