/*
 * The OpenSSL adapter's options and files: what is wrong with them, and reloads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/openssl_fixture.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"

static struct server_files files;

/* Paths of the folder, made by main(). */
static const char *missing, *empty, *text, *truncated, *other_key, *encrypted_key, *encrypted;

/* Errors. */

static void
assert_bad(const struct herald_openssl_options *options, const char *path, const char *format,
	   const char *file)
{
	struct herald_tls *tls = NULL;
	struct herald_error error = {0};
	char expected[256];

	assert_int_equal(herald_openssl_create(options, &tls, &error), HERALD_BAD_OPTION);
	assert_int_equal(error.status, HERALD_BAD_OPTION);
	assert_null(tls);
	snprintf(expected, sizeof(expected), format, file);
	assert_option_error(&error, path, expected);
	assert_int_equal(herald_openssl_create(options, &tls, NULL), HERALD_BAD_OPTION);
	assert_null(tls);
}

static void
bad_options(void **state)
{
	static const char *const names[] = {"a.test", ""};
	static const char *const no_names[] = {NULL};

	(void)state;
	assert_bad(NULL, "certificate", "must be set", "");
	assert_bad(&(struct herald_openssl_options){.certificate = "a", .key = "b"}, "struct_size",
		   "use HERALD_OPENSSL_OPTIONS, which sets it", "");
	assert_bad(&HERALD_OPENSSL_OPTIONS(.key = files.key), "certificate", "must be set", "");
	assert_bad(&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate), "key", "must be set",
		   "");
	assert_bad(&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key,
					   HERALD_OPENSSL_CLIENT_NAMES(names)),
		   "client_names", "needs client_ca", "");
	assert_bad(&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key,
					   .client_ca = files.ca_file,
					   HERALD_OPENSSL_CLIENT_NAMES(names)),
		   "client_names", "must not contain NULL or \"\"", "");
	assert_bad(&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key,
					   .client_ca = files.ca_file,
					   HERALD_OPENSSL_CLIENT_NAMES(no_names)),
		   "client_names", "must not contain NULL or \"\"", "");
	assert_bad(&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key,
					   .client_ca = files.ca_file, .client_names = names),
		   "client_names",
		   "is set, but client_names_count is 0; "
		   "HERALD_OPENSSL_CLIENT_NAMES(array) sets both",
		   "");
	assert_bad(&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key,
					   .allocator = {.state = &files,
							 .release = NULL,
							 .allocate = (void *(*)(size_t, void *))1}),
		   "allocator", "needs all three functions, or none", "");
}

/* These are the words of OpenSSL 3.0. */
#define CERTIFICATE_EXPECTED "%s: expected certificates in PEM format; OpenSSL says: "
#define KEY_EXPECTED "%s: expected a private key in PEM format; OpenSSL says: "
#define CA_EXPECTED "%s: expected CA certificates in PEM format; OpenSSL says: "

static void
bad_files(void **state)
{
	const struct {
		const char *option, *file, *message;
	} cases[] = {
		{"certificate", missing, "cannot read %s: No such file or directory"},
		{"certificate", files.folder.path, "cannot read %s: Is a directory"},
		{"certificate", empty, CERTIFICATE_EXPECTED "no start line"},
		{"certificate", text, CERTIFICATE_EXPECTED "no start line"},
		{"certificate", truncated, CERTIFICATE_EXPECTED "bad end line"},
		{"certificate", files.key, CERTIFICATE_EXPECTED "no start line"},
		{"certificate", encrypted, CERTIFICATE_EXPECTED "bad password read"},
		{"key", missing, "cannot read %s: No such file or directory"},
		{"key", files.folder.path, "cannot read %s: Is a directory"},
		{"key", empty, KEY_EXPECTED "unsupported"},
		{"key", text, KEY_EXPECTED "unsupported"},
		{"key", files.certificate, KEY_EXPECTED "unsupported"},
		{"key", encrypted_key, "%s must not be encrypted"},
		{"key", other_key,
		 "%s: expected the private key of the certificate; OpenSSL says: key values "
		 "mismatch"},
		{"client_ca", missing, "cannot read %s: No such file or directory"},
		{"client_ca", files.folder.path, "cannot read %s: Is a directory"},
		{"client_ca", empty, CA_EXPECTED "no start line"},
		{"client_ca", text, CA_EXPECTED "no start line"},
		{"client_ca", truncated, CA_EXPECTED "bad end line"},
		{"client_ca", files.key, CA_EXPECTED "no start line"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_openssl_options options =
			HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key,
					       .client_ca = files.ca_file);

		if (strcmp(cases[i].option, "certificate") == 0)
			options.certificate = cases[i].file;
		else if (strcmp(cases[i].option, "key") == 0)
			options.key = cases[i].file;
		else
			options.client_ca = cases[i].file;
		assert_bad(&options, cases[i].option, cases[i].message, cases[i].file);
	}
	herald_openssl_destroy(NULL);
}

