/*
 * The control of the C++ tests in this folder: each of them is like this, with one mistake.
 */
#include <herald/herald.hpp>

struct guard {
	static constexpr const char *attributes[] = {"X-Key", nullptr};

	herald_verdict before(herald::context &ctx)
	{
		return ctx.unauthorized("not you");
	}
	void after(herald::context &, herald_verdict) {}
};

struct user {
	const char *name;
};

void
add(herald::service_options &options, const herald_schema &schema)
{
	options.handler("guard", guard());
	options.route("event", schema, [](herald::context &, const user &) {});
	options.route("event", schema, [](herald_context *, const user &) {});
	options.route("event", schema, [](const herald_json &) {});
}
