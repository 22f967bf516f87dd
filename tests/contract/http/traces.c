/*
 * The contract, part 13: the trace headers of tests/data/trace_context.jsonl, as bytes on the wire.
 * They are sent in several lines where the file says so; what a framework joins is read in the same
 * way.
 */
#include "traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "support/trace_cases.h"

#define TRACED_EVENT "{\"event_type\":\"traced\",\"timestamp\":\"2024-08-20T05:21:19Z\"}"

/* The function: it answers with the event's trace, a line for each member. */

struct any {
	bool unused;
};
HERALD_SCHEMA(any, HERALD_FIELD(any, unused));

static enum herald_verdict
on_traced(struct herald_context *ctx, const struct any *any)
{
	const struct herald_trace *trace = herald_context_trace(ctx);
	char text[1024];

	(void)any;
	snprintf(text, sizeof(text), "%s\n%s\n%s\n%02x\n%s", trace->trace_id, trace->span_id,
		 trace->parent_id, trace->flags, trace->state);
	return herald_done_text(ctx, 200, NULL, text, strlen(text));
}
HERALD_FUNCTION(on_traced, any);

const struct herald_route contract_http_traced_route = HERALD_ROUTE("traced", any, on_traced, NULL);

/* The client. */

/* Cut the next line off. */
static const char *
take_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	assert_non_null(end);
	*end = '\0';
	*at = end + 1;
	return line;
}

static void
send_case(const struct probe *probe, struct http_client *client, const struct trace_case *from,
	  struct http_response *response)
{
	char request[8192];
	size_t used = (size_t)snprintf(
		request, sizeof(request),
		"POST /event HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n");

	for (size_t i = 0; from->headers[i]; i += 2)
		used += (size_t)snprintf(request + used, sizeof(request) - used, "%s: %s\r\n",
					 from->headers[i], from->headers[i + 1]);
	used += (size_t)snprintf(request + used, sizeof(request) - used,
				 "Content-Length: %zu\r\n\r\n" TRACED_EVENT, strlen(TRACED_EVENT));
	assert_true(used < sizeof(request));
	assert_true(http_send_text(client, request));
	assert_true(http_receive(client, true, response));
	if (response->status == 200) {
		probe_next(probe, client);
		return;
	}
	http_close(client);
	probe_connect(probe, client);
}

/* A framework that refuses tabs around values is declared so for the raw requests. */
static bool
may_refuse(const struct contract_http_adapter *adapter, const struct trace_case *from)
{
	bool is_declared = false, has_tab = false;

	for (size_t i = 0; i < adapter->deviations_count; i++)
		is_declared |= strcmp(adapter->deviations[i].name, "blanks_around_value") == 0;
	for (size_t i = 0; from->headers[i]; i += 2)
		has_tab |= strchr(from->headers[i + 1], '\t') != NULL;
	return is_declared && has_tab;
}

static void
traces_are_read(void **state)
{
	static struct http_client client;
	static struct http_response response;
	struct trace_case *cases;
	struct probe probe;
	size_t count, wrong = 0;

	probe_start(&probe, state, NULL);
	probe_connect(&probe, &client);
	trace_cases_load(&cases, &count);
	assert_true(count > 40);
	for (size_t i = 0; i < count; i++) {
		struct herald_trace trace = {.state = ""};
		char *at = response.body;

		send_case(&probe, &client, &cases[i], &response);
		if (response.status == 400 && may_refuse(probe.adapter, &cases[i]))
			continue;
		if (response.status != 200)
			fail_msg("%s: status %u", cases[i].name, response.status);
		snprintf(trace.trace_id, sizeof(trace.trace_id), "%.32s", take_line(&at));
		snprintf(trace.span_id, sizeof(trace.span_id), "%.16s", take_line(&at));
		snprintf(trace.parent_id, sizeof(trace.parent_id), "%.16s", take_line(&at));
		trace.flags = (unsigned)strtoul(take_line(&at), NULL, 16);
		trace.state = at;
		wrong += !trace_case_fits(&cases[i], &trace);
	}
	assert_int_equal(wrong, 0);
	trace_cases_free(cases, count);
	http_close(&client);
	probe_stop(&probe);
}

const struct contract_http_case contract_http_traces[] = {
	CONTRACT_CASE(traces_are_read, 0),
};
const size_t contract_http_traces_count = HERALD_COUNT(contract_http_traces);
