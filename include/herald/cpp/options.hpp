/*
 * Empty options for functions of C.
 */
#ifndef HERALD_CPP_OPTIONS_HPP
#define HERALD_CPP_OPTIONS_HPP

#include <herald/endpoint.h>
#include <herald/many.h>
#include <herald/server.h>

namespace herald
{

/** Empty options with their struct_size, to be filled in: `auto options = herald::server_options();
 * options.port = 8080;`. */
inline herald_server_options
server_options() noexcept
{
	herald_server_options options{};

	options.struct_size = sizeof(options);
	return options;
}

/** The same for herald_endpoint_create(). */
inline herald_endpoint_options
endpoint_options() noexcept
{
	herald_endpoint_options options{};

	options.struct_size = sizeof(options);
	return options;
}

/** The same for service::handle_many(). */
inline herald_many_options
many_options() noexcept
{
	herald_many_options options{};

	options.struct_size = sizeof(options);
	return options;
}

} // namespace herald

#endif
