/*
 * core.c in C++17: a program that uses only the core, through herald.hpp. It handles one event, and
 * fails if that does not work.
 */
#include <string>

#include <herald/herald.hpp>

struct greeting {
	const char *name;
};

static const herald::schema<greeting> greeting_schema{
	"greeting", herald::field("name", &greeting::name).required()};

int
main()
{
	std::string greeted;
	herald::service_options options;

	options.route("greeted", greeting_schema,
		      [&greeted](const greeting &greeting) { greeted += greeting.name; });
	const herald::service service(std::move(options));
	const herald_result result =
		service.handle("{\"event_type\":\"greeted\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			       "\"payload\":{\"name\":\"Ada\"}}");

	return result.verdict == HERALD_DONE && greeted == "Ada" ? 0 : 1;
}
