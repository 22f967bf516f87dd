/*
 * Schemas in C++: a tagged union, a list, and a rule of a struct as a whole.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "drawn", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"shapes": [{"kind": "circle", "body": {"radius": 2}},
 *				       {"body": [1, 2.5], "kind": "polygon"}]}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "drawn", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"shapes": [], "when": {"from": 7, "to": 3}}}'
 *	=> 400 {"error":"to is too early","path":"/payload/when/to","offset":100}
 */
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>

#include <herald/herald.hpp>

struct circle {
	double radius;
};

static const herald::schema<circle> circle_schema{
	"circle", herald::field("radius", &circle::radius).required()};

struct shape {
	const char *kind;
	union bodies {
		struct circle circle;
		herald::list<double> corners;
	} body;
};

static const herald::schema<shape> shape_schema{
	"shape",
	herald::field("kind", &shape::kind).required(),
	herald::variant("body", &shape::body, &shape::kind,
			herald::when("circle", &shape::bodies::circle, circle_schema),
			herald::when("polygon", &shape::bodies::corners)),
};

struct period {
	std::int32_t from;
	std::int32_t to;
};

/* NOLINTNEXTLINE(cert-err58-cpp): what a check throws, it throws when it is called */
static const herald::schema<period> period_schema{
	herald::no_padding("period"), herald::field("from", &period::from),
	herald::field("to", &period::to),
	herald::check<period>([](const period &value, herald_refusal *refusal) {
		return value.from <= value.to || herald_refuse(refusal, "to", "is too early");
	})};

struct drawing {
	herald::list<shape> shapes;
	period when;
};

static const herald::schema<drawing> drawing_schema{
	"drawing",
	herald::field("shapes", &drawing::shapes, shape_schema),
	herald::field("when", &drawing::when, period_schema),
};

static void
print_shape(const shape &shape)
{
	if (std::strcmp(shape.kind, "circle") == 0)
		std::cout << "circle of " << shape.body.circle.radius << "\n";
	else
		std::printf("polygon of %zu\n", shape.body.corners.size());
}

/* Digits only, unlike std::strtoul(). */
static bool
read_port(const char *text, uint16_t &port)
{
	const char *end = text + std::strlen(text);
	auto [rest, failed] = std::from_chars(text, end, port);

	return failed == std::errc() && rest == end && port > 0;
}

int
main(int argc, char **argv)
{
	herald::service_options options;
	auto server = herald::server_options();

	options.route("drawn", drawing_schema, [](const drawing &drawing) {
		for (const shape &shape : drawing.shapes)
			print_shape(shape);
	});
	if (argc > 1 && !read_port(argv[1], server.port)) {
		std::fprintf(stderr, "shapes: expected a port from 1 to 65535, not \"%s\"\n",
			     argv[1]);
		return 2;
	}
	try {
		herald::service(std::move(options)).serve(&server); /* until SIGINT or SIGTERM */
	} catch (const herald::error &error) {
		std::fprintf(stderr, "shapes: %s\n", error.what());
		return 1;
	}
	return 0;
}
