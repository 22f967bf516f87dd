/*
 * The dashboard's path of Herald's server: the page, its headers and its API over HTTP, wherever
 * the path is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include <herald/admin.h>
#include <herald/server.h>

#include "support/events.h"
#include "support/http_client.h"

#define TOKEN "0123456789abcdef"
#define BEARER "Authorization: Bearer " TOKEN "\r\n"

struct item {
	const char *name;
};
HERALD_SCHEMA(item, HERALD_FIELD(item, name, .required = true));

static enum herald_verdict
on_item(struct herald_context *ctx, const struct item *item)
{
	(void)ctx;
	(void)item;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_item, item);

struct shop {
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_admin *admin;
	struct herald_server *server;
	uint16_t port;
};

/* Of the next server. */
static const char *hosts = HERALD_LOCAL_HOSTS;
static const char *address;

/* `path`: NULL for the default. */
static void
start(struct shop *shop, const char *path)
{
	const struct herald_route routes[] = {HERALD_ROUTE("item", item, on_item, NULL)};

	shop->service = create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));
	assert_int_equal(herald_endpoint_create(shop->service, NULL, &shop->endpoint, NULL),
			 HERALD_OK);
	assert_int_equal(
		herald_admin_create(&HERALD_ADMIN_OPTIONS(.service = shop->service, .token = TOKEN),
				    &shop->admin, NULL),
		HERALD_OK);
	struct herald_server_path paths[] = {herald_admin_path(shop->admin)};
	if (path)
		paths[0].path = path;
	assert_string_equal(paths[0].hosts, HERALD_LOCAL_HOSTS);
	paths[0].hosts = hosts;
	assert_int_equal(herald_server_create(shop->endpoint,
					      &HERALD_SERVER_OPTIONS(.any_port = true, .threads = 2,
								     .address = address,
								     HERALD_SERVER_PATHS(paths)),
					      &shop->server, NULL),
			 HERALD_OK);
	shop->port = herald_server_port(shop->server);
}

static void
stop(struct shop *shop)
{
	herald_server_destroy(shop->server);
	herald_admin_destroy(shop->admin);
	herald_endpoint_destroy(shop->endpoint);
	herald_service_destroy(shop->service);
}

static void
ask(const struct shop *shop, const char *method, const char *path, const char *headers,
    struct http_response *out)
{
	struct http_client client;
	char request[1024];

	snprintf(request, sizeof(request),
		 "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s\r\n", method, path,
		 headers);
	assert_true(http_connect(&client, "127.0.0.1", shop->port));
	assert_true(http_send_text(&client, request));
	/* The page is larger than a response of the client. */
	assert_true(http_receive(&client, strcmp(method, "HEAD") != 0, out));
	http_close(&client);
}

static void
ask_host(const struct shop *shop, const char *host, const char *path, struct http_response *out)
{
	struct http_client client;
	char request[512];

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
	assert_true(http_connect(&client, "127.0.0.1", shop->port));
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, true, out));
	http_close(&client);
}

static void
test_page(void **state)
{
	struct http_response response;
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	ask(&shop, "HEAD", "/admin/", "", &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(http_header(&response, "Content-Type"), "text/html; charset=utf-8");
	assert_string_equal(http_header(&response, "Cache-Control"), "no-store");
	assert_string_equal(http_header(&response, "X-Content-Type-Options"), "nosniff");
	assert_non_null(strstr(http_header(&response, "Content-Security-Policy"),
			       "default-src 'none'; script-src 'self'; "));
	ask(&shop, "GET", "/admin/", "", &response);
	assert_int_equal(response.status, 200);
	assert_memory_equal(response.body, "<!doctype html>", 15);
	ask(&shop, "HEAD", "/admin/page.js", "", &response);
	assert_string_equal(http_header(&response, "Content-Type"),
			    "text/javascript; charset=utf-8");
	ask(&shop, "GET", "/admin/nothing", "", &response);
	assert_int_equal(response.status, 404);
	ask(&shop, "GET", "/administration", "", &response);
	assert_int_equal(response.status, 404);
	assert_string_equal(response.body, "{\"error\":\"not found\"}");
	ask(&shop, "DELETE", "/admin/", "", &response);
	assert_int_equal(response.status, 405);
	ask(&shop, "OPTIONS", "/admin/", "", &response);
	assert_int_equal(response.status, 405);
	assert_string_equal(http_header(&response, "Cache-Control"), "no-store");
	ask(&shop, "OPTIONS", "/admin/api/state", "", &response);
	assert_int_equal(response.status, 401);
	stop(&shop);
}

/* A page of another site whose name leads to this machine gets nothing. */
static void
test_hosts(void **state)
{
	static const struct {
		const char *address, *hosts, *host;
		unsigned status;
	} cases[] = {
		{"127.0.0.1", "", "evil.example", 403},
		{"127.0.0.1", "", "evil.example:8080", 403},
		{"127.0.0.1", "", "127.0.0.1.evil.example", 403},
		{"127.0.0.1", "", "localhost.evil.example", 403},
		{"localhost", "", "evil.example", 403},
		{"127.0.0.1", "", "127.0.0.1:1", 200},
		{"127.0.0.1", "", "localhost:65535", 200},
		{"127.0.0.1", "", "LOCALHOST.", 200},
		{"127.0.0.1", "", "a.localhost:80", 200},
		{"127.0.0.1", "", "[::1]:80", 200},
		{"127.0.0.1", "", "shop", 200},
		{"0.0.0.0", "", "ops.example", 200},
		{"127.0.0.1,127.0.0.2", "", "ops.example", 403},
		{"0.0.0.0", "ops.example, b.example", "OPS.example:80", 200},
		{"0.0.0.0", "ops.example, b.example", "b.example", 200},
		{"0.0.0.0", "ops.example, b.example", "evil.example", 403},
		{"0.0.0.0", "ops.example, b.example", "example", 200},
		{"127.0.0.1", NULL, "evil.example", 200},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_response response;
		struct shop shop;
		char headers[128];

		hosts = cases[i].hosts;
		address = cases[i].address;
		start(&shop, NULL);
		snprintf(headers, sizeof(headers), "%s", cases[i].host);
		ask_host(&shop, headers, "/admin/api/state", &response);
		if (response.status != (cases[i].status == 200 ? 401 : 403))
			fail_msg("%s on %s: %u", cases[i].host, cases[i].address, response.status);
		ask_host(&shop, headers, "/admin", &response);
		assert_int_equal(response.status, cases[i].status == 200 ? 308 : 403);
		if (cases[i].status == 403) {
			char body[160];

			snprintf(body, sizeof(body),
				 "{\"error\":\"the path is not for the host %s\"}", cases[i].host);
			assert_string_equal(response.body, body);
		}
		stop(&shop);
	}
	hosts = HERALD_LOCAL_HOSTS;
	address = NULL;
}

static void
test_the_last_slash_is_added(void **state)
{
	static const char *const paths[][2] = {{"/admin/*", "admin/"}, {"/a/b/c/*", "c/"}};
	struct http_response response;
	struct shop shop;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		char path[32];

		start(&shop, paths[i][0]);
		snprintf(path, sizeof(path), "%.*s", (int)strlen(paths[i][0]) - 2, paths[i][0]);
		ask(&shop, "GET", path, "", &response);
		assert_int_equal(response.status, 308);
		assert_string_equal(http_header(&response, "Location"), paths[i][1]);
		assert_string_equal(http_header(&response, "Cache-Control"), "no-store");
		assert_string_equal(http_header(&response, "X-Content-Type-Options"), "nosniff");
		assert_non_null(http_header(&response, "Content-Security-Policy"));
		stop(&shop);
	}
}

