/*
 * A probe behind a server that speaks TLS, with certificates of a temporary folder.
 */
#ifndef HERALD_TESTS_ADAPTERS_OPENSSL_FIXTURE_H
#define HERALD_TESTS_ADAPTERS_OPENSSL_FIXTURE_H

#include <herald/openssl.h>

#include "http/server_fixture.h"
#include "support/certificates.h"
#include "support/tls_client.h"

/* The server's files, made once for a test program. */
struct server_files {
	struct folder folder;
	struct identity ca, server;
	char certificate[128], key[128], ca_file[128];
};

static inline void
server_files_create(struct server_files *files)
{
	folder_create(&files->folder);
	files->ca = identity_create(&(struct identity_request){.name = "Test CA", .is_ca = true});
	files->server = identity_create(&(struct identity_request){
		.name = "localhost",
		.alternative = "DNS:localhost,IP:127.0.0.1",
		.issuer = &files->ca,
	});
	snprintf(files->certificate, sizeof(files->certificate), "%s",
		 folder_write_certificates(&files->folder, "server.pem", &files->server, NULL));
	snprintf(files->key, sizeof(files->key), "%s",
		 folder_write_key(&files->folder, "server.key", &files->server, NULL));
	snprintf(files->ca_file, sizeof(files->ca_file), "%s",
		 folder_write_certificates(&files->folder, "ca.pem", &files->ca, NULL));
}

static inline void
server_files_destroy(struct server_files *files)
{
	identity_destroy(&files->ca);
	identity_destroy(&files->server);
	folder_remove(&files->folder);
}

static inline struct herald_tls *
create_tls(const struct herald_openssl_options *options)
{
	struct herald_tls *tls;
	struct herald_error error;

	if (herald_openssl_create(options, &tls, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return tls;
}

/* Records of the server's log at debug level: the last failure of TLS. */
struct last_failure {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char text[128]; /* "": none yet */
};

static inline void
note_failure(const struct herald_log_record *record, void *state)
{
	struct last_failure *last = state;

	if (strcmp(record->message, "TLS failed") != 0)
		return;
	pthread_mutex_lock(&last->lock);
	snprintf(last->text, sizeof(last->text), "%s", record->fields[0].text);
	pthread_cond_signal(&last->changed);
	pthread_mutex_unlock(&last->lock);
}

/* Wait for the next one, which must be `expected`. */
static inline void
assert_failure(struct last_failure *last, const char *expected)
{
	struct timespec deadline;
	char found[sizeof(last->text)];
	int failed = 0;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += HTTP_CLIENT_WAIT_MS / 1000;
	pthread_mutex_lock(&last->lock);
	while (last->text[0] == '\0' && failed == 0)
		failed = pthread_cond_timedwait(&last->changed, &last->lock, &deadline);
	memcpy(found, last->text, sizeof(found));
	last->text[0] = '\0';
	pthread_mutex_unlock(&last->lock);
	assert_string_equal(found, expected);
}

#endif
