/*
 * The options of a connection, as libnats has them. Other files send over it.
 */
#include "connection.h"

#include <herald/adapter/memory.h>

#include "address.h"
#include "failure.h"
#include "link.h"

/* libnats would print asynchronous errors to stderr. All of them show elsewhere. */
static void
ignore_error(natsConnection *connection, natsSubscription *subscription, natsStatus status,
	     void *state)
{
	(void)connection, (void)subscription, (void)status, (void)state;
}

/* The first failure of a list of calls. */
#define THEN(status, call) ((status) == NATS_OK ? (call) : (status))

static natsStatus
set_security(const struct nats_connection_settings *from, natsOptions *to)
{
	natsStatus status = NATS_OK;

	if (from->credentials_file)
		status = natsOptions_SetUserCredentialsFromFiles(to, from->credentials_file, NULL);
	if (from->ca_file || herald__nats_address_is_secure(from->url))
		status = THEN(status, natsOptions_SetSecure(to, true));
	return status;
}

static enum herald_status
load_files(const struct nats_connection_settings *from, natsOptions *to, struct herald_error *error)
{
	natsStatus status = NATS_OK;

	if (from->ca_file)
		status = natsOptions_LoadCATrustedCertificates(to, from->ca_file);
	if (status != NATS_OK)
		return herald__nats_failure_set(error, status, 0, "ca_file", from->ca_file);
	if (from->certificate_file)
		status = natsOptions_LoadCertificatesChain(to, from->certificate_file,
							   from->key_file);
	if (status != NATS_OK)
		return herald__nats_failure_set(error, status, 0, "certificate_file",
						"cannot use it, or its key");
	return HERALD_OK;
}

static natsStatus
set_servers(const struct nats_connection_settings *from, natsOptions *to)
{
	const char *servers[NATS_SERVERS_MAX], *in_order[NATS_SERVERS_MAX];
	char copy[NATS_URL_BYTES_MAX + 1];
	const int count = herald__nats_address_split(from->url, copy, servers);
	const int first = from->server > 0 ? from->server - 1 : 0;

	/* The one that answered first. If it refuses, another one may not. */
	for (int i = 0; i < count; i++)
		in_order[i] = servers[(first + i) % count];
	natsStatus status = natsOptions_SetServers(to, in_order, count);
	return from->server > 0 ? THEN(status, natsOptions_SetNoRandomize(to, true)) : status;
}

static natsStatus
set_all(const struct nats_connection_settings *from, natsOptions *to)
{
	natsStatus status = set_servers(from, to);

	status = THEN(status, natsOptions_SetAllowReconnect(to, false));
	status = THEN(status, natsOptions_SetTimeout(to, from->timeout_ms));
	status = THEN(status, natsOptions_SetPingInterval(to, from->timeout_ms));
	status = THEN(status, natsOptions_SetMaxPingsOut(to, 2));
	status = THEN(status, natsOptions_SetWriteDeadline(to, from->timeout_ms));
	status = THEN(status, natsOptions_SetErrorHandler(to, ignore_error, NULL));
	status = THEN(status, natsOptions_SetName(to, from->name));
	status = THEN(status, set_security(from, to));
	return from->link ? THEN(status, herald__nats_link_attach(from->link, to)) : status;
}

struct nats_connection_settings
herald__nats_settings(const struct nats *nats)
{
	const struct herald_nats_subscriber_options *options = &nats->options;

	return (struct nats_connection_settings){
		.url = options->url,
		.server = nats->server,
		.name = options->group,
		.timeout_ms = options->timeout_ms,
		.credentials_file = options->credentials_file,
		.ca_file = options->ca_file,
		.certificate_file = options->certificate_file,
		.key_file = options->key_file,
	};
}

enum herald_status
herald__nats_connect(const struct nats_connection_settings *settings, natsConnection **out,
		     struct herald_error *error)
{
	natsOptions *options = NULL;
	natsStatus status = natsOptions_Create(&options);

	status = THEN(status, set_all(settings, options));
	if (status == NATS_OK) {
		enum herald_status loaded = load_files(settings, options, error);

		if (loaded != HERALD_OK) {
			natsOptions_Destroy(options);
			return loaded;
		}
	}
	status = THEN(status, natsConnection_Connect(out, options));
	natsOptions_Destroy(options);
	if (status == NATS_OK)
		return HERALD_OK;
	return herald__nats_failure_set(error, status, 0, "url", "cannot connect to NATS");
}
