/*
 * Herald for C++17: typed functions, schemas and services, on top of the C headers, of which this
 * one includes all of the core's. Header only: link the same library. It also compiles with
 * -fno-exceptions and -fno-rtti.
 *
 *	struct user_created { const char *user_id; const char *username; };
 *
 *	static const herald::schema<user_created> user_created_schema{
 *		"user_created",
 *		herald::field("user_id", &user_created::user_id).required(),
 *		herald::field("username", &user_created::username).required()};
 *
 *	herald::service_options options;
 *	options.route("user_created", user_created_schema,
 *		      [&](herald::context &ctx, const user_created &user) {
 *			      return welcome(user) ? HERALD_DONE : ctx.retry("busy");
 *		      });
 *	herald::service(std::move(options)).serve();
 *
 * An exception that leaves a function becomes HERALD_FAIL with its text. docs/guide.md has a
 * section about C++.
 */
#ifndef HERALD_HPP
#define HERALD_HPP

#include <herald/cpp/context.hpp>
#include <herald/cpp/error.hpp>
#include <herald/cpp/handler.hpp>
#include <herald/cpp/options.hpp>
#include <herald/cpp/owner.hpp>
#include <herald/cpp/schema.hpp>
#include <herald/cpp/service.hpp>
#include <herald/cpp/service_options.hpp>
#include <herald/cpp/value.hpp>
#include <herald/herald.h>
#include <herald/server.h>

#endif