static void
test_api(void **state)
{
	static const char *const paths[][2] = {
		{"/admin/*", "/admin/api/state"},
		{"/*", "/api/state"},
		{"/api/api/*", "/api/api/api/state?"},
	};
	struct http_response response;
	struct shop shop;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		start(&shop, paths[i][0]);
		ask(&shop, "GET", paths[i][1], "", &response);
		assert_int_equal(response.status, 401);
		assert_string_equal(http_header(&response, "WWW-Authenticate"), "Bearer");
		ask(&shop, "GET", paths[i][1], BEARER, &response);
		assert_int_equal(response.status, 200);
		assert_string_equal(http_header(&response, "Content-Type"), "application/json");
		assert_string_equal(http_header(&response, "Cache-Control"), "no-store");
		/* The server that was asked. Earlier connections may still be closing. */
		while (!strstr(response.body, "\"server\":{\"connections\":1,"))
			ask(&shop, "GET", paths[i][1], BEARER, &response);
		stop(&shop);
	}
}

/* Actions need a body, which comes as a whole or in chunks. */
static void
test_post(void **state)
{
	static const char *const bodies[] = {
		"Content-Length: 12\r\n\r\n{\"all\":true}",
		"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"all\r\n7\r\n\":true}\r\n0\r\n\r\n",
	};
	struct http_response response;
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	for (size_t i = 0; i < COUNT(bodies); i++) {
		struct http_client client;
		char request[512];

		snprintf(request, sizeof(request),
			 "POST /admin/api/dead-letters/drop HTTP/1.1\r\nHost: test\r\n" BEARER
			 "Content-Type: application/json\r\n%s",
			 bodies[i]);
		assert_true(http_connect(&client, "127.0.0.1", shop.port));
		assert_true(http_send_text(&client, request));
		assert_true(http_receive(&client, true, &response));
		assert_int_equal(response.status, 404);
		assert_string_equal(response.body, "{\"error\":\"there is no store\"}");
		http_close(&client);
	}
	stop(&shop);
}

/* Several at once, while events are handled. */
static void *
ask_often(void *state)
{
	const struct shop *shop = state;
	struct http_response *response = malloc(sizeof(*response));

	assert_non_null(response);
	for (int i = 0; i < 20; i++) {
		ask(shop, "GET", i % 2 == 0 ? "/admin/api/state" : "/admin/api/service",
		    i % 5 == 4 ? "Authorization: Bearer no\r\n" : BEARER, response);
		assert_true(response->status == 200 || response->status == 401 ||
			    response->status == 429);
	}
	free(response);
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[4];
	struct shop shop;

	(void)state;
	start(&shop, NULL);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &shop), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(handle(shop.service, EVENT("item", "{\"name\":\"a\"}")).verdict,
				 HERALD_DONE);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	stop(&shop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),    cmocka_unit_test(test_the_last_slash_is_added),
		cmocka_unit_test(test_api),     cmocka_unit_test(test_post),
		cmocka_unit_test(test_threads), cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
