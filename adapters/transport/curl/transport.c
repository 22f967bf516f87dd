/*
 * The transport. Owns the poller and the transfers, which are reused, and passes attempts to them.
 * A transfer is set up in transfer.c.
 */
#include <errno.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/transport.h>
#include <herald/curl.h>

#include "poller.h"
#include "settings.h"
#include "transfer.h"

#define MAX_ANSWER_HEADER_BYTES 262144 /* libcurl's own limit is only a little higher */
#define MAX_ANSWER_BODY_BYTES ((size_t)1 << 30)
#define MAX_ANSWER_BYTES ((size_t)1 << 31) /* above the default for the largest body */
#define ANSWER_HEADER_BYTES ((size_t)64 * 1024)
#define ANSWER_BODY_BYTES ((size_t)64 * 1024)
#define ANSWER_FRAMING_BYTES ((size_t)128 * 1024)

struct curl_transport {
	struct herald_transport base; /* the first member */
	struct herald__curl_settings settings;
	struct herald__poller poller;
	bool is_open;
	struct herald__transfer *idle; /* linked by `next` */
	struct herald__transfer *first_finished;
	struct herald__transfer **end_of_finished;
};

static struct curl_transport *
transport_of(struct herald_transport *base)
{
	return (struct curl_transport *)base;
}

/* Transfers. */

/* Errors: as herald__transfer_create(). */
static enum herald_status
take_transfer(struct curl_transport *transport, struct herald__transfer **out)
{
	if (!transport->idle)
		return herald__transfer_create(&transport->settings, out);
	*out = transport->idle;
	transport->idle = transport->idle->next;
	return HERALD_OK;
}

static void
give_transfer(struct curl_transport *transport, struct herald__transfer *transfer)
{
	transfer->next = transport->idle;
	transport->idle = transfer;
}

/*
 * Collect the transfers that libcurl has finished, in order. Takes all messages before removing a
 * transfer, because libcurl walks along the remaining messages, possibly hundreds, at each removal.
 * Returns whether any has finished.
 */
static bool
note_finished(struct curl_transport *transport)
{
	CURLcode code;
	CURL *easy;

	while ((easy = herald__multis_next_finished(&transport->poller.multis, &code))) {
		struct herald__transfer *transfer = herald__transfer_of(easy);

		transfer->code = code;
		transfer->next = NULL;
		*transport->end_of_finished = transfer;
		transport->end_of_finished = &transfer->next;
	}
	return transport->first_finished;
}

/* The ops. */

static enum herald_status
curl_open(struct herald_transport *base, const struct herald_transport_settings *settings,
	  struct herald_error *error)
{
	struct curl_transport *transport = transport_of(base);

	transport->settings.max_attempts_per_origin = settings->max_attempts_per_origin;
	transport->settings.allow_credentials = settings->allow_credentials;
	transport->is_open = herald__poller_init(&transport->poller, &transport->settings.allocator,
						 settings->max_attempts);
	if (transport->is_open)
		return HERALD_OK;
	if (errno == ENOMEM)
		return herald_out_of_memory(error);
	return herald_system_error(error, "cannot wait for sockets", errno);
}

static enum herald_status
curl_begin(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct curl_transport *transport = transport_of(base);
	struct herald__transfer *transfer;
	enum herald_status status = take_transfer(transport, &transfer);

	if (status != HERALD_OK)
		return status;
	status = herald__transfer_begin(transfer, attempt);
	if (status == HERALD_OK)
		attempt->data = transfer;
	else
		give_transfer(transport, transfer);
	return status;
}

static void
curl_cancel(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct herald__transfer *transfer = attempt->data;

	herald__transfer_cancel(transfer);
	give_transfer(transport_of(base), transfer);
}

static void
curl_wait(struct herald_transport *base, int64_t timeout_ms)
{
	struct curl_transport *transport = transport_of(base);

	herald__poller_run_due(&transport->poller);
	/*
	 * If transfers have finished, there are free slots and maybe retries, so do not wait. But
	 * poll the sockets, or attempts that end as soon as they begin would starve the others.
	 */
	if (note_finished(transport))
		timeout_ms = 0;
	herald__poller_wait(&transport->poller, timeout_ms);
	note_finished(transport);
}

