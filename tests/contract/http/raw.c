/*
 * The contract, part 5: the raw requests of tests/data/http_cases.jsonl, byte for byte, and the
 * result of each: the answers, whether the connection stays open, and which events ran.
 *
 * That a connection is open is seen by an event that follows on it and is answered in its turn: so
 * it is also in step. Of every answer it is checked, besides, that it comes once, and that its
 * Connection says what happens.
 */
#include "probe.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "raw_case.h"

#define CASES_PATH "tests/data/http_cases.jsonl"
#define MAX_ANSWERS 8
#define FOLLOW_UP_STATUS 409
/* For a server that is declared to say nothing more: it waits for bytes that do not come. */
#define SILENCE_MS 200

/* How an exchange went. */
struct outcome {
	unsigned statuses[MAX_ANSWERS]; /* interim ones aside */
	size_t statuses_count;
	enum { OPEN, CLOSED, SILENT } end;
	bool has_rest;     /* bytes that are not an answer followed */
	bool continues;    /* 100 was among the answers */
	const char *fault; /* of an answer; NULL: none */
	unsigned events;   /* that ran */
};

static void
describe(const struct outcome *outcome, char *out, size_t size)
{
	static const char *const ends[] = {
		[OPEN] = "open", [CLOSED] = "closed", [SILENT] = "silent"};
	size_t bytes = 0;

	for (size_t i = 0; i < outcome->statuses_count; i++)
		bytes += (size_t)snprintf(out + bytes, size - bytes, "%u ", outcome->statuses[i]);
	snprintf(out + bytes, size - bytes, "%s%s", outcome->has_rest ? "rest " : "",
		 ends[outcome->end]);
}

/* What is expected: by the case, or as it is declared. */

static const struct contract_http_deviation *
find_deviation(const struct contract_http_adapter *adapter, const char *name)
{
	for (size_t i = 0; i < adapter->deviations_count; i++)
		if (fnmatch(adapter->deviations[i].name, name, 0) == 0)
			return &adapter->deviations[i];
	return NULL;
}

static bool
is_one_of(const char *text, const char *alternatives)
{
	size_t bytes = strlen(text);

	for (const char *at = alternatives; at; at = strstr(at, " or ")) {
		if (at != alternatives)
			at += strlen(" or ");
		if (strncmp(at, text, bytes) == 0 &&
		    (at[bytes] == '\0' || strncmp(at + bytes, " or ", 4) == 0))
			return true;
	}
	return false;
}

/* How many answers are wanted; of a server that keeps no connection, one. */
static size_t
wanted_responses(const struct probe *probe, const struct raw_case *from)
{
	bool is_known = from->responses != RAW_ANY_NUMBER;

	return is_known && !probe_keeps_alive(probe) ? 1 : from->responses;
}

static enum raw_end
wanted_end(const struct probe *probe, const struct raw_case *from)
{
	return from->end == RAW_OPEN && !probe_keeps_alive(probe) ? RAW_CLOSED : from->end;
}

/* Whether the answers and the end are as the case wants them. */
static bool
conforms(const struct probe *probe, const struct outcome *outcome, const struct raw_case *from)
{
	size_t responses = wanted_responses(probe, from);
	enum raw_end end = wanted_end(probe, from);

	if (outcome->has_rest)
		return false;
	if (outcome->statuses_count == 0)
		return outcome->end == CLOSED && raw_case_allows(from, 400);
	if (!raw_case_allows(from, outcome->statuses[0]))
		return false;
	if (responses != RAW_ANY_NUMBER && outcome->statuses_count != responses)
		return false;
	if (outcome->end == SILENT)
		return false;
	return end == RAW_EITHER || (end == RAW_CLOSED) == (outcome->end == CLOSED);
}

