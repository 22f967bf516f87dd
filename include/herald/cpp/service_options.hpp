/*
 * The options of a service: its routes, upcasters and handlers, with the function objects that they
 * own.
 */
#ifndef HERALD_CPP_SERVICE_OPTIONS_HPP
#define HERALD_CPP_SERVICE_OPTIONS_HPP

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <herald/cpp/context.hpp>
#include <herald/cpp/detail.hpp>
#include <herald/cpp/handler.hpp>
#include <herald/cpp/member.hpp>
#include <herald/cpp/owner.hpp>
#include <herald/cpp/typed_schema.hpp>
#include <herald/service.h>

namespace herald
{

namespace detail
{

/* A function object that a service owns. */
struct state {
	state() = default;
	state(const state &) = delete;
	state &operator=(const state &) = delete;
	virtual ~state() = default;
};

template <class F> struct state_of final : state {
	explicit state_of(F &&f) : function(std::move(f)) {}
	explicit state_of(const F &f) : function(f) {}
	F function;
};

template <class F>
std::unique_ptr<state_of<std::decay_t<F>>>
make_state(F &&function)
{
	return std::make_unique<state_of<std::decay_t<F>>>(std::forward<F>(function));
}

/* A handler before the service owns it. */
using owned_handler = std::unique_ptr<herald_handler, destroyer>;

template <class H>
owned_handler
make_handler(const char *name, H &&handler)
{
	using type = std::decay_t<H>;

	/* In constants, so that what they assert comes before any other error. */
	if constexpr (is_handler_class<type>())
		if constexpr (has_handler_functions<type>())
			return owned_handler(
				new handler_box<type>(name, type(std::forward<H>(handler))));
}

/* The herald_function of a function object of type F, which is its state. */
template <class P, class F>
herald_verdict
run_function(herald_context *ctx, const void *payload, void *function) noexcept
{
	return call_function<P>(*static_cast<F *>(function), ctx, payload);
}

/* The herald_upcast_function of a function, which has no state. */
template <class From, class To, auto Function>
herald_verdict
run_upcaster(herald_context *c, const void *from, void *to) noexcept
{
	context ctx(c);

	return guard_verdict(c, [&] {
		return Function(ctx, *static_cast<const From *>(from), *static_cast<To *>(to));
	});
}

template <class F>
void
run_log(const herald_log_record *record, void *function) noexcept
{
	guard(
		[&] {
			(*static_cast<F *>(function))(*record);
			return true;
		},
		[](const char *) { return false; });
}

/* A route and its handlers. */
struct route_entry {
	herald_route c{};
	std::size_t size = 0; /* of the function's payload */
	std::vector<herald_handler *> handlers;
};

/* An upcaster and the sizes of its function's structs. */
struct upcaster_entry {
	herald_upcaster c;
	std::size_t from_size, to_size;
};

} // namespace detail

class service_options;

/** A route that is being added; see service_options::route(). Valid as long as the options. */
class route
{
      public:
	/** The options of struct herald_route. */
	route &version(const char *version) noexcept
	{
		entry_->c.version = version;
		return *this;
	}
	/** One line for people. */
	route &doc(const char *text) noexcept
	{
		entry_->c.doc = text;
		return *this;
	}
	/** Names that the function passes to context::attribute(), then nullptr. */
	route &attributes(const char *const *names) noexcept
	{
		entry_->c.attributes = names;
		return *this;
	}
	/** With a store: the payload's member that is the event's key. */
	route &key(const char *key, herald_when_dead when_dead = HERALD_WHEN_DEAD_RELEASE) noexcept
	{
		entry_->c.key = key;
		entry_->c.when_dead = when_dead;
		return *this;
	}
	/** With a store: whether the function takes part in its transaction. */
	route &transaction(herald_transaction transaction) noexcept
	{
		entry_->c.transaction = transaction;
		return *this;
	}
	/** A handler of this route alone; see herald/cpp/handler.hpp. */
	template <class H> inline route &handler(const char *name, H &&handler);
	/** A handler that a C function has created; see service_options::handler(). */
	inline route &handler(herald_handler *handler);

	/** The C route. Handlers that are set here come before what handler() adds. As in C, they
	 * belong to the service once it is created. */
	herald_route &get() noexcept
	{
		return entry_->c;
	}

      private:
	friend class service_options;

	route(service_options &options, detail::route_entry &entry) noexcept
		: options_(&options), entry_(&entry)
	{
	}

