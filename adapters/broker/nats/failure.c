/*
 * Which failures pass by themselves, and which do not. libnats keeps a thread's last error as text.
 */
#include "failure.h"

#include <string.h>

#include <herald/adapter/options.h>

bool
herald__nats_failure_passes(natsStatus status, jsErrCode code)
{
	if (code == JSClusterNotAvailErr || code == JSClusterNotLeaderErr ||
	    code == JSInsufficientResourcesErr)
		return true;
	if (code != 0)
		return false;
	switch (status) {
	case NATS_CONNECTION_AUTH_FAILED:
	case NATS_NOT_PERMITTED:
	case NATS_SECURE_CONNECTION_REQUIRED:
	case NATS_SECURE_CONNECTION_WANTED:
	case NATS_INVALID_ARG:
	case NATS_SSL_ERROR:
	case NATS_ERR:
		return false;
	default:
		return true;
	}
}

const char *
herald__nats_failure_text(natsStatus status)
{
	natsStatus last = NATS_OK;
	const char *text = nats_GetLastError(&last);

	if (status == NATS_NO_RESPONDERS)
		return "no server answers requests of JetStream (nats-server runs it with -js)";
	return text && *text != '\0' ? text : natsStatus_GetText(status);
}

enum herald_status
herald__nats_failure_set(struct herald_error *error, natsStatus status, jsErrCode code,
			 const char *option, const char *what)
{
	if (status == NATS_NO_MEMORY)
		return herald_out_of_memory(error);
	const char *text = herald__nats_failure_text(status);
	if (herald__nats_failure_passes(status, code))
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s: %s", what,
					text);
	return herald_option_refuse(error, option, "%s: %s", what, text);
}
