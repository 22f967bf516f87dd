/*
 * The context of an event in C++, and how Herald calls C++: an exception becomes a verdict.
 */
#ifndef HERALD_CPP_CONTEXT_HPP
#define HERALD_CPP_CONTEXT_HPP

#include <chrono>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <herald/answer.h>
#include <herald/context.h>
#include <herald/cpp/detail.hpp>
#include <herald/cpp/typed_schema.hpp>
#include <herald/cpp/value.hpp>

namespace herald
{

/**
 * A herald_context, valid during the call that it is passed to. It converts to herald_context *, so
 * every function of herald/context.h and herald/answer.h takes it: `herald_fail(ctx, "user %s is
 * unknown", user.user_id)`.
 */
class context
{
      public:
	/** Wrap what a C function was given. */
	constexpr context(herald_context *ctx) noexcept : ctx_(ctx) {}
	/** For the functions of C. */
	constexpr operator herald_context *() const noexcept
	{
		return ctx_;
	}

	/** Verdicts with a reason, one line: see herald_fail() and its variants. */
	herald_verdict fail(std::string_view reason) const noexcept
	{
		return herald_fail(ctx_, "%.*s", length(reason), reason.data());
	}
	/** The same with an HTTP status: herald_fail_status(). */
	herald_verdict fail(unsigned http_status, std::string_view reason) const noexcept
	{
		return herald_fail_status(ctx_, http_status, "%.*s", length(reason), reason.data());
	}
	/** Verdict HERALD_RETRY: herald_retry(). */
	herald_verdict retry(std::string_view reason) const noexcept
	{
		return herald_retry(ctx_, "%.*s", length(reason), reason.data());
	}
	/** The delay is cut to 0 to about 49 days. */
	herald_verdict
	retry(std::chrono::milliseconds delay, std::string_view reason) const noexcept
	{
		return herald_retry_after(ctx_, to_ms(delay), "%.*s", length(reason),
					  reason.data());
	}
	/** HERALD_FAIL with 401: herald_unauthorized(). */
	herald_verdict unauthorized(std::string_view reason) const noexcept
	{
		return herald_unauthorized(ctx_, "%.*s", length(reason), reason.data());
	}

	/** The message; NULL before it is decoded. */
	const herald_message *message() const noexcept
	{
		return herald_context_message(ctx_);
	}

	/** Transport metadata, such as a request header; nothing if missing. */
	std::optional<std::string_view> attribute(const char *name) const noexcept
	{
		const char *value = herald_context_attribute(ctx_, name);

		return value ? std::optional<std::string_view>(value) : std::nullopt;
	}

	/** "" if missing. */
	std::string_view version() const noexcept
	{
		return herald_context_version(ctx_);
	}
	/** "" if missing. */
	std::string_view id() const noexcept
	{
		return herald_context_id(ctx_);
	}
	/** "" if missing. */
	std::string_view source() const noexcept
	{
		return herald_context_source(ctx_);
	}
	/** "" if missing. */
	std::string_view subject() const noexcept
	{
		return herald_context_subject(ctx_);
	}
	/** "" if the event has not failed so far. */
	std::string_view reason() const noexcept
	{
		return herald_context_reason(ctx_);
	}

	/** The time until the event's deadline; nothing without one. */
	std::optional<std::chrono::milliseconds> remaining() const noexcept
	{
		const std::uint32_t ms = herald_context_remaining_ms(ctx_);

		if (ms == HERALD_NO_DEADLINE)
			return std::nullopt;
		return std::chrono::milliseconds(ms);
	}

	/** Decode raw JSON: see herald_context_decode(). */
	template <class T>
	[[nodiscard]] herald_status decode(const typed_schema<T> &schema, const herald_json &json,
					   T &out, herald_error *error = nullptr) const noexcept
	{
		const herald_schema &c = schema.get();

		if (c.bytes != sizeof(T))
			return herald_error_set(error, HERALD_BAD_SCHEMA, HERALD_NO_OFFSET,
						"the struct of schema %s has %zu bytes, but the "
						"value has %zu",
						c.name, c.bytes, sizeof(T));
		return herald_context_decode(ctx_, &c, &json, &out, error);
	}

