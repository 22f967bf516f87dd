/*
 * Who may connect to a server with TLS: certificates of clients, protocol versions and ALPN, with
 * OpenSSL's functions and with the programs openssl and curl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/openssl_fixture.h"

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"

static struct server_files files;
static struct last_failure failures = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct herald_tls *
serve_tls(struct probe *probe, struct herald_openssl_options options)
{
	options.certificate = files.certificate;
	options.key = files.key;
	struct herald_tls *tls = create_tls(&options);
	serve(probe, HERALD_SERVER_OPTIONS(.tls = tls, .threads = 1,
					   .log = {.write = note_failure,
						   .state = &failures,
						   .level = HERALD_LOG_DEBUG}));
	return tls;
}

static void
stop_tls(struct probe *probe, struct herald_tls *tls)
{
	probe_stop(probe);
	herald_openssl_destroy(tls);
}

/* Certificates of clients. */

/* Whether a client gets an answer. With TLS 1.3 it can connect before its certificate is read. */
static bool
is_answered(const struct probe *probe, const struct tls_client_settings *settings)
{
	struct http_client client;
	struct http_response response;

	tls_client_begin(settings);
	if (!http_connect(&client, "127.0.0.1", probe->port))
		return false;
	bool answered = http_send_text(&client, HEALTH) && http_receive(&client, true, &response);
	if (answered)
		probe_assert_answer(&response, 200, "{\"status\":\"ok\"}");
	http_close(&client);
	return answered;
}

/* With both versions: an answer, or none and the reason in the log. */
static void
assert_client(const struct probe *probe, const struct identity *own, const struct identity *issuer,
	      const char *failure)
{
	for (size_t i = 0; i < HERALD_COUNT(versions); i++) {
		const struct tls_client_settings settings = {
			.ca = &files.ca, .own = own, .issuer = issuer, .version = versions[i]};

		assert_true(is_answered(probe, &settings) == !failure);
		if (failure)
			assert_failure(&failures, failure);
	}
}

#define REFUSED_WITHOUT "peer did not return a certificate"
#define REFUSED_EXPIRED "certificate has expired"
#define REFUSED_EARLY "certificate is not yet valid"
#define REFUSED_ISSUER "unable to get local issuer certificate"
#define REFUSED_SELF "self-signed certificate"
#define REFUSED_USAGE "unsuitable certificate purpose"
#define REFUSED_SIGNATURE "certificate signature failure"
#define REFUSED_NAME "hostname mismatch"

static void
client_certificates(void **state)
{
	struct identity ca =
		identity_create(&(struct identity_request){.name = "Client CA", .is_ca = true});
	struct identity namesake =
		identity_create(&(struct identity_request){.name = "Client CA", .is_ca = true});
	struct identity between = identity_create(&(struct identity_request){
		.name = "Intermediate CA", .issuer = &ca, .is_ca = true});
	struct identity no_ca =
		identity_create(&(struct identity_request){.name = "No CA", .issuer = &ca});
	const struct {
		struct identity_request request;
		const struct identity *sent; /* after it */
		const char *failure;
	} cases[] = {
		{{.name = "good", .issuer = &ca}, NULL, NULL},
		{{.name = "for clients", .issuer = &ca, .usage = "clientAuth"}, NULL, NULL},
		{{.name = "by the intermediate", .issuer = &between}, &between, NULL},
		{{.name = "alone", .issuer = &between}, NULL, REFUSED_ISSUER},
		{{.name = "for servers", .issuer = &ca, .usage = "serverAuth"},
		 NULL,
		 REFUSED_USAGE},
		{{.name = "expired", .issuer = &ca, .ends_s = -1}, NULL, REFUSED_EXPIRED},
		{{.name = "long expired", .issuer = &ca, .begins_s = -20000000, .ends_s = -9999999},
		 NULL,
		 REFUSED_EXPIRED},
		{{.name = "early", .issuer = &ca, .begins_s = 3600}, NULL, REFUSED_EARLY},
		{{.name = "of itself"}, NULL, REFUSED_SELF},
		{{.name = "of the server's CA", .issuer = &files.ca}, NULL, REFUSED_ISSUER},
		{{.name = "of a CA of that name", .issuer = &namesake}, NULL, REFUSED_SIGNATURE},
		{{.name = "of no CA", .issuer = &no_ca}, &no_ca, "invalid CA certificate"},
	};
	const char *ca_file = folder_write_certificates(&files.folder, "clients.pem", &ca, NULL);
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_OPENSSL_OPTIONS(.client_ca = ca_file));

	(void)state;
	assert_client(&probe, NULL, NULL, REFUSED_WITHOUT);
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct identity own = identity_create(&cases[i].request);

		print_message("%s\n", cases[i].request.name);
		assert_client(&probe, &own, cases[i].sent, cases[i].failure);
		identity_destroy(&own);
	}
	assert_int_equal(atomic_load(&probe.function_count), 0);
	stop_tls(&probe, tls);
	identity_destroy(&ca);
	identity_destroy(&namesake);
	identity_destroy(&between);
	identity_destroy(&no_ca);
}