/* No more than there are, and none whose sender was told otherwise. */
static bool
ran_too_much(const struct outcome *outcome, const struct raw_case *from)
{
	unsigned done = 0;

	for (size_t i = 0; i < outcome->statuses_count; i++)
		done += outcome->statuses[i] == 200;
	return outcome->events > from->events || outcome->events > done;
}

/* The exchange. */

/* How many answers to wait for before the connection is tried with a follow-up. */
static size_t
answers_before_follow_up(const struct probe *probe, const struct raw_case *from,
			 const struct contract_http_deviation *declared)
{
	if (wanted_end(probe, from) == RAW_CLOSED &&
	    !(declared && strstr(declared->outcome, "open")))
		return MAX_ANSWERS + 1;
	return from->responses == RAW_ANY_NUMBER ? 1 : from->responses;
}

static int
wait_ms(const struct outcome *outcome, const struct contract_http_deviation *declared)
{
	struct outcome silent = *outcome;
	char text[64];

	silent.end = SILENT;
	describe(&silent, text, sizeof(text));
	return declared && is_one_of(text, declared->outcome) ? SILENCE_MS : PROBE_AT_ONCE_MS;
}

/* Whether a request may be answered with 100 (RFC 9110 section 10.1.1). */
static bool
may_continue(const struct raw_case *from)
{
	return memmem(from->request, from->request_bytes, "\r\nExpect: ", 10) &&
	       !memmem(from->request, from->request_bytes, " HTTP/1.0\r\n", 11);
}

/* The number of headers with this name; `last` gets a copy of the last value. */
static unsigned
count_headers(const struct http_response *response, const char *name, char *last, size_t size)
{
	size_t bytes = strlen(name);
	unsigned count = 0;

	*last = '\0';
	for (const char *line = strstr(response->head, "\r\n"); line;
	     line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, bytes) != 0 || line[2 + bytes] != ':')
			continue;
		count++;
		snprintf(last, size, "%.*s", (int)strcspn(line + 4 + bytes, "\r"),
			 line + 4 + bytes);
	}
	return count;
}

/* What an answer says of the connection: true if it ends. */
static bool
says_close(const struct http_response *response, struct outcome *out)
{
	char value[64];

	if (count_headers(response, "Connection", value, sizeof(value)) > 1)
		out->fault = "an answer has several Connection headers";
	return strcasecmp(value, "close") == 0;
}

/* Read answers until that to the follow-up, the end of the connection, or silence. */
static void
read_answers(const struct probe *probe, struct http_client *client, const struct raw_case *from,
	     const struct contract_http_deviation *declared, struct outcome *out)
{
	static struct http_response response;
	size_t follow_up_after = answers_before_follow_up(probe, from, declared);
	bool has_body = strncmp(from->request, "HEAD ", 5) != 0;
	bool followed = false, closes = false, has_length = false;

	for (;;) {
		bool due = !followed && out->statuses_count >= follow_up_after;

		if (!due && !http_wait_readable(client, wait_ms(out, declared))) {
			/* It should have been closed: in which state is it? */
			due = !followed && out->statuses_count > 0;
			out->end = SILENT;
			if (!due)
				return;
		}
		if (due)
			followed = probe_post(client, PROBE_FOLLOW_UP);
		if (due && followed)
			continue;
		if (!http_receive(client, has_body, &response)) {
			out->end = CLOSED;
			/* A body without a length ends with the connection. */
			out->has_rest = client->bytes > 0 && (!closes || has_length);
			return;
		}
		if (closes)
			out->fault = "an answer with \"Connection: close\" was not the last one";
		closes = response.status >= 200 && says_close(&response, out);
		has_length = http_header(&response, "Content-Length");
		if (followed && response.status == FOLLOW_UP_STATUS) {
			out->end = OPEN;
			return;
		}
		if (response.status == 100) {
			if (out->continues || out->statuses_count > 0 || !may_continue(from))
				out->fault = "a 100 is out of place";
			out->continues = true;
			if (from->continued)
				(void)!http_send(client, from->continued, from->continued_bytes);
		}
		if (response.status >= 200) {
			assert_true(out->statuses_count < MAX_ANSWERS);
			out->statuses[out->statuses_count++] = response.status;
		}
		has_body = true;
	}
}