	service_options *options_;
	detail::route_entry *entry_;
};

/**
 * The options of a service. `c` has those that are not functions: `options.c.max_event_bytes`.
 * Function objects are moved in, and later to the service, which destroys them after its last
 * event. Several threads call them at once.
 */
class service_options
{
      public:
	/** All other options. Its routes, upcasters and handlers come before those that are added
	 * with the functions below. As in C, its handlers belong to the service once it is created.
	 */
	herald_service_options c{};

	service_options() noexcept
	{
		c.struct_size = sizeof(c);
	}
	/** Moved-from options are to be destroyed, or assigned to. */
	service_options(service_options &&) = default;
	/** As above. */
	service_options &operator=(service_options &&) = default;

	/**
	 * Add a route. The function takes (herald::context &, const PAYLOAD &), or the payload
	 * alone, and returns herald_verdict or void. It may take a herald_context *, too.
	 */
	template <class P, class F>
	herald::route route(const char *event_type, const typed_schema<P> &schema, F &&function)
	{
		auto state = detail::make_state(std::forward<F>(function));
		void *argument = &state->function;

		return add(event_type, schema.get(), sizeof(P),
			   detail::run_function<P, std::decay_t<F>>, argument, std::move(state));
	}

	/** A route with a C schema: the payload is the type that the function takes. */
	template <class F>
	herald::route route(const char *event_type, const herald_schema &schema, F &&function)
	{
		using payload = typename detail::payload_of<std::decay_t<F>>::type;

		static_assert(!std::is_void_v<payload>,
			      "the payload is not known: use a schema of C++, or "
			      "herald::schema_of<STRUCT>(schema)");
		static_assert(std::is_void_v<payload> || (std::is_class_v<payload> &&
							  !std::is_same_v<payload, context> &&
							  !std::is_same_v<payload, herald_context>),
			      "the function's last parameter must be the payload");
		detail::check_struct<payload>();
		return route(event_type, typed_schema<payload>(schema), std::forward<F>(function));
	}

	/** A route to a member function. The object is borrowed and must outlive the service. */
	template <class P, class T, class M,
		  class = std::enable_if_t<std::is_member_function_pointer_v<M>>>
	herald::route
	route(const char *event_type, const typed_schema<P> &schema, T &object, M function)
	{
		constexpr bool has_context = std::is_invocable_v<M, T &, context &, const P &>;

		static_assert(has_context || std::is_invocable_v<M, T &, const P &>,
			      "the member function must take (herald::context &, const PAYLOAD &) "
			      "or (const PAYLOAD &), and be const if the object is");
		return route(event_type, schema,
			     [&object, function](context &ctx, const P &payload) {
				     if constexpr (has_context)
					     return std::invoke(function, object, ctx, payload);
				     else
					     return std::invoke(function, object, payload);
			     });
	}

	/**
	 * Add an upcaster, a function: `options.upcaster<order_v1_to_v2>("order_placed", "1",
	 * order_v1_schema, "2", order_schema)`. It takes (herald::context &, const FROM &, TO &).
	 */
	template <auto Function, class From, class To>
	void
	upcaster(const char *event_type, const char *from, const typed_schema<From> &from_schema,
		 const char *to, const typed_schema<To> &to_schema, const char *name = nullptr)
	{
		detail::upcaster_entry entry{{}, sizeof(From), sizeof(To)};
		herald_upcaster &upcaster = entry.c;

		upcaster.event_type = event_type;
		upcaster.from = from;
		upcaster.to = to;
		upcaster.from_schema = &from_schema.get();
		upcaster.to_schema = &to_schema.get();
		upcaster.function = detail::run_upcaster<From, To, Function>;
		upcaster.name = name;
		upcasters_.push_back(entry);
	}

	/** Add a handler for all events; see herald/cpp/handler.hpp. */
	template <class H> herald_handler *handler(const char *name, H &&handler)
	{
		handlers_.push_back(own(name, std::forward<H>(handler)));
		return handlers_.back();
	}

	/** Add a handler that a C function has created, such as herald_retry_create(). The options
	 * own it from now on, and then the service. It may be added several times. */
	void handler(herald_handler *handler)
	{
		handlers_.push_back(own(handler));
	}

	/** Add a `before` hook for all events: a function of (herald::context &). */
	template <class F> void before(const char *name, F &&function)
	{
		handler(name, detail::before_hook<std::decay_t<F>>{std::forward<F>(function)});
	}

	/** Add an `after` hook: a function of (herald::context &, herald_verdict). */
	template <class F> void after(const char *name, F &&function)
	{
		handler(name, detail::after_hook<std::decay_t<F>>{std::forward<F>(function)});
	}

