/*
 * The README's program in C++17: examples/hello.c with a table, a lambda and exceptions.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "12345", "username": "johndoe"}}'
 *	=> 200 {"status":"success"}
 */
#include <cstdio>
#include <cstdlib>

#include <herald/herald.hpp>

struct user_created {
	const char *user_id;
	const char *username;
};

static const herald::schema<user_created> user_created_schema{
	"user_created", herald::field("user_id", &user_created::user_id).required(),
	herald::field("username", &user_created::username).required()};

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
	server.port = argc > 1 ? static_cast<uint16_t>(std::strtoul(argv[1], nullptr, 10)) : 8080;
	try {
		herald::service(std::move(options)).serve(&server); /* until SIGINT or SIGTERM */
	} catch (const herald::error &error) {
		std::fprintf(stderr, "hello: %s\n", error.what());
		return 1;
	}
	return 0;
}