static void
client_names(void **state)
{
	static const char *const names[] = {"orders.test", "billing.test", "eu.shop.test"};
	static const struct {
		const char *name, *alternative, *failure;
	} cases[] = {
		{"anything", "DNS:orders.test", NULL},
		{"anything", "DNS:else.test,DNS:billing.test", NULL},
		{"anything", "DNS:ORDERS.test", NULL},
		{"orders.test", NULL, NULL},
		{"orders.test", "email:a@orders.test", NULL},
		/* The subject counts only if there is no other DNS name. */
		{"orders.test", "DNS:else.test", REFUSED_NAME},
		{"else.test", NULL, REFUSED_NAME},
		{"anything", "DNS:else.test", REFUSED_NAME},
		{"anything", "DNS:sub.orders.test", REFUSED_NAME},
		{"anything", "DNS:test", REFUSED_NAME},
		{"anything", "DNS:*.test", REFUSED_NAME},
		{"anything", "DNS:*.shop.test", REFUSED_NAME},
		{"anything", "email:orders.test@else.test", REFUSED_NAME},
		{"anything", "IP:127.0.0.1", REFUSED_NAME},
	};
	struct identity ca =
		identity_create(&(struct identity_request){.name = "Client CA", .is_ca = true});
	const char *ca_file = folder_write_certificates(&files.folder, "clients.pem", &ca, NULL);
	struct probe probe;
	struct herald_tls *tls =
		serve_tls(&probe, HERALD_OPENSSL_OPTIONS(.client_ca = ca_file,
							 HERALD_OPENSSL_CLIENT_NAMES(names)));

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct identity own = identity_create(&(struct identity_request){
			.name = cases[i].name, .alternative = cases[i].alternative, .issuer = &ca});

		print_message("%s, %s\n", cases[i].name,
			      cases[i].alternative ? cases[i].alternative : "no other name");
		assert_client(&probe, &own, NULL, cases[i].failure);
		identity_destroy(&own);
	}
	stop_tls(&probe, tls);
	identity_destroy(&ca);
}

/* An intermediate CA without its root, and two CAs in one file. */
static void
several_client_cas(void **state)
{
	struct identity root =
		identity_create(&(struct identity_request){.name = "Root", .is_ca = true});
	struct identity between = identity_create(&(struct identity_request){
		.name = "Intermediate CA", .issuer = &root, .is_ca = true});
	struct identity second =
		identity_create(&(struct identity_request){.name = "Second", .is_ca = true});
	const struct {
		const struct identity *issuer;
		const char *failure;
	} cases[] = {{&between, NULL}, {&second, NULL}, {&root, REFUSED_ISSUER}};
	const char *ca_file =
		folder_write_certificates(&files.folder, "clients.pem", &between, &second);
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_OPENSSL_OPTIONS(.client_ca = ca_file));

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct identity own = identity_create(
			&(struct identity_request){.name = "own", .issuer = cases[i].issuer});

		assert_client(&probe, &own, NULL, cases[i].failure);
		identity_destroy(&own);
	}
	stop_tls(&probe, tls);
	identity_destroy(&root);
	identity_destroy(&between);
	identity_destroy(&second);
}