	/** Log with a function of (const herald_log_record &). What it throws is dropped. */
	template <class F> void log(herald_log_level level, F &&function)
	{
		auto state = detail::make_state(std::forward<F>(function));

		c.log.write = detail::run_log<std::decay_t<F>>;
		c.log.state = &state->function;
		c.log.level = level;
		states_.push_back(std::move(state));
	}

      private:
	friend class herald::route;
	friend class service;

	template <class H> herald_handler *own(const char *name, H &&handler)
	{
		owned_.push_back(detail::make_handler(name, std::forward<H>(handler)));
		return owned_.back().get();
	}

	/* A handler may be in several lists, but has one owner. */
	herald_handler *own(herald_handler *handler)
	{
		for (const detail::owned_handler &owned : owned_)
			if (owned.get() == handler)
				return handler;
		owned_.emplace_back(handler);
		return handler;
	}

	herald::route
	add(const char *event_type, const herald_schema &schema, std::size_t size,
	    herald_function *function, void *argument, std::unique_ptr<detail::state> state)
	{
		detail::route_entry &entry = routes_.emplace_back();

		entry.c.event_type = event_type;
		entry.c.schema = &schema;
		entry.c.function = function;
		entry.c.state = argument;
		entry.size = size;
		states_.push_back(std::move(state));
		return herald::route(*this, entry);
	}

	/* A C schema does not say which struct it is of. */
	static herald_status
	check_size(const char *list, std::size_t index, const herald_schema &schema,
		   std::size_t size, herald_error *error) noexcept
	{
		if (schema.bytes == size)
			return HERALD_OK;
		return herald_error_set(error, HERALD_BAD_SCHEMA, HERALD_NO_OFFSET,
					"%s[%zu]: the struct of schema %s has %zu bytes, but the "
					"function's struct has %zu",
					list, index, schema.name, schema.bytes, size);
	}

	herald_status check_sizes(herald_error *error) const noexcept
	{
		herald_status status = HERALD_OK;
		std::size_t index = c.routes_count;

		for (const detail::route_entry &entry : routes_)
			if ((status = check_size("routes", index++, *entry.c.schema, entry.size,
						 error)) != HERALD_OK)
				return status;
		index = c.upcasters_count;
		for (const detail::upcaster_entry &entry : upcasters_) {
			if ((status = check_size("upcasters", index, *entry.c.from_schema,
						 entry.from_size, error)) != HERALD_OK ||
			    (status = check_size("upcasters", index, *entry.c.to_schema,
						 entry.to_size, error)) != HERALD_OK)
				return status;
			index++;
		}
		return HERALD_OK;
	}

	/* Put the items of a C array in front of a vector, and borrow all of them as one array. */
	template <class T>
	static void merge(std::vector<T> &all, const T *&items, std::size_t &count)
	{
		if (count > 0)
			all.insert(all.begin(), items, items + count);
		items = all.empty() ? nullptr : all.data();
		count = all.size();
	}

	/* The service owns the handlers then. */
	herald_status create(herald_service **out, herald_error *error)
	{
		herald_service_options complete = c;
		std::vector<herald_route> routes;
		std::vector<herald_upcaster> upcasters;
		std::vector<herald_handler *> handlers(handlers_);
		std::vector<std::vector<herald_handler *>> of_routes;

		if (herald_status status = check_sizes(error); status != HERALD_OK)
			return status;
		for (const detail::upcaster_entry &entry : upcasters_)
			upcasters.push_back(entry.c);
		for (const detail::route_entry &entry : routes_) {
			herald_route &route = routes.emplace_back(entry.c);
			merge(of_routes.emplace_back(entry.handlers), route.handlers,
			      route.handlers_count);
		}
		merge(routes, complete.routes, complete.routes_count);
		merge(upcasters, complete.upcasters, complete.upcasters_count);
		merge(handlers, complete.handlers, complete.handlers_count);
		const herald_status status = herald_service_create(&complete, out, error);
		if (status == HERALD_OK)
			for (detail::owned_handler &handler : owned_)
				(void)handler.release();
		return status;
	}

	std::vector<std::unique_ptr<detail::state>> states_;
	std::deque<detail::route_entry> routes_;
	std::vector<detail::upcaster_entry> upcasters_;
	std::vector<herald_handler *> handlers_;
	std::vector<detail::owned_handler> owned_;
};

template <class H>
route &
route::handler(const char *name, H &&handler)
{
	entry_->handlers.push_back(options_->own(name, std::forward<H>(handler)));
	return *this;
}

inline route &
route::handler(herald_handler *handler)
{
	entry_->handlers.push_back(options_->own(handler));
	return *this;
}

} // namespace herald

#endif