	/** HERALD_DONE with a body of JSON: see herald_done_json(). */
	template <class T>
	[[nodiscard]] herald_verdict
	done(unsigned http_status, const typed_schema<T> &schema, const T &value) const noexcept
	{
		const herald_schema &c = schema.get();

		if (c.bytes != sizeof(T))
			return herald_fail(ctx_,
					   "the struct of schema %s has %zu bytes, but the answer "
					   "has %zu",
					   c.name, c.bytes, sizeof(T));
		return herald_done_json(ctx_, http_status, &c, &value);
	}

	/** `count` zeroed values that live until the event has been handled. NULL if out of memory
	 * or over the limit. */
	template <class T> T *allocate(std::size_t count = 1) const noexcept
	{
		static_assert(std::is_trivially_copyable_v<T>, "no destructor would be called");
		static_assert(alignof(T) <= alignof(std::max_align_t),
			      "the alignment is too large");
		if (count > static_cast<std::size_t>(-1) / sizeof(T))
			return nullptr;
		void *block = herald_context_alloc(ctx_, count * sizeof(T));
		return block ? static_cast<T *>(std::memset(block, 0, count * sizeof(T))) : nullptr;
	}

      private:
	static int length(std::string_view text) noexcept
	{
		return text.size() < 4096 ? static_cast<int>(text.size()) : 4096;
	}

	static std::uint32_t to_ms(std::chrono::milliseconds delay) noexcept
	{
		if (delay.count() < 0)
			return 0;
		if (delay.count() > static_cast<std::chrono::milliseconds::rep>(UINT32_MAX))
			return UINT32_MAX;
		return static_cast<std::uint32_t>(delay.count());
	}

	herald_context *ctx_;
};

namespace detail
{

/* Call a function that returns a verdict or nothing, which is HERALD_DONE. */
template <class F>
herald_verdict
to_verdict(F &&call)
{
	using result = decltype(call());

	static_assert(std::is_same_v<result, herald_verdict> || std::is_void_v<result>,
		      "the function must return herald_verdict or void");
	if constexpr (std::is_void_v<result>) {
		call();
		return HERALD_DONE;
	} else {
		return call();
	}
}

/* guard() for calls that return verdicts: an exception is HERALD_FAIL with its text. */
template <class F>
herald_verdict
guard_verdict(herald_context *ctx, F &&call) noexcept
{
	return guard([&] { return to_verdict(call); },
		     [&](const char *text) { return herald_fail(ctx, "%s", text); });
}

/* Call a business function with the context and the payload, or with the payload alone. */
template <class P, class F>
herald_verdict
call_function(F &function, herald_context *c, const void *payload) noexcept
{
	const P &value = *static_cast<const P *>(payload);
	context ctx(c);

	static_assert(std::is_invocable_v<F &, context &, const P &> ||
			      std::is_invocable_v<F &, const P &>,
		      "the function must take (herald::context &, const PAYLOAD &) or "
		      "(const PAYLOAD &), with the payload of the route's schema");
	return guard_verdict(c, [&] {
		if constexpr (std::is_invocable_v<F &, context &, const P &>)
			return function(ctx, value);
		else
			return function(value);
	});
}

/* The payload that a function takes: its last parameter. void: a generic lambda, or overloaded. */
template <class F, class = void> struct payload_of {
	using type = void;
};
template <class F>
struct payload_of<F, std::void_t<decltype(&F::operator())>> : payload_of<decltype(&F::operator())> {
};
template <class R, class P> struct payload_of<R (*)(P)> {
	using type = std::remove_cv_t<std::remove_reference_t<P>>;
};
template <class R, class C, class P> struct payload_of<R (*)(C, P)> : payload_of<R (*)(P)> {
};
template <class R, class P> struct payload_of<R (*)(P) noexcept> : payload_of<R (*)(P)> {
};
template <class R, class C, class P>
struct payload_of<R (*)(C, P) noexcept> : payload_of<R (*)(P)> {
};
template <class R, class T, class... A>
struct payload_of<R (T::*)(A...)> : payload_of<R (*)(A...)> {
};
template <class R, class T, class... A>
struct payload_of<R (T::*)(A...) const> : payload_of<R (*)(A...)> {
};
template <class R, class T, class... A>
struct payload_of<R (T::*)(A...) noexcept> : payload_of<R (*)(A...)> {
};
template <class R, class T, class... A>
struct payload_of<R (T::*)(A...) const noexcept> : payload_of<R (*)(A...)> {
};

} // namespace detail

} // namespace herald

#endif