static void
out_of_memory(void **state)
{
	static const char *const names[] = {"a.test", "b.test"};

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_tls *tls = NULL;
		struct herald_error error = {0};

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = herald_openssl_create(
			&HERALD_OPENSSL_OPTIONS(.certificate = files.certificate, .key = files.key,
						.client_ca = files.ca_file,
						HERALD_OPENSSL_CLIENT_NAMES(names),
						.allocator = memory.allocator),
			&tls, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		assert_int_equal(error.status, status);
		assert_true(!tls == (status != HERALD_OK));
		herald_openssl_destroy(tls);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

/* Reloads. */

/* Files of the test's own, which it replaces. */
struct replaced {
	struct herald_tls *tls;
	struct probe probe;
	char certificate[384], key[384];
};

static void
replace(struct replaced *replaced, const struct identity *identity)
{
	const char *certificate =
		folder_write_certificates(&files.folder, "next.pem", identity, NULL);
	const char *key = folder_write_key(&files.folder, "next.key", identity, NULL);

	assert_int_equal(rename(certificate, replaced->certificate), 0);
	assert_int_equal(rename(key, replaced->key), 0);
}

static struct identity
make_server(const char *name)
{
	return identity_create(&(struct identity_request){
		.name = name, .alternative = "DNS:localhost", .issuer = &files.ca});
}

static void
start_replaced(struct replaced *replaced, const struct identity *identity)
{
	snprintf(replaced->certificate, sizeof(replaced->certificate), "%s",
		 folder_path(&files.folder, "replaced.pem"));
	snprintf(replaced->key, sizeof(replaced->key), "%s",
		 folder_path(&files.folder, "replaced.key"));
	replace(replaced, identity);
	/* The options' texts are copied. */
	char certificate[384], key[384];
	memcpy(certificate, replaced->certificate, sizeof(certificate));
	memcpy(key, replaced->key, sizeof(key));
	replaced->tls = create_tls(&HERALD_OPENSSL_OPTIONS(.certificate = certificate, .key = key));
	memset(certificate, 'x', sizeof(certificate) - 1);
	memset(key, 'x', sizeof(key) - 1);
	serve(&replaced->probe, HERALD_SERVER_OPTIONS(.tls = replaced->tls, .threads = 2));
	tls_client_begin(&(struct tls_client_settings){.ca = &files.ca});
}

static void
stop_replaced(struct replaced *replaced)
{
	probe_stop(&replaced->probe);
	herald_openssl_destroy(replaced->tls);
}

static void
assert_healthy(struct http_client *client)
{
	struct http_response response;

	assert_true(http_send_text(client, HEALTH));
	assert_true(http_receive(client, true, &response));
	probe_assert_answer(&response, 200, "{\"status\":\"ok\"}");
}

static void
assert_served_by(const struct http_client *client, const char *name)
{
	X509 *certificate = SSL_get1_peer_certificate(tls_client_ssl(client));
	char found[64];

	assert_non_null(certificate);
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, found,
				  sizeof(found));
	X509_free(certificate);
	assert_string_equal(found, name);
}

static void
connect_to(const struct replaced *replaced, const char *name, struct http_client *client)
{
	probe_connect(&replaced->probe, client);
	assert_served_by(client, name);
	assert_healthy(client);
}

static void
reload_while_a_connection_lives_on(void **state)
{
	struct replaced replaced;
	struct identity first = make_server("first"), second = make_server("second");
	struct http_client early, late;

	(void)state;
	start_replaced(&replaced, &first);
	connect_to(&replaced, "first", &early);
	replace(&replaced, &second);
	connect_to(&replaced, "first", &late);
	SSL_SESSION *session = SSL_get1_session(tls_client_ssl(&late));
	http_close(&late);
	assert_int_equal(herald_openssl_reload(replaced.tls, NULL), HERALD_OK);
	connect_to(&replaced, "second", &late);
	assert_healthy(&early);
	assert_served_by(&early, "first");
	http_close(&early);
	http_close(&late);

	/* A session of before is not resumed. */
	tls_client_resume(session);
	connect_to(&replaced, "second", &late);
	assert_false(SSL_session_reused(tls_client_ssl(&late)));
	http_close(&late);
	tls_client_resume(NULL);
	SSL_SESSION_free(session);
	stop_replaced(&replaced);
	identity_destroy(&first);
	identity_destroy(&second);
}

static void
reload_of_bad_files_changes_nothing(void **state)
{
	struct replaced replaced;
	struct identity first = make_server("first"), second = make_server("second");
	struct http_client client;
	struct herald_error error;
	char expected[512];

	(void)state;
	start_replaced(&replaced, &first);
	for (int i = 0; i < 4; i++) {
		const char *format;

		switch (i) {
		case 0:
			assert_int_equal(unlink(replaced.key), 0);
			format = "cannot read %s: No such file or directory";
			break;
		case 1:
			folder_write(&files.folder, "replaced.key", "");
			format = KEY_EXPECTED "unsupported";
			break;
		case 2: /* One of the two files is new. */
			folder_write_key(&files.folder, "replaced.key", &second, NULL);
			format = "%s: expected the private key of the certificate; OpenSSL says: "
				 "key values mismatch";
			break;
		default:
			replace(&replaced, &second);
			folder_write(&files.folder, "replaced.pem", "no certificate");
			format = CERTIFICATE_EXPECTED "no start line";
		}
		assert_int_equal(herald_openssl_reload(replaced.tls, &error), HERALD_BAD_OPTION);
		assert_int_equal(herald_openssl_reload(replaced.tls, NULL), HERALD_BAD_OPTION);
		snprintf(expected, sizeof(expected), format,
			 i < 3 ? replaced.key : replaced.certificate);
		assert_option_error(&error, i < 3 ? "key" : "certificate", expected);
		connect_to(&replaced, "first", &client);
		http_close(&client);
	}
	replace(&replaced, &second);
	assert_int_equal(herald_openssl_reload(replaced.tls, &error), HERALD_OK);
	connect_to(&replaced, "second", &client);
	http_close(&client);
	stop_replaced(&replaced);
	identity_destroy(&first);
	identity_destroy(&second);
}

/* Reloads on two threads, while connections begin and end. */
struct reloading {
	struct herald_tls *tls;
	atomic_bool ends;
	atomic_uint count;
};

static void *
reload_again(void *state)
{
	struct reloading *reloading = state;

	while (!atomic_load(&reloading->ends))
		if (herald_openssl_reload(reloading->tls, NULL) == HERALD_OK)
			atomic_fetch_add(&reloading->count, 1);
	return NULL;
}

static void
reloads_while_clients_connect(void **state)
{
	struct replaced replaced;
	struct identity first = make_server("first");
	struct http_client client;
	pthread_t threads[2];

	(void)state;
	start_replaced(&replaced, &first);
	struct reloading reloading = {.tls = replaced.tls};
	for (size_t i = 0; i < HERALD_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reload_again, &reloading), 0);
	for (int i = 0; i < 50 || atomic_load(&reloading.count) < 50; i++) {
		connect_to(&replaced, "first", &client);
		http_close(&client);
	}
	atomic_store(&reloading.ends, true);
	for (size_t i = 0; i < HERALD_COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	stop_replaced(&replaced);
	identity_destroy(&first);
}

static void
write_bad_files(struct identity *other)
{
	char half[512] = "";
	FILE *file = fopen(files.certificate, "r");

	assert_non_null(file);
	assert_int_equal(fread(half, 1, 200, file), 200);
	fclose(file);
	*other = identity_create(&(struct identity_request){.name = "other"});
	missing = strdup(folder_path(&files.folder, "missing.pem"));
	empty = strdup(folder_write(&files.folder, "empty.pem", ""));
	text = strdup(folder_write(&files.folder, "text.pem", "no PEM\n"));
	truncated = strdup(folder_write(&files.folder, "truncated.pem", half));
	other_key = strdup(folder_write_key(&files.folder, "other.key", other, NULL));
	encrypted = strdup(folder_write(
		&files.folder, "encrypted.pem",
		"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
		"00000000000000000000000000000000\n\nAAAA\n-----END CERTIFICATE-----\n"));
	encrypted_key =
		strdup(folder_write_key(&files.folder, "encrypted.key", &files.server, "secret"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_options),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(reload_while_a_connection_lives_on),
		cmocka_unit_test(reload_of_bad_files_changes_nothing),
		cmocka_unit_test(reloads_while_clients_connect),
	};
	const char **paths[] = {&missing,   &empty,         &text,     &truncated,
				&other_key, &encrypted_key, &encrypted};
	struct identity other;

	server_files_create(&files);
	write_bad_files(&other);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	tls_client_end();
	for (size_t i = 0; i < HERALD_COUNT(paths); i++)
		free((void *)(uintptr_t)*paths[i]);
	identity_destroy(&other);
	server_files_destroy(&files);
	return failed;
}
