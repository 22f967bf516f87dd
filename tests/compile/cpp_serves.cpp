/*
 * A C++17 program that links and serves: the installed libraries' headers and symbols, no macros
 * but those that C++ has. Prints TAP.
 */
#include <cstdio>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/herald.h>
#include <herald/server.h>

#include "cpp_schema.h"

namespace
{

struct greeter {
	std::string last;
	int times = 0;
};

herald_verdict
greet(herald_context *ctx, const void *payload, void *state)
{
	auto *received = static_cast<const struct greeting *>(payload);
	auto *to = static_cast<greeter *>(state);

	if (std::strcmp(herald_context_message(ctx)->event_type, "greeted") != 0)
		return herald_fail(ctx, "not a greeting");
	to->last = received->name;
	to->times = received->times;
	return HERALD_DONE;
}

/* Everything that comes back for one request on a connection of its own. */
std::string
exchange(uint16_t port, const std::string &request)
{
	sockaddr_in address{};
	std::string response;
	char buffer[1024];
	int client = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(client, reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0 &&
	    send(client, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()))
		for (ssize_t n; (n = recv(client, buffer, sizeof(buffer), 0)) > 0;)
			response.append(buffer, static_cast<size_t>(n));
	close(client);
	return response;
}

std::string
post(const std::string &body)
{
	return "POST /event HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	       "Content-Type: application/json\r\nContent-Length: " +
	       std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool
check(int number, const char *name, bool holds)
{
	std::printf("%s %d - %s\n", holds ? "ok" : "not ok", number, name);
	return holds;
}

bool
ends_with(const std::string &text, const std::string &end)
{
	return text.size() >= end.size() &&
	       text.compare(text.size() - end.size(), end.size(), end) == 0;
}

} // namespace

int
main()
{
	const std::string head =
		"{\"event_type\":\"greeted\",\"timestamp\":\"2024-08-20T05:21:19Z\",";
	greeter state;
	herald_route routes[1]{};
	herald_service_options options{};
	herald_server_options server_options{};
	herald_service *service = nullptr;
	herald_endpoint *endpoint = nullptr;
	herald_server *server = nullptr;
	herald_error error;

	routes[0].event_type = "greeted";
	routes[0].schema = &greeting_schema;
	routes[0].function = greet;
	routes[0].state = &state;
	options.struct_size = sizeof(options);
	options.routes = routes;
	options.routes_count = HERALD_COUNT(routes);
	server_options.struct_size = sizeof(server_options);
	server_options.any_port = true;
	std::puts("1..5");
	if (herald_service_create(&options, &service, &error) != HERALD_OK ||
	    herald_endpoint_create(service, nullptr, &endpoint, &error) != HERALD_OK ||
	    herald_server_create(endpoint, &server_options, &server, &error) != HERALD_OK) {
		herald_error_print(stdout, "Bail out!", &error);
		return 1;
	}

	const std::string good =
		exchange(herald_server_port(server),
			 post(head + "\"payload\":{\"name\":\"Ada\",\"times\":3}}"));
	const std::string bad =
		exchange(herald_server_port(server), post(head + "\"payload\":{\"times\":10}}"));
	bool fine = check(1, "a good event is answered with 200",
			  good.rfind("HTTP/1.1 200", 0) == 0 &&
				  ends_with(good, "{\"status\":\"success\"}"));
	fine &= check(2, "the function saw the payload", state.last == "Ada" && state.times == 3);
	fine &= check(3, "a bad event is answered with 400 and the path",
		      bad.rfind("HTTP/1.1 400", 0) == 0 &&
			      bad.find("\"path\":\"/payload/times\"") != std::string::npos);
	fine &= check(4, "nothing is cut off at the stop", herald_server_stop(server, 10000) == 0);
	fine &= check(5, "headers and library have the project's version",
		      std::strcmp(HERALD_VERSION, PROJECT_VERSION) == 0 &&
			      std::strcmp(herald_version(), PROJECT_VERSION) == 0);
	herald_server_destroy(server);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	return fine ? 0 : 1;
}
