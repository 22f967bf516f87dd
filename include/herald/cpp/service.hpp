/*
 * Services in C++: functions are lambdas, function objects or member functions, and the service
 * owns them.
 */
#ifndef HERALD_CPP_SERVICE_HPP
#define HERALD_CPP_SERVICE_HPP

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/cpp/error.hpp>
#include <herald/cpp/options.hpp>
#include <herald/cpp/owner.hpp>
#include <herald/cpp/service_options.hpp>
#include <herald/many.h>
#include <herald/server.h>
#include <herald/service.h>

namespace herald
{

namespace detail
{

/* The `handled` callback of a function, and what the function has thrown. */
template <class F> class handled_function
{
      public:
	explicit handled_function(F &function) noexcept : function_(function) {}

	static void run(const herald_handled *event, void *state) noexcept
	{
		static_cast<handled_function *>(state)->call(*event);
	}

#ifdef __cpp_exceptions
	void rethrow() const
	{
		if (thrown_)
			std::rethrow_exception(thrown_);
	}

      private:
	void call(const herald_handled &event) noexcept
	{
		if (thrown_)
			return;
		try {
			function_(event);
		} catch (...) {
			thrown_ = std::current_exception();
		}
	}

	std::exception_ptr thrown_;
#else
      private:
	void call(const herald_handled &event) noexcept
	{
		function_(event);
	}
#endif
	F &function_;
};

} // namespace detail

/**
 * A service, with the function objects of its options. Movable; a moved-from service is empty.
 * Destroy what uses it first, such as its endpoint. Functions with a herald_error parameter do not
 * throw; the others throw herald::error.
 */
class service
{
      public:
	/** An empty service. */
	service() noexcept = default;

#ifdef __cpp_exceptions
	/** Create a service. */
	explicit service(service_options &&options)
	{
		herald_error error;

		if (create(options, &error) != HERALD_OK)
			throw herald::error(error);
	}
#endif

	/** `other` is empty afterwards. */
	service(service &&other) noexcept
		: states_(std::move(other.states_)), service_(std::move(other.service_))
	{
	}
	/** Destroys the service that was here before. */
	service &operator=(service &&other) noexcept
	{
		/* The old service first, then its functions. */
		service_ = std::move(other.service_);
		states_ = std::move(other.states_);
		return *this;
	}

	/**
	 * Create the service, which must be empty.
	 *
	 * options  empty again on HERALD_OK; unchanged on an error.
	 * error    may be NULL.
	 */
	[[nodiscard]] herald_status create(service_options &options, herald_error *error)
	{
		herald_service *created = nullptr;
		const herald_status status = options.create(&created, error);

		if (status != HERALD_OK)
			return status;
		service_.reset(created);
		states_ = std::move(options.states_);
		options = service_options();
		return HERALD_OK;
	}

	/** The C service; NULL if empty. */
	herald_service *get() const noexcept
	{
		return service_.get();
	}
	/** False if empty. */
	explicit operator bool() const noexcept
	{
		return service_ != nullptr;
	}

	/** Handle one event: herald_service_handle(). The bytes are a copy, which it changes. */
	herald_result handle(std::string event) const
	{
		herald_result result;

		herald_service_handle(service_.get(), event.data(), event.size(), &result);
		return result;
	}

	/**
	 * Handle the events of a text: herald_service_handle_many(), with a function of (const
	 * herald_handled &). The text is a copy, which it changes.
	 *
	 * options  their `handled` is not called.
	 * out      may be NULL; error likewise.
	 *
	 * After an exception the function is not called again. It leaves handle_many() when all
	 * events have been handled.
	 */
	template <class F>
	[[nodiscard]] herald_status
	handle_many(std::string text, herald_many_options options, F &&function,
		    herald_many_counts *out, herald_error *error) const
	{
		static_assert(std::is_invocable_v<F &, const herald_handled &>,
			      "the function must take (const herald_handled &)");
		detail::handled_function<std::remove_reference_t<F>> handled(function);

		options.handled = handled.run;
		options.state = &handled;
		const herald_status status = herald_service_handle_many(
			service_.get(), text.data(), text.size(), &options, out, error);
#ifdef __cpp_exceptions
		handled.rethrow();
#endif
		return status;
	}

#ifdef __cpp_exceptions
	/** The same. An exception of the function takes precedence over herald::error. */
	template <class F>
	herald_many_counts
	handle_many(std::string text, herald_many_options options, F &&function) const
	{
		herald_many_counts counts;
		herald_error error;

		if (handle_many(std::move(text), options, function, &counts, &error) != HERALD_OK)
			throw herald::error(error);
		return counts;
	}

	/** The same for NDJSON. */
	template <class F> herald_many_counts handle_many(std::string text, F &&function) const
	{
		return handle_many(std::move(text), many_options(), function);
	}
#endif

	/** Run a server until SIGINT or SIGTERM: herald_serve(). `options` may be NULL. */
	[[nodiscard]] herald_status
	serve(const herald_server_options *options, herald_error *error) const noexcept
	{
		return herald_serve(service_.get(), options, error);
	}

#ifdef __cpp_exceptions
	void serve(const herald_server_options *options = nullptr) const
	{
		herald_error error;

		if (serve(options, &error) != HERALD_OK)
			throw herald::error(error);
	}
#endif

      private:
	/* Destroyed after the service, which calls them. */
	std::vector<std::unique_ptr<detail::state>> states_;
	std::unique_ptr<herald_service, destroyer> service_;
};

} // namespace herald

#endif
