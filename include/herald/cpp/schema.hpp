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
#include <cstring>
#include <exception>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <herald/check.h>
#include <herald/cpp/value.hpp>
#include <herald/message.h>
#include <herald/schema.h>

namespace herald
{

/** A schema whose struct is known. The class schema is one; schema_of() makes one of a C schema. */
template <class S> class typed_schema
{
      public:
	/** The struct. */
	using payload = S;

	/** Made by schema_of() and the class schema. */
	explicit constexpr typed_schema(const herald_schema &schema) noexcept : schema_(&schema) {}

	/** The C schema. */
	constexpr const herald_schema &get() const noexcept
	{
		return *schema_;
	}
	/** For the functions of C. */
	constexpr operator const herald_schema &() const noexcept
	{
		return *schema_;
	}

      protected:
	const herald_schema *schema_; /**< The C schema. */
};

/** A schema of a C file, from HERALD_SCHEMA_DECLARE, for struct S. If the sizes differ, it is
 * refused: of a route, an upcaster or another schema when the service is created, of a value by
 * context::decode() and context::done(). */
template <class S>
constexpr typed_schema<S>
schema_of(const herald_schema &schema) noexcept
{
	return typed_schema<S>(schema);
}

template <class S> class schema;
template <class S> class variant_of;
template <class S> class message_lines;

namespace detail
{

/* Of a check that does not name its struct. */
struct no_struct {
};

/* Whether a kind is a pointer with a count. */
constexpr bool
has_count(herald_kind kind) noexcept
{
	return kind == HERALD_KIND_LIST || kind == HERALD_KIND_VALUES ||
	       kind == HERALD_KIND_STRUCT_MAP;
}

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

/** A check of a schema of struct S; see check(). */
template <class S> class check_of
{
      public:
	/** Made by check(). */
	explicit check_of(std::function<bool(const S &, herald_refusal *)> function) noexcept
		: function_(std::move(function))
	{
	}

      private:
	friend class schema<S>;
	std::function<bool(const S &, herald_refusal *)> function_;
};

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

/** The lines of a message in a struct S; see message_fields(). */
template <class S> class message_lines
{
      public:
	/** Made by message_fields(). */
	explicit message_lines(std::size_t offset) noexcept
	{
		for (std::size_t i = 0; i < herald_message_schema.fields_count; i++) {
			lines_.emplace_back(herald_message_schema.fields[i]);
			lines_.back().field_.offset += offset;
		}
	}

      private:
	friend class schema<S>;
	std::vector<line<S>> lines_;
};

namespace detail
{

template <class T> inline constexpr bool always_false = false;

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

/*
 * Call `call`; if an exception leaves it, return what `caught` makes of its text. Exceptions must
 * not pass through Herald, which is C.
 */
template <class Call, class Caught>
auto
guard(Call &&call, Caught &&caught) noexcept -> decltype(caught(""))
{
#ifdef __cpp_exceptions
	try {
		return call();
	} catch (const std::exception &exception) {
		return caught(exception.what());
	} catch (...) {
		return caught("an exception that is not a std::exception");
	}
#else
	(void)caught;
	return call();
#endif
}

/* Before the other base of schema<S>, which refers to it. */
struct schema_storage {
	herald_schema c_{};
};

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

/* The C schema. The one of a schema<T> is at a known place, although it may be constructed later:
 * schemas may refer to themselves and to each other. */
template <class T>
const herald_schema *
address_of(const typed_schema<T> &schema) noexcept
{
	return &schema.get();
}

template <class T>
const herald_schema *
address_of(const schema<T> &schema) noexcept
{
	return &static_cast<const schema_storage &>(schema).c_;
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

/** A member that is not in the JSON. Decoding sets it to zero. */
template <class S, class M>
line<S>
ignored(const char *name, M S::*member) noexcept
{
	return line<S>(detail::make_field(name, member, HERALD_KIND_NONE));
}

/**
 * The lines of an envelope that begins with a message, as HERALD_MESSAGE_FIELDS; see the option
 * `envelope` of services. Where ctx.message() is not NULL, a function reads the envelope as
 * `*reinterpret_cast<const my_message *>(ctx.message())`.
 *
 *	struct my_message { herald_message message; const char *tenant; };
 *
 *	static const herald::schema<my_message> my_message_schema{
 *		"my_message", herald::message_fields(&my_message::message),
 *		herald::field("tenant", &my_message::tenant).required()};
 *
 *	options.c.envelope = &my_message_schema.get();
 */
template <class S, class M>
message_lines<S>
message_fields(M S::*member) noexcept
{
	static_assert(std::is_same_v<M, herald_message>, "the member must be a herald_message");
	return message_lines<S>(detail::offset_of(member));
}

/**
 * A check of the struct as a whole, in place of a line; see herald/check.h. The function is a
 * lambda or a function, and copied. An exception that leaves it refuses the struct, with its text.
 *
 *	herald::check<period>([](const period &value, herald_refusal *refusal) {
 *		return value.from <= value.to || herald_refuse(refusal, "to", "is too early");
 *	})
 */
template <class S, class F>
check_of<S>
check(F function) noexcept
{
	static_assert(std::is_invocable_r_v<bool, F &, const S &, herald_refusal *>,
		      "a check is a function (const S &, herald_refusal *) that returns bool");
	return check_of<S>(std::move(function));
}

/** Without the struct. Does not compile. */
template <class F>
check_of<detail::no_struct>
check(F &&) noexcept
{
	static_assert(detail::always_false<F>,
		      "a check names its struct: herald::check<STRUCT>(function)");
	return check_of<detail::no_struct>(nullptr);
}

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
