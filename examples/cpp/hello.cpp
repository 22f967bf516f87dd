/*
 * The README's program in C++17: examples/hello.c with a table, a lambda and exceptions.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "12345", "username": "johndoe"}}'
 *	=> 200 {"status":"success"}
 */
#include <charconv>
#include <cstdio>
#include <cstring>

#include <herald/herald.hpp>

struct user_created {
	const char *user_id;
	const char *username;
};

static const herald::schema<user_created> user_created_schema{
	"user_created", herald::field("user_id", &user_created::user_id).required(),
	herald::field("username", &user_created::username).required()};

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
	std::FILE *out = stdout;
	herald::service_options options;
	auto server = herald::server_options();

	std::setvbuf(out, nullptr, _IOLBF, 0); /* a line at a time, in a pipe as well */
	options.route("user_created", user_created_schema,
		      [out](herald::context &ctx, const user_created &user) {
			      if (std::fprintf(out, "Welcome, %s!\n", user.username) < 0)
				      return ctx.retry("the mailer is busy");
			      return HERALD_DONE;
		      });
	if (argc > 1 && !read_port(argv[1], server.port)) {
		std::fprintf(stderr, "hello: expected a port from 1 to 65535, not \"%s\"\n",
			     argv[1]);
		return 2;
	}
	try {
		herald::service(std::move(options)).serve(&server); /* until SIGINT or SIGTERM */
	} catch (const herald::error &error) {
		std::fprintf(stderr, "hello: %s\n", error.what());
		return 1;
	}
	return 0;
}
