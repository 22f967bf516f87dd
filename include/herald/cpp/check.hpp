/*
 * A check of a struct as a whole, in place of a line of its schema.
 */
#ifndef HERALD_CPP_CHECK_HPP
#define HERALD_CPP_CHECK_HPP

#include <functional>
#include <type_traits>
#include <utility>

#include <herald/check.h>
#include <herald/cpp/detail.hpp>

namespace herald
{

template <class S> class schema;

namespace detail
{

/* Of a check that does not name its struct. */
struct no_struct {
};

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

} // namespace herald

#endif
