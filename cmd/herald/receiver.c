/*
 * Takes requests: finds out what they are and whether they are right, prints and saves them, and
 * answers. It has no options of its own, and knows no sockets.
 */
#include "receiver.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/text.h>
#include <herald/time.h>
#include <herald/trace.h>

#include "event_print.h"
#include "json_line.h"
#include "saved.h"
#include "text.h"

/* The headers of a request. */
struct headers {
	struct herald_cloudevent_header list[INSPECT_MAX_HEADERS];
	size_t count;
};

/* A request that is being answered. */
struct exchange {
	struct receiver *receiver;
	const struct inspect_request *request;
	const char *signature;
	struct herald_error signature_error; /* if it is "invalid" */
	char trace_id[33];                   /* of the headers; "": none */
	unsigned status;                     /* the worst so far */
	struct herald_error error;           /* of that */
	bool is_envelope;                    /* of Herald: accepted with a body */
	bool has_events;
};

/* The herald_attribute_visitor callback. */
static bool
take_header(const char *name, const char *value, void *state)
{
	struct headers *headers = state;

	headers->list[headers->count++] = (struct herald_cloudevent_header){name, value};
	return headers->count < INSPECT_MAX_HEADERS;
}

/* The trace of the headers: exactly one traceparent, which is valid. */
static void
find_trace(const struct inspect_request *request, char out[33])
{
	const char *parent = NULL;
	struct herald_trace trace;
	unsigned count = 0;

	for (size_t i = 0; i < request->headers.headers_count; i++)
		if (herald_ascii_same(request->headers.headers[i].name, "traceparent")) {
			parent = request->headers.headers[i].value;
			count++;
		}
	out[0] = '\0';
	if (count == 1 && herald_traceparent_parse(parent, strlen(parent), &trace))
		memcpy(out, trace.trace_id, sizeof(trace.trace_id));
}

/* Without a header: the extension's trace, or a new one. */
static void
find_event_trace(const struct inspect_event *event, char out[33])
{
	struct herald_trace trace;

	for (size_t i = 0; i < event->extensions_count; i++) {
		const struct herald_json_pair *pair = &event->extensions[i];

		if (strcmp(pair->key, "traceparent") == 0 && pair->text &&
		    herald_traceparent_parse(pair->text, strlen(pair->text), &trace)) {
			memcpy(out, trace.trace_id, sizeof(trace.trace_id));
			return;
		}
	}
	herald_trace_begin(&trace);
	memcpy(out, trace.trace_id, sizeof(trace.trace_id));
}

/* Printing. */

static void
check_printed(struct receiver *receiver, bool is_printed)
{
	if (is_printed || receiver->has_failed)
		return;
	fprintf(stderr, "herald: listen: could not write the event\n");
	receiver->has_failed = true;
}

static void
print_event(struct receiver *receiver, const struct inspect_event *event,
	    const struct event_facts *facts)
{
	check_printed(receiver, receiver->is_json
					? event_print_json(event, facts)
					: event_print(event, facts, receiver->is_coloured));
}

/* Events. */

static bool
is_in_envelope(const struct inspect_event *event)
{
	return event->format && strcmp(event->format, "herald") == 0;
}

static unsigned
accepted_status(const struct exchange *exchange, const struct inspect_event *event)
{
	if (exchange->receiver->answer != 0)
		return exchange->receiver->answer;
	return is_in_envelope(event) ? 200 : 204;
}

/* The inspect_visitor callback. */
static void
take_event(const struct inspect_event *event, void *state)
{
	struct exchange *exchange = state;
	struct receiver *receiver = exchange->receiver;
	bool is_signed = strcmp(exchange->signature, "invalid") != 0;
	struct event_facts facts = {
		.status = !is_signed           ? 401
			  : event->status != 0 ? event->status
					       : accepted_status(exchange, event),
		.signature = exchange->signature,
		.error = !is_signed           ? &exchange->signature_error
			 : event->status != 0 ? &event->error
					      : NULL,
	};
	char trace_id[33];

	facts.trace_id = exchange->trace_id;
	if (exchange->trace_id[0] == '\0') {
		find_event_trace(event, trace_id);
		facts.trace_id = trace_id;
	}
	if (facts.status > exchange->status) {
		exchange->status = facts.status;
		exchange->error = facts.error ? *facts.error : (struct herald_error){0};
	}
	exchange->is_envelope = is_in_envelope(event);
	exchange->has_events = true;
	print_event(receiver, event, &facts);
}

static void
verify(struct exchange *exchange)
{
	struct receiver *receiver = exchange->receiver;

	exchange->signature = "none";
	if (!receiver->scheme.signature)
		return;
	bool is_valid = scheme_verify(&receiver->scheme, exchange->request, receiver->url,
				      receiver->now_s > 0 ? (int64_t)receiver->now_s
							  : herald_time_now().seconds,
				      &exchange->signature_error);
	exchange->signature = is_valid ? "valid" : "invalid";
}

/* Answers. */

