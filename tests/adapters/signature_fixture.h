/*
 * For tests of signatures: requests with a list of headers, and schemes with some keys.
 */
#ifndef HERALD_TESTS_ADAPTERS_SIGNATURE_FIXTURE_H
#define HERALD_TESTS_ADAPTERS_SIGNATURE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/signature.h>

#define MAX_HEADERS 8

/* Headers, in the order in which they come. */
struct header_list {
	const char *names[MAX_HEADERS];
	char values[MAX_HEADERS][4096];
	size_t count;
};

/* The herald_signature_sink. */
static inline void
add_header(const char *name, const char *value, void *state)
{
	struct header_list *list = state;

	assert_true(list->count < MAX_HEADERS);
	assert_true(strlen(value) < sizeof(list->values[0]));
	list->names[list->count] = name;
	strcpy(list->values[list->count++], value);
}

static inline char *
find_value(struct header_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->names[i], name) == 0)
			return list->values[i];
	fail_msg("no header %s", name);
	return NULL;
}

/* The herald_signature_request.headers_visit callback. */
static inline void
visit_list(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const struct header_list *list = state;

	for (size_t i = 0; i < list->count; i++)
		if (!visit(list->names[i], list->values[i], visit_state))
			return;
}

static inline struct herald_signature *
create_scheme(const struct herald_signature_options *options)
{
	struct herald_signature *signature = NULL;
	struct herald_error error = {.message = ""};

	if (herald_signature_create(options, &signature, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return signature;
}

/* A scheme with one key. */
static inline struct herald_signature *
create_with_key(enum herald_signature_scheme scheme, const char *key)
{
	const char *const keys[] = {key};

	return create_scheme(
		&HERALD_SIGNATURE_OPTIONS(.scheme = scheme, HERALD_SIGNATURE_KEYS(keys)));
}

static inline enum herald_signature_result
verify_list(struct herald_signature *signature, struct header_list *list, const void *body,
	    size_t bytes, int64_t now_s, struct herald_error *error)
{
	const struct herald_signature_request request = {
		.headers_visit = visit_list,
		.state = list,
		.body = body,
		.body_bytes = bytes,
		.now_s = now_s,
	};

	return herald_signature_verify(signature, &request, error);
}

#endif