/* A certificate that has expired since would be accepted with a resumed session. */
static void
sessions_of_client_certificates_are_not_resumed(void **state)
{
	struct identity ca =
		identity_create(&(struct identity_request){.name = "Client CA", .is_ca = true});
	struct identity own =
		identity_create(&(struct identity_request){.name = "own", .issuer = &ca});
	const char *ca_file = folder_write_certificates(&files.folder, "clients.pem", &ca, NULL);
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_OPENSSL_OPTIONS(.client_ca = ca_file));

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(versions); i++) {
		struct tls_client_settings settings = {
			.ca = &files.ca, .own = &own, .version = versions[i]};
		struct http_client client;
		struct http_response response;

		tls_client_begin(&settings);
		for (int again = 0; again <= 1; again++) {
			probe_connect(&probe, &client);
			assert_true(http_send_text(&client, HEALTH));
			assert_true(http_receive(&client, true, &response));
			probe_assert_answer(&response, 200, NULL);
			assert_false(SSL_session_reused(tls_client_ssl(&client)));
			SSL_SESSION *session = SSL_get1_session(tls_client_ssl(&client));
			tls_client_resume(session);
			SSL_SESSION_free(session);
			http_close(&client);
		}
		tls_client_resume(NULL);
		settings.own = NULL;
		assert_false(is_answered(&probe, &settings));
		assert_failure(&failures, REFUSED_WITHOUT);
	}
	stop_tls(&probe, tls);
	identity_destroy(&ca);
	identity_destroy(&own);
}

/* The programs. */

/* Run a command of the shell; what it prints to both streams. */
static int
run(const char *command, char *out, size_t out_bytes)
{
	FILE *pipe = popen(command, "r");
	size_t bytes;

	assert_non_null(pipe);
	bytes = fread(out, 1, out_bytes - 1, pipe);
	out[bytes] = '\0';
	return pclose(pipe);
}

static void
assert_found(const char *command, const char *out, const char *expected, bool is_expected)
{
	if (!strstr(out, expected) == is_expected)
		fail_msg("%s\n\"%s\" is%s in:\n%s", command, expected, is_expected ? " not" : "",
			 out);
}

static void
openssl_s_client(void **state)
{
	static const struct {
		const char *arguments;
		const char *expected; /* in its output */
		const char *failure;  /* in the log; NULL: there is an answer */
	} cases[] = {
		{"-tls1_3", "Protocol version: TLSv1.3", NULL},
		{"-tls1_2", "Protocol version: TLSv1.2", NULL},
		{"-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305",
		 NULL},
		{"-alpn http/1.1", "Protocol version: TLSv1.3", NULL},
		{"-alpn h2,http/1.1", "Protocol version: TLSv1.3", NULL},
		{"-alpn h2", "alert no application protocol", "no application protocol"},
		{"-tls1_2 -alpn h2,h3", "alert no application protocol", "no application protocol"},
		{"-tls1_1 -cipher DEFAULT@SECLEVEL=0", "alert protocol version",
		 "unsupported protocol"},
		{"-tls1 -cipher DEFAULT@SECLEVEL=0", "alert protocol version",
		 "unsupported protocol"},
		{"-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", "handshake failure", "no shared cipher"},
		{"-tls1_2 -cipher AES128-GCM-SHA256", "handshake failure", "no shared cipher"},
	};
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_OPENSSL_OPTIONS());
	char command[1024], out[16384];

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		snprintf(command, sizeof(command),
			 "printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | timeout 60 openssl s_client "
			 "-connect 127.0.0.1:%u -CAfile %s -verify_return_error -brief -ign_eof %s "
			 "2>&1",
			 probe.port, files.ca_file, cases[i].arguments);
		run(command, out, sizeof(out));
		assert_found(command, out, cases[i].expected, true);
		assert_found(command, out, "HTTP/1.1 200 OK", !cases[i].failure);
		if (cases[i].failure)
			assert_failure(&failures, cases[i].failure);
	}
	stop_tls(&probe, tls);
}