static void
answer_error(struct herald_server_request *request, const struct exchange *exchange)
{
	struct json_line line;

	json_line_begin(&line);
	/* Who has no valid signature is told nothing. */
	if (exchange->status == 401) {
		json_line_string(&line, "error", "Unauthorized");
	} else {
		json_line_string(&line, "error", exchange->error.message);
		json_line_string(&line, "path", exchange->error.path);
	}
	json_line_close(&line);
	if (exchange->status == 401)
		(void)herald_server_answer_header(request, "WWW-Authenticate", "Signature");
	if (!line.has_failed)
		(void)herald_server_answer(request, exchange->status, "application/json",
					   line.out.data, line.out.bytes);
	herald_buffer_finish(&line.out);
}

static void
answer(struct herald_server_request *request, const struct exchange *exchange)
{
	static const char success[] = "{\"status\":\"success\"}";
	unsigned status = exchange->status;

	if (exchange->error.status != HERALD_OK)
		answer_error(request, exchange);
	else if (status == 0 || status == 204)
		(void)herald_server_answer(request, 204, NULL, NULL, 0);
	else if (!exchange->is_envelope)
		(void)herald_server_answer(request, status, "text/plain", "", 0);
	else
		(void)herald_server_answer(request, status, "application/json", success,
					   status < 300 ? sizeof(success) - 1 : 0);
}

/* What failed would fail again: the sender shall try later. */
static void
stop(struct herald_server_request *request)
{
	(void)herald_server_answer(request, 503, "text/plain", "", 0);
	kill(getpid(), RECEIVER_FAILED);
}

static void
take_events(struct receiver *receiver, struct herald_server_request *from,
	    struct inspect_request *request)
{
	struct exchange exchange = {.receiver = receiver, .request = request};

	find_trace(request, exchange.trace_id);
	verify(&exchange);
	receiver->inspector.takes_untyped = receiver->inspector.format == INSPECT_WEBHOOK ||
					    strcmp(exchange.signature, "valid") == 0;
	inspect(&receiver->inspector, request, take_event, &exchange);
	/* A batch without events has a signature, too. */
	if (!exchange.has_events && strcmp(exchange.signature, "invalid") == 0)
		take_event(&(struct inspect_event){.format = "cloudevents", .mode = "batch"},
			   &exchange);
	if (receiver->has_failed)
		stop(from);
	else
		answer(from, &exchange);
}

/* A handshake is not an event, so programs do not see it. */
static void
take_handshake(struct receiver *receiver, struct herald_server_request *from)
{
	const char *origin = herald_server_request_header(from, "WebHook-Request-Origin");
	unsigned status = handshake_answer(&receiver->handshake, from);

	if (receiver->is_json)
		return;
	printf("%u handshake", status);
	if (origin) {
		printf("  origin=");
		text_print_safe(stdout, text_of(origin));
	}
	putchar('\n');
	check_printed(receiver, fflush(stdout) == 0);
}

void
receiver_take(struct herald_server_request *from, void *state)
{
	struct receiver *receiver = state;
	struct headers headers = {.count = 0};
	struct inspect_request request = {.query = from->query.data,
					  .body_bytes = from->body.bytes};

	if (strcmp(from->method.data, "OPTIONS") == 0) {
		take_handshake(receiver, from);
		return;
	}
	herald_server_request_headers_visit(from, take_header, &headers);
	request.headers = (struct herald_cloudevent_headers){headers.list, headers.count};
	request.content_type = inspect_header(&request, "Content-Type");
	if (!receiver->has_failed && receiver->save)
		receiver->has_failed = !saved_write(receiver->save, from, &request);
	if (receiver->has_failed) {
		stop(from);
		return;
	}
	request.body = malloc(from->body.bytes + 1);
	if (!request.body) {
		(void)herald_server_answer(from, 503, "text/plain", "", 0);
		return;
	}
	memcpy(request.body, from->body.data, from->body.bytes);
	request.body[from->body.bytes] = '\0';
	take_events(receiver, from, &request);
	free(request.body);
}

/* Requests that the server refuses. */

static const struct herald_log_field *
find_field(const struct herald_log_record *record, const char *key)
{
	for (size_t i = 0; i < record->fields_count; i++)
		if (strcmp(record->fields[i].key, key) == 0)
			return &record->fields[i];
	return NULL;
}

void
receiver_log(const struct herald_log_record *record, void *state)
{
	struct receiver *receiver = state;
	const struct herald_log_field *status = find_field(record, "status");
	const struct herald_log_field *reason = find_field(record, "reason");
	bool is_refusal = strcmp(record->message, "request refused") == 0 && status && reason;

	if (is_refusal) {
		struct inspect_event event = {.status = (unsigned)status->number};

		herald_error_set(&event.error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "%s",
				 reason->text);
		print_event(receiver, &event,
			    &(struct event_facts){.status = event.status,
						  .signature = "none",
						  .error = &event.error});
	} else if (record->level >= HERALD_LOG_WARNING) {
		herald_log_logfmt(record, stderr);
	}
	if (receiver->has_failed)
		kill(getpid(), RECEIVER_FAILED);
}
