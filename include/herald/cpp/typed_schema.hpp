/*
 * A schema whose struct the compiler knows: one of a C file, or the class schema of
 * herald/cpp/schema.hpp.
 */
#ifndef HERALD_CPP_TYPED_SCHEMA_HPP
#define HERALD_CPP_TYPED_SCHEMA_HPP

#include <herald/schema.h>

namespace herald
{

template <class S> class schema;

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

namespace detail
{

/* Before the other base of schema<S>, which refers to it. */
struct schema_storage {
	herald_schema c_{};
};

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

} // namespace detail

} // namespace herald

#endif
