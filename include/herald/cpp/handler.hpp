/*
 * Handlers in C++: any class with some of these functions is one.
 *
 *	herald_verdict receive(herald::context &, std::string_view data);
 *	herald_verdict accept(herald::context &);
 *	herald_verdict before(herald::context &);
 *	herald_again again(herald::context &, unsigned attempt, std::uint32_t &delay_ms);
 *	herald_verdict after(herald::context &, herald_verdict result);
 *	void rejected(herald::context &, const herald_rejection &);
 *	void dead(herald::context &, const herald_result &);
 *	herald_status check(const herald_schema &envelope, herald_error &);
 *
 * herald/handler.h says what each is for. Functions that return a verdict may return void, which
 * counts as HERALD_DONE (of `after`: as no change). An exception that leaves a function is
 * HERALD_FAIL with its text; of `again`, HERALD_AGAIN_FAIL; of `rejected` and `dead` it is logged
 * as an error. A function of one of these names that is private, or that cannot be called so, does
 * not compile. A final class does not compile either: what is private in it could not be seen.
 *
 * A member `static constexpr const char *attributes[]`, which ends with nullptr, lists the
 * attributes that the handler reads.
 */
#ifndef HERALD_CPP_HANDLER_HPP
#define HERALD_CPP_HANDLER_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <herald/cpp/context.hpp>
#include <herald/cpp/detail.hpp>
#include <herald/handler.h>

namespace herald::detail
{

/*
 * has_before<H>: whether H has a member of the name `before`, be it private, overloaded or a
 * template: if Herald cannot call it, the class does not compile, so that no function is left out
 * by mistake. It looks for the name in H and another class that has it: if both have it, the name
 * is ambiguous.
 */
#define HERALD_HAS_(NAME)                                                                          \
	struct named_##NAME {                                                                      \
		void NAME();                                                                       \
	};                                                                                         \
	template <class H> struct probe_##NAME : H, named_##NAME {                                 \
	};                                                                                         \
	template <class H, class = void> struct has_##NAME : std::true_type {                      \
	};                                                                                         \
	template <class H>                                                                         \
	struct has_##NAME<H, std::void_t<decltype(&probe_##NAME<H>::NAME)>> : std::false_type {    \
	};
HERALD_HAS_(receive)
HERALD_HAS_(accept)
HERALD_HAS_(before)
HERALD_HAS_(again)
HERALD_HAS_(after)
HERALD_HAS_(rejected)
HERALD_HAS_(dead)
HERALD_HAS_(check)
HERALD_HAS_(attributes)
#undef HERALD_HAS_

/* calls_before<H, context &>: whether Herald can call the function with such arguments. */
#define HERALD_CALLS_(NAME)                                                                        \
	template <class H, class = void, class... A> struct called_##NAME : std::false_type {      \
	};                                                                                         \
	template <class H, class... A>                                                             \
	struct called_##NAME<                                                                      \
		H, std::void_t<decltype(std::declval<H &>().NAME(std::declval<A>()...))>, A...>    \
		: std::true_type {                                                                 \
	};                                                                                         \
	template <class H, class... A>                                                             \
	inline constexpr bool calls_##NAME = called_##NAME<H, void, A...>::value;
HERALD_CALLS_(receive)
HERALD_CALLS_(accept)
HERALD_CALLS_(before)
HERALD_CALLS_(again)
HERALD_CALLS_(after)
HERALD_CALLS_(rejected)
HERALD_CALLS_(dead)
HERALD_CALLS_(check)
#undef HERALD_CALLS_

template <class H, class = void> struct lists_attributes : std::false_type {
};
template <class H>
struct lists_attributes<H, std::void_t<decltype((H::attributes))>>
	: std::is_convertible<decltype((H::attributes)), const char *const *> {
};

/* What is checked before a handler_box of the class is compiled. */
template <class H>
constexpr bool
is_handler_class()
{
	static_assert(std::is_class_v<H>,
		      "a handler is an object of a class with functions such as before(); for one "
		      "function there are service_options::before() and after()");
	static_assert(
		!std::is_final_v<H>,
		"the class of a handler must not be final: its private functions could not be "
		"seen");
	return std::is_class_v<H> && !std::is_final_v<H>;
}

/* Each function that the class has must be one that Herald can call. */
template <class H>
constexpr bool
has_handler_functions()
{
	static_assert(has_receive<H>::value || has_accept<H>::value || has_before<H>::value ||
			      has_again<H>::value || has_after<H>::value ||
			      has_rejected<H>::value || has_dead<H>::value || has_check<H>::value,
		      "the class has none of the functions of a handler");
	static_assert(!has_receive<H>::value || calls_receive<H, context &, std::string_view>,
		      "receive() must be public and take (herald::context &, std::string_view)");
	static_assert(!has_accept<H>::value || calls_accept<H, context &>,
		      "accept() must be public and take (herald::context &)");
	static_assert(!has_before<H>::value || calls_before<H, context &>,
		      "before() must be public and take (herald::context &)");
	static_assert(!has_again<H>::value || calls_again<H, context &, unsigned, std::uint32_t &>,
		      "again() must be public and take (herald::context &, unsigned, "
		      "std::uint32_t &)");
	static_assert(!has_after<H>::value || calls_after<H, context &, herald_verdict>,
		      "after() must be public and take (herald::context &, herald_verdict)");
	static_assert(!has_rejected<H>::value ||
			      calls_rejected<H, context &, const herald_rejection &>,
		      "rejected() must be public and take (herald::context &, const "
		      "herald_rejection &)");
	static_assert(!has_dead<H>::value || calls_dead<H, context &, const herald_result &>,
		      "dead() must be public and take (herald::context &, const herald_result &)");
	static_assert(!has_check<H>::value || calls_check<H, const herald_schema &, herald_error &>,
		      "check() must be public and take (const herald_schema &, herald_error &)");
	static_assert(!has_attributes<H>::value || lists_attributes<H>::value,
		      "attributes must be public: static constexpr const char *attributes[], which "
		      "ends with nullptr");
	return !has_attributes<H>::value || lists_attributes<H>::value;
}

