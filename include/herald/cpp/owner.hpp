/*
 * Owners of Herald's objects, which destroy them.
 */
#ifndef HERALD_CPP_OWNER_HPP
#define HERALD_CPP_OWNER_HPP

#include <memory>

#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/endpoint.h>
#include <herald/handler.h>
#include <herald/server.h>
#include <herald/service.h>

namespace herald
{

/** Destroys objects of Herald: std::unique_ptr<herald_server, herald::destroyer>. */
struct destroyer {
	/** herald_arena_destroy(). */
	void operator()(herald_arena *arena) const noexcept
	{
		herald_arena_destroy(arena);
	}
	/** herald_codec_destroy(). */
	void operator()(herald_codec *codec) const noexcept
	{
		herald_codec_destroy(codec);
	}
	/** herald_endpoint_destroy(). */
	void operator()(herald_endpoint *endpoint) const noexcept
	{
		herald_endpoint_destroy(endpoint);
	}
	/** herald_server_destroy(). */
	void operator()(herald_server *server) const noexcept
	{
		herald_server_destroy(server);
	}
	/** herald_service_destroy(). */
	void operator()(herald_service *service) const noexcept
	{
		herald_service_destroy(service);
	}
	/** herald_handler_destroy(). */
	void operator()(herald_handler *handler) const noexcept
	{
		herald_handler_destroy(handler);
	}
};

/** Owns an arena. */
using arena = std::unique_ptr<herald_arena, destroyer>;
/** Owns a codec. */
using codec = std::unique_ptr<herald_codec, destroyer>;
/** Owns an endpoint. */
using endpoint = std::unique_ptr<herald_endpoint, destroyer>;
/** Owns a server. */
using server = std::unique_ptr<herald_server, destroyer>;

} // namespace herald

#endif