/* Which protocol is agreed on; s_client prints it without -brief only. */
static void
agreed_protocol(void **state)
{
	static const struct {
		const char *arguments, *expected;
	} cases[] = {
		{"-alpn http/1.1", "ALPN protocol: http/1.1"},
		{"-alpn h2,http/1.1,http/1.0", "ALPN protocol: http/1.1"},
		{"", "No ALPN negotiated"},
	};
	struct probe probe;
	struct herald_tls *tls = serve_tls(&probe, HERALD_OPENSSL_OPTIONS());
	char command[1024], out[32768];

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		snprintf(command, sizeof(command),
			 "printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | timeout 60 openssl s_client "
			 "-connect 127.0.0.1:%u -CAfile %s -verify_return_error -ign_eof %s 2>&1",
			 probe.port, files.ca_file, cases[i].arguments);
		run(command, out, sizeof(out));
		assert_found(command, out, cases[i].expected, true);
		assert_found(command, out, "HTTP/1.1 200 OK", true);
		assert_found(command, out, "Compression: NONE", true);
	}
	stop_tls(&probe, tls);
}

static void
curl(void **state)
{
	struct identity own =
		identity_create(&(struct identity_request){.name = "own", .issuer = &files.ca});
	const char *own_file = folder_write_certificates(&files.folder, "own.pem", &own, NULL);
	const char *own_key = folder_write_key(&files.folder, "own.key", &own, NULL);
	char identity[512], stranger[512];
	struct probe probe;
	char command[2048], out[4096];

	(void)state;
	snprintf(stranger, sizeof(stranger), "--cacert %s", own_file);
	snprintf(identity, sizeof(identity), "--cert %s --key %s", own_file, own_key);
	for (int with_certificate = 0; with_certificate <= 1; with_certificate++) {
		struct herald_tls *tls = serve_tls(
			&probe, HERALD_OPENSSL_OPTIONS(.client_ca = with_certificate ? files.ca_file
										     : NULL));
		const struct {
			const char *arguments;
			int status; /* of curl; -1: an error, which depends on the version */
			const char *expected;
		} cases[] = {
			{with_certificate ? identity : "", 0, PROBE_SUCCESS "\n200"},
			{"--http1.0 --tls-max 1.2", with_certificate ? -1 : 0,
			 with_certificate ? "\n000" : PROBE_SUCCESS "\n200"},
			{stranger, 60, "\n000"},
		};

		for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
			snprintf(command, sizeof(command),
				 "timeout 60 curl -s --noproxy '*' --cacert %s "
				 "--resolve localhost:%u:127.0.0.1 -w '\\n%%{http_code}' "
				 "-H 'Content-Type: application/json' -d '%s' %s "
				 "https://localhost:%u/event",
				 files.ca_file, probe.port, PROBE_DONE, cases[i].arguments,
				 probe.port);
			int status = run(command, out, sizeof(out));
			assert_found(command, out, cases[i].expected, true);
			assert_true(WIFEXITED(status));
			if (cases[i].status < 0)
				assert_int_not_equal(WEXITSTATUS(status), 0);
			else
				assert_int_equal(WEXITSTATUS(status), cases[i].status);
		}
		stop_tls(&probe, tls);
	}
	failures.text[0] = '\0';
	identity_destroy(&own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_certificates),
		cmocka_unit_test(client_names),
		cmocka_unit_test(several_client_cas),
		cmocka_unit_test(sessions_of_client_certificates_are_not_resumed),
		cmocka_unit_test(openssl_s_client),
		cmocka_unit_test(agreed_protocol),
		cmocka_unit_test(curl),
	};

	server_files_create(&files);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	tls_client_end();
	server_files_destroy(&files);
	return failed;
}
