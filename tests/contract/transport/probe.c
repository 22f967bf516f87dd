/*
 * The probe: makes attempts as the deliverer does, and checks what must always hold.
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/names.h"

#define WAIT_S 60
#define OWN_HEADERS "Herald-Delivery-Id: d\r\nHerald-Attempt: 1"

struct probe *
probe_create(const struct contract_transport *contract)
{
	struct probe *probe = calloc(1, sizeof(*probe));

	assert_non_null(probe);
	probe->contract = contract;
	probe->rules.address_rules.policy = HERALD_ADDRESSES_ANY;
	misbehaving_server_init(&probe->server, "0.0.0.0");
	return probe;
}

void
probe_destroy(struct probe *probe)
{
	probe_close(probe);
	misbehaving_server_stop(&probe->server);
	names_clear();
	free(probe);
}

void
probe_serve(struct probe *probe)
{
	misbehaving_server_start(&probe->server);
	probe->is_serving = true;
}

void
probe_serve_raw(struct probe *probe, const char *raw, const char *repeated)
{
	if (probe->is_serving) {
		misbehaving_server_stop(&probe->server);
		misbehaving_server_init(&probe->server, "0.0.0.0");
	}
	probe->server.raw = raw;
	probe->server.repeated = repeated;
	probe_serve(probe);
}

void
probe_open(struct probe *probe, const struct contract_transport_options *options, size_t most)
{
	static const struct contract_transport_options defaults = {0};
	struct herald_error error = {0};

	assert_null(probe->transport);
	probe->transport = probe->contract->create(options ? options : &defaults);
	assert_non_null(probe->transport);
	probe->transport->deliverer = &probe->rules;
	if (probe->transport->ops->open(probe->transport,
					&(struct herald_transport_settings){
						.max_attempts = most,
						.max_attempts_per_origin = most,
						.allow_credentials = probe->allows_credentials,
					},
					&error) != HERALD_OK)
		fail_msg("%s", error.message);
}

void
probe_close(struct probe *probe)
{
	if (!probe->transport)
		return;
	for (size_t i = 0; i < probe->begun; i++)
		if (probe->ends[i].is_under_way)
			probe_cancel(probe, i);
	probe->transport->ops->destroy(probe->transport);
	probe->transport = NULL;
	probe->begun = 0;
}

/* Scheme, host and port of a URL whose port is there. */
static void
set_origin(struct probe_attempt *attempt)
{
	uint64_t hash = 0;
	size_t bytes = (size_t)(strchr(strstr(attempt->url, "//") + 2, '/') - attempt->url);

	snprintf(attempt->origin, sizeof(attempt->origin), "%.*s", (int)bytes, attempt->url);
	for (size_t i = 0; i < bytes; i++)
		hash = hash * 31 + (unsigned char)attempt->url[i];
	attempt->base.origin = attempt->origin;
	attempt->base.origin_hash = hash;
}

struct probe_attempt *
probe_get(struct probe *probe, const char *url)
{
	struct probe_attempt *attempt = calloc(1, sizeof(*attempt));

	assert_non_null(attempt);
	attempt->probe = probe;
	if (url[0] == '/')
		snprintf(attempt->url, sizeof(attempt->url), "http://127.0.0.1:%u%s",
			 probe->server.port, url);
	else
		snprintf(attempt->url, sizeof(attempt->url), "%s", url);
	attempt->base.url = attempt->url;
	set_origin(attempt);
	attempt->base.method = HERALD_DELIVERY_GET;
	attempt->base.own_headers = OWN_HEADERS;
	return attempt;
}

size_t
probe_try(struct probe *probe, struct probe_attempt *attempt)
{
	size_t number = probe->begun;

	assert_true(number < PROBE_ATTEMPTS);
	attempt->number = number;
	if (probe->transport->ops->begin(probe->transport, &attempt->base) != HERALD_OK) {
		free(attempt);
		return SIZE_MAX;
	}
	probe->attempts[number] = attempt;
	probe->ends[number] = (struct probe_end){.is_under_way = true};
	probe->begun++;
	probe->under_way++;
	return number;
}

size_t
probe_begin(struct probe *probe, struct probe_attempt *attempt)
{
	size_t number = probe_try(probe, attempt);

	assert_int_not_equal(number, SIZE_MAX);
	return number;
}

/* It has ended: nobody may use its memory any more. */
static void
forget(struct probe *probe, size_t number)
{
	probe->ends[number].is_under_way = false;
	probe->under_way--;
	free(probe->attempts[number]);
	probe->attempts[number] = NULL;
}

void
probe_cancel(struct probe *probe, size_t number)
{
	assert_true(probe->ends[number].is_under_way);
	probe->transport->ops->cancel(probe->transport, &probe->attempts[number]->base);
	probe->ends[number].is_cancelled = true;
	forget(probe, number);
}

/* Every member that is text ends, and there is an error exactly if there is no status. */
static void
check_result(const struct herald_attempt_result *result)
{
	assert_true(memchr(result->retry_after, '\0', sizeof(result->retry_after)) != NULL);
	assert_true(memchr(result->error, '\0', sizeof(result->error)) != NULL);
	assert_true(memchr(result->address, '\0', sizeof(result->address)) != NULL);
	assert_null(strpbrk(result->error, "\r\n"));
	if (result->http_status == 0)
		assert_string_not_equal(result->error, "");
	else
		assert_true(result->http_status >= 100 && result->http_status <= 999);
}

/* Whether there was one. */
static bool
take_one(struct probe *probe)
{
	struct herald_attempt_result result;

	memset(&result, 0xa5, sizeof(result));
	struct herald_attempt *base =
		probe->transport->ops->next_finished(probe->transport, &result);
	if (!base)
		return false;

	/* Which one it is, without a look at memory that may be gone. */
	size_t number = 0;
	while (number < probe->begun && (struct herald_attempt *)probe->attempts[number] != base)
		number++;
	assert_true(number < probe->begun && probe->ends[number].is_under_way);
	check_result(&result);
	probe->ends[number].is_finished = true;
	probe->ends[number].result = result;
	forget(probe, number);
	return true;
}

size_t
probe_wait(struct probe *probe, int64_t timeout_ms)
{
	size_t count = 0;

	probe->transport->ops->wait(probe->transport, timeout_ms);
	while (take_one(probe))
		count++;
	/* None is handed out twice. */
	assert_false(take_one(probe));
	return count;
}

const struct herald_attempt_result *
probe_finish(struct probe *probe, size_t number)
{
	time_t until = time(NULL) + WAIT_S;

	while (probe->ends[number].is_under_way) {
		probe_wait(probe, 1000);
		if (time(NULL) > until)
			fail_msg("attempt %zu to %s does not end", number,
				 probe->attempts[number]->url);
	}
	assert_true(probe->ends[number].is_finished);
	return &probe->ends[number].result;
}

void
probe_finish_all(struct probe *probe)
{
	for (size_t i = 0; i < probe->begun; i++)
		if (!probe->ends[i].is_cancelled)
			probe_finish(probe, i);
	assert_int_equal(probe->under_way, 0);
}

const struct herald_attempt_result *
probe_fetch(struct probe *probe, const char *url)
{
	return probe_finish(probe, probe_begin(probe, probe_get(probe, url)));
}
