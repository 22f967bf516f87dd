/*
 * herald.hpp in a program without exceptions and without run-time types: errors are returned.
 * Prints TAP.
 */
#include <cstdio>
#include <string>

#include <herald/herald.hpp>

namespace
{

struct item {
	const char *sku;
};

const herald::schema<item> item_schema{"item", herald::field("sku", &item::sku).required()};

int number = 0;

bool
check(const char *name, bool holds)
{
	std::printf("%s %d - %s\n", holds ? "ok" : "not ok", ++number, name);
	return holds;
}

} // namespace

int
main()
{
	herald::service_options options;
	herald::service service;
	herald_error error;
	std::string seen;

	std::puts("1..4");
	options.before("hook", [&seen](herald::context &) { seen += "before "; });
	options.route("item", item_schema, [&seen](const item &item) { seen += item.sku; });
	options.c.limits.max_depth = 5000;
	bool fine =
		check("an error is returned", service.create(options, &error) == HERALD_BAD_OPTION);
	options.c.limits.max_depth = 0;
	fine &= check("the service is created", service.create(options, &error) == HERALD_OK);
	const herald_result result =
		service.handle("{\"event_type\":\"item\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			       "\"payload\":{\"sku\":\"tea\"}}");
	fine &= check("an event is handled", result.verdict == HERALD_DONE && seen == "before tea");
	herald_many_counts counts;
	std::size_t line = 0;
	const herald_status status = service.handle_many(
		"\n{}", herald::many_options(),
		[&line](const herald_handled &handled) { line = handled.line; }, &counts, &error);
	fine &= check("many events are handled",
		      status == HERALD_OK && counts.fail == 1 && line == 2);
	return fine ? 0 : 1;
}
