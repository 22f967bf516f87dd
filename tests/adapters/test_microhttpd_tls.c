/*
 * The libmicrohttpd adapter in a daemon that speaks TLS: targets with https are right there, and on
 * a plain port they are not. test_microhttpd.c has the rest.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/microhttpd.h>

#include "adapters/openssl_fixture.h"

#define EVENT "/event"

static struct server_files files;

/* The text of a small file. */
static void
read_file(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	size_t bytes = fread(out, 1, size - 1, file);
	assert_true(bytes > 0 && feof(file));
	out[bytes] = '\0';
	fclose(file);
}

struct daemon {
	struct MHD_Daemon *daemon;
	struct herald_microhttpd *events;
	struct probe probe;
};

static char own_request; /* Its address marks requests that are not Herald's. */

static enum MHD_Result
respond_own(struct MHD_Connection *connection, const char *problem)
{
	const char *text = problem ? problem : "hello";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued = MHD_queue_response(
		connection, problem ? herald_http_problem_status(problem) : 200, response);

	MHD_destroy_response(response);
	return queued;
}

/* Targets that end in EVENT are for events: a daemon's owner compares URLs. */
static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct daemon *own = cls;
	size_t bytes = strlen(url);

	if (bytes >= strlen(EVENT) && strcmp(url + bytes - strlen(EVENT), EVENT) == 0)
		return herald_microhttpd_handle(own->events, connection, method, version,
						upload_data, upload_data_size, con_cls);
	*con_cls = &own_request;
	return respond_own(connection, herald_microhttpd_head_problem(connection, method, version));
}

static void
completed(void *cls, struct MHD_Connection *connection, void **con_cls,
	  enum MHD_RequestTerminationCode toe)
{
	if (*con_cls != &own_request)
		herald_microhttpd_completed(cls, connection, con_cls, toe);
}

static void
start_daemon(struct daemon *own, bool is_encrypted)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	static char certificate[8192], key[8192];
	const struct MHD_OptionItem encryption[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, key},
		{MHD_OPTION_END, 0, NULL},
	};
	const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	read_file(files.certificate, certificate, sizeof(certificate));
	read_file(files.key, key, sizeof(key));
	probe_create(&own->probe);
	probe_create_endpoint(&own->probe, NULL);
	assert_int_equal(herald_microhttpd_create(own->probe.endpoint, &HERALD_MICROHTTPD_OPTIONS(),
						  &own->events, NULL),
			 HERALD_OK);
	own->daemon = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | (is_encrypted ? (unsigned)MHD_USE_TLS : 0), 0, NULL,
		NULL, handle, own, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_ARRAY, is_encrypted ? encryption : none, MHD_OPTION_END);
	assert_non_null(own->daemon);
	own->probe.port = MHD_get_daemon_info(own->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void
end_daemon(struct daemon *own)
{
	assert_int_equal(herald_microhttpd_stop(own->events, 0), 0);
	MHD_stop_daemon(own->daemon);
	herald_microhttpd_destroy(own->events);
	probe_destroy(&own->probe);
}

/* RFC 9110 section 7.4: https is for encrypted connections, http for any. */
static void
check_schemes(bool is_encrypted)
{
	static const char *const targets[] = {EVENT, "http://test" EVENT, "https://test" EVENT,
					      "/hello", "https://test/hello"};
	struct daemon own;

	start_daemon(&own, is_encrypted);
	if (is_encrypted)
		tls_client_begin(&(struct tls_client_settings){.ca = &files.ca});
	for (size_t i = 0; i < HERALD_COUNT(targets); i++) {
		bool is_refused = !is_encrypted && strncmp(targets[i], "https:", 6) == 0;
		bool is_event = strstr(targets[i], EVENT);
		struct http_response response;
		struct http_client client;
		char request[512];

		snprintf(request, sizeof(request),
			 "%s %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 is_event ? "POST" : "GET", targets[i],
			 is_event ? strlen(PROBE_DONE) : (size_t)0, is_event ? PROBE_DONE : "");
		probe_connect(&own.probe, &client);
		assert_true(http_send_text(&client, request));
		assert_true(http_receive(&client, true, &response));
		if (response.status != (is_refused ? 421u : 200u))
			fail_msg("%s: %s%s", targets[i], response.head, response.body);
		if (is_refused)
			assert_non_null(
				strstr(response.body,
				       "a target with https needs an encrypted connection"));
		http_close(&client);
	}
	if (is_encrypted)
		tls_client_end();
	end_daemon(&own);
}

static void
schemes_of_targets(void **state)
{
	(void)state;
	check_schemes(false);
	if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		skip();
	check_schemes(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schemes_of_targets),
	};

	server_files_create(&files);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	server_files_destroy(&files);
	return failed;
}