/* A handler of the service: the user's object after what Herald needs. */
template <class H> struct handler_box : herald_handler {
	handler_box(const char *handler_name, H &&handler)
		: herald_handler{}, name(handler_name), value(std::move(handler))
	{
		fill();
		ops = &table;
	}

	static H &of(herald_handler *handler) noexcept
	{
		return static_cast<handler_box *>(handler)->value;
	}

	std::string name;
	H value;
	herald_handler_ops table{};

      private:
	void fill() noexcept
	{
		table.struct_size = sizeof(table);
		table.name = name.c_str();
		table.destroy = destroy;
		if constexpr (has_attributes<H>::value)
			table.attributes = H::attributes;
		if constexpr (has_receive<H>::value)
			table.receive = receive;
		if constexpr (has_accept<H>::value)
			table.accept = accept;
		if constexpr (has_before<H>::value)
			table.before = before;
		if constexpr (has_again<H>::value)
			table.again = again;
		if constexpr (has_after<H>::value)
			table.after = after;
		if constexpr (has_rejected<H>::value)
			table.rejected = rejected;
		if constexpr (has_dead<H>::value)
			table.dead = dead;
		if constexpr (has_check<H>::value)
			table.check = check;
	}

	static void destroy(herald_handler *handler) noexcept
	{
		delete static_cast<handler_box *>(handler);
	}

	static herald_verdict receive(herald_handler *handler, herald_context *c, const char *data,
				      std::size_t bytes) noexcept
	{
		context ctx(c);

		return guard_verdict(
			c, [&] { return of(handler).receive(ctx, std::string_view(data, bytes)); });
	}

	static herald_verdict accept(herald_handler *handler, herald_context *c) noexcept
	{
		context ctx(c);

		return guard_verdict(c, [&] { return of(handler).accept(ctx); });
	}

	static herald_verdict before(herald_handler *handler, herald_context *c) noexcept
	{
		context ctx(c);

		return guard_verdict(c, [&] { return of(handler).before(ctx); });
	}

	static herald_again again(herald_handler *handler, herald_context *c, unsigned attempt,
				  std::uint32_t *delay_ms) noexcept
	{
		context ctx(c);

		return guard(
			[&]() -> herald_again {
				return of(handler).again(ctx, attempt, *delay_ms);
			},
			[&](const char *text) {
				(void)herald_fail(c, "%s", text);
				return HERALD_AGAIN_FAIL;
			});
	}

	static herald_verdict
	after(herald_handler *handler, herald_context *c, herald_verdict result) noexcept
	{
		context ctx(c);

		return guard_verdict(c, [&] { return of(handler).after(ctx, result); });
	}

	/* Log an exception where there is no verdict. */
	static bool log_exception(herald_context *c, const char *text) noexcept
	{
		const herald_log_field field = {"exception", text, 0};

		herald_context_log(c, HERALD_LOG_ERROR, "a handler threw an exception", &field, 1);
		return false;
	}

	/* A function without a verdict: what it throws is logged. */
	template <class F> static void tell(herald_context *c, F function) noexcept
	{
		context ctx(c);

		guard(
			[&] {
				function(ctx);
				return true;
			},
			[&](const char *text) { return log_exception(c, text); });
	}

	static void rejected(herald_handler *handler, herald_context *c,
			     const herald_rejection *rejection) noexcept
	{
		tell(c, [&](context &ctx) { of(handler).rejected(ctx, *rejection); });
	}

	static void
	dead(herald_handler *handler, herald_context *c, const herald_result *result) noexcept
	{
		tell(c, [&](context &ctx) { of(handler).dead(ctx, *result); });
	}

	static herald_status
	check(herald_handler *handler, const herald_schema *envelope, herald_error *error) noexcept
	{
		return guard(
			[&]() -> herald_status { return of(handler).check(*envelope, *error); },
			[&](const char *text) {
				return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
							"%s", text);
			});
	}
};

/* Handlers of one function. */

template <class F> struct before_hook {
	F function;
	auto before(context &ctx)
	{
		return function(ctx);
	}
};

template <class F> struct after_hook {
	F function;
	auto after(context &ctx, herald_verdict result)
	{
		return function(ctx, result);
	}
};

} // namespace herald::detail

#endif