static struct herald_attempt *
curl_next_finished(struct herald_transport *base, struct herald_attempt_result *out)
{
	struct curl_transport *transport = transport_of(base);
	struct herald__transfer *transfer = transport->first_finished;

	if (!transfer)
		return NULL;
	transport->first_finished = transfer->next;
	if (!transport->first_finished)
		transport->end_of_finished = &transport->first_finished;

	struct herald_attempt *attempt = transfer->attempt;
	herald__transfer_end(transfer, out);
	give_transfer(transport, transfer);
	return attempt;
}

static void
curl_wake(struct herald_transport *base)
{
	herald__poller_wake(&transport_of(base)->poller);
}

static void
curl_destroy(struct herald_transport *base)
{
	struct curl_transport *transport = transport_of(base);
	const struct herald_allocator allocator = transport->settings.allocator;

	while (transport->idle) {
		struct herald__transfer *transfer = transport->idle;

		transport->idle = transfer->next;
		herald__transfer_destroy(transfer);
	}
	if (transport->is_open)
		herald__poller_finish(&transport->poller);
	curl_global_cleanup();
	herald_memory_release(&allocator, transport, sizeof(*transport));
}

static const struct herald_transport_ops curl_ops = {
	.name = "curl",
	.open = curl_open,
	.begin = curl_begin,
	.cancel = curl_cancel,
	.wait = curl_wait,
	.next_finished = curl_next_finished,
	.wake = curl_wake,
	.destroy = curl_destroy,
};

/* Creation. */

static void
fill_in_defaults(struct herald_curl_transport_options *options)
{
	if (options->max_answer_header_bytes == 0)
		options->max_answer_header_bytes = ANSWER_HEADER_BYTES;
	if (options->max_answer_body_bytes == 0)
		options->max_answer_body_bytes = ANSWER_BODY_BYTES;
	if (options->max_answer_bytes == 0)
		options->max_answer_bytes = options->max_answer_header_bytes +
					    options->max_answer_body_bytes + ANSWER_FRAMING_BYTES;
}

static enum herald_status
check(const struct herald_curl_transport_options *options, struct herald_error *error)
{
	const struct herald_option_range ranges[] = {
		{"max_answer_header_bytes", options->max_answer_header_bytes, 0,
		 MAX_ANSWER_HEADER_BYTES},
		{"max_answer_body_bytes", options->max_answer_body_bytes, 0, MAX_ANSWER_BODY_BYTES},
		{"max_answer_bytes", options->max_answer_bytes, 0, MAX_ANSWER_BYTES},
	};
	enum herald_status status =
		herald_option_ranges_check(ranges, sizeof(ranges) / sizeof(ranges[0]), error);

	return status == HERALD_OK ? herald_allocator_check(&options->allocator, error) : status;
}

enum herald_status
herald_curl_transport_create(const struct herald_curl_transport_options *given,
			     struct herald_transport **out, struct herald_error *error)
{
	struct herald_curl_transport_options options;
	enum herald_status status = herald_options_read(given, &options, sizeof(options),
							"HERALD_CURL_TRANSPORT_OPTIONS", error);

	if (status == HERALD_OK) {
		fill_in_defaults(&options);
		status = check(&options, error);
	}
	if (status != HERALD_OK)
		return status;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET,
					"libcurl cannot be initialized");

	const struct herald_allocator allocator = herald_allocator_or_libc(&options.allocator);
	struct curl_transport *transport =
		herald_memory_allocate_zeroed(&allocator, 1, sizeof(*transport));
	if (!transport) {
		curl_global_cleanup();
		return herald_out_of_memory(error);
	}
	transport->base.ops = &curl_ops;
	transport->settings = (struct herald__curl_settings){
		.options = options,
		.allocator = allocator,
		.transport = &transport->base,
		.poller = &transport->poller,
	};
	transport->end_of_finished = &transport->first_finished;
	/* Create the first transfer now, so that an invalid setup is an error of this function. */
	status = herald__transfer_create(&transport->settings, &transport->idle);
	if (status == HERALD_OK) {
		*out = &transport->base;
		return HERALD_OK;
	}
	curl_destroy(&transport->base);
	if (status == HERALD_BAD_OPTION)
		return herald_option_refuse(error, "setup", "it returned false");
	return herald_out_of_memory(error);
}

void
herald_curl_transport_destroy(struct herald_transport *transport)
{
	if (transport)
		transport->ops->destroy(transport);
}