static unsigned
count_events(const struct probe *probe)
{
	return atomic_load(&probe->orders_count) + atomic_load(&probe->function_count);
}

/* Send a request and tell on the error output what is wrong, if anything. */
static bool
exchange(const struct probe *probe, const struct raw_case *from)
{
	static struct http_client client;
	const struct contract_http_deviation *declared = find_deviation(probe->adapter, from->name);
	struct outcome outcome = {.end = OPEN};
	unsigned events_before = count_events(probe);
	char text[64];

	probe_connect(probe, &client);
	/* It may be refused before its end. */
	(void)!http_send(&client, from->request, from->request_bytes);
	read_answers(probe, &client, from, declared, &outcome);
	http_close(&client);
	outcome.events = count_events(probe) - events_before;
	describe(&outcome, text, sizeof(text));

	if (outcome.fault)
		print_error("%s: %s: \"%s\": %s\n", probe->adapter->name, from->name, text,
			    outcome.fault);
	else if (ran_too_much(&outcome, from))
		print_error("%s: %s: \"%s\", but %u events ran\n", probe->adapter->name, from->name,
			    text, outcome.events);
	else if (!declared && !conforms(probe, &outcome, from))
		print_error("%s: %s: \"%s\"\n", probe->adapter->name, from->name, text);
	else if (declared && conforms(probe, &outcome, from) && !is_one_of(text, declared->outcome))
		print_error("%s: %s: \"%s\" is right, but \"%s\" is declared\n",
			    probe->adapter->name, from->name, text, declared->outcome);
	else if (declared && !is_one_of(text, declared->outcome))
		print_error("%s: %s: \"%s\", but \"%s\" is declared\n", probe->adapter->name,
			    from->name, text, declared->outcome);
	else
		return true;
	return false;
}

/* Deviations that are of no case, or that users are not told of. */

static bool
is_of_a_case(const struct contract_http_adapter *adapter,
	     const struct contract_http_deviation *deviation, const struct raw_case *cases,
	     size_t cases_count)
{
	for (size_t i = 0; i < cases_count; i++)
		if (find_deviation(adapter, cases[i].name) == deviation)
			return true;
	return false;
}

static size_t
count_strangers(const struct contract_http_adapter *adapter, const struct raw_case *cases,
		size_t cases_count)
{
	size_t strangers = 0;

	for (size_t i = 0; i < adapter->deviations_count; i++) {
		const struct contract_http_deviation *deviation = &adapter->deviations[i];

		if (!is_of_a_case(adapter, deviation, cases, cases_count)) {
			print_error("%s: there is no case %s\n", adapter->name, deviation->name);
			strangers++;
		}
		strangers += !contract_http_is_documented(deviation->name);
	}
	return strangers;
}

static void
raw_requests(void **state)
{
	struct probe probe;
	struct raw_case *cases;
	size_t cases_count, wrong = 0;

	raw_cases_load(CASES_PATH, &cases, &cases_count);
	assert_true(cases_count > 140);
	probe_start(&probe, state, NULL);
	for (size_t i = 0; i < cases_count; i++)
		wrong += !exchange(&probe, &cases[i]);
	wrong += count_strangers(probe.adapter, cases, cases_count);
	assert_int_equal(wrong, 0);
	assert_int_equal(probe.smuggled_count, 0);
	probe_assert_alive(&probe);
	probe_stop(&probe);
	raw_cases_free(cases, cases_count);
}

const struct contract_http_case contract_http_raw[] = {
	CONTRACT_CASE(raw_requests, 0),
};
const size_t contract_http_raw_count = HERALD_COUNT(contract_http_raw);
