/*
 * What the verification of a signature costs, compared with the code that it needs: HMAC-SHA256 by
 * nettle, with the key set for each message and the signed text in one block.
 *
 *	bench_signature BYTES   at each line on stdin, with milliseconds: two lines, nanoseconds
 *	                        for one event and allocations for one event of both
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nettle/hmac.h>

#include <herald/signature.h>

#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
#define TIME 1700000000
#define BATCH 200
#define MAX_HEADERS 8

static char values[MAX_HEADERS][256];
static const char *names[MAX_HEADERS];
static size_t headers_count;
static uint64_t allocations;

/* Headers of a usual request, those that matter among them. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	(void)state;
	for (size_t i = 0; i < headers_count; i++)
		if (!visit(names[i], values[i], visit_state))
			return;
}

static void
add_header(const char *name, const char *value, void *state)
{
	(void)state;
	names[headers_count] = name;
	snprintf(values[headers_count++], sizeof(values[0]), "%s", value);
}

/* Counts what a verification takes. */

static void *
allocate(size_t bytes, void *state)
{
	(void)state;
	allocations++;
	return malloc(bytes);
}

static void *
reallocate(void *block, size_t old_bytes, size_t bytes, void *state)
{
	(void)old_bytes;
	(void)state;
	allocations++;
	return realloc(block, bytes);
}

static void
release(void *block, size_t bytes, void *state)
{
	(void)bytes;
	(void)state;
	free(block);
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct herald_signature *signature;
static char *body, *signed_text;
static size_t body_bytes, signed_bytes;
static unsigned char sum;

static void
verify_by_herald(void)
{
	const struct herald_signature_request request = {
		.headers_visit = visit_headers,
		.body = body,
		.body_bytes = body_bytes,
		.now_s = TIME,
	};

	if (herald_signature_verify(signature, &request, NULL) != HERALD_SIGNATURE_VALID)
		exit(1);
}

static void
code_by_nettle(void)
{
	static const unsigned char key[24] = {0x31, 0xf2, 0x90};
	struct hmac_sha256_ctx state;
	unsigned char code[32];

	hmac_sha256_set_key(&state, sizeof(key), key);
	hmac_sha256_update(&state, signed_bytes, (const unsigned char *)signed_text);
	hmac_sha256_digest(&state, sizeof(code), code);
	sum ^= code[0];
}

static double
measure(void (*run)(void), uint64_t ns)
{
	uint64_t begin = now_ns(), end = begin, events = 0;

	while (end - begin < ns) {
		for (int i = 0; i < BATCH; i++)
			run();
		events += BATCH;
		end = now_ns();
	}
	return (double)(end - begin) / (double)events;
}

static void
set_up(void)
{
	static const char *const keys[] = {KEY};
	struct herald_error error;
	const struct herald_signature_message message = {
		.id = ID, .timestamp_s = TIME, .body = body, .body_bytes = body_bytes};

	memset(body, 'x', body_bytes);
	signed_bytes = (size_t)sprintf(signed_text, ID ".%d.", TIME) + body_bytes;
	memcpy(signed_text + signed_bytes - body_bytes, body, body_bytes);
	if (herald_signature_create(
		    &HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS,
					      HERALD_SIGNATURE_KEYS(keys),
					      .allocator = {allocate, reallocate, release, NULL}),
		    &signature, &error) != HERALD_OK ||
	    herald_signature_sign(signature, &message, add_header, NULL, &error) != HERALD_OK) {
		fprintf(stderr, "%s\n", error.message);
		exit(1);
	}
	add_header("Content-Type", "application/json", NULL);
	add_header("User-Agent", "sender/1.0", NULL);
}

int
main(int argc, char **argv)
{
	char line[32];

	body_bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	body = malloc(body_bytes + 1);
	signed_text = malloc(body_bytes + 256);
	if (body_bytes == 0 || !body || !signed_text)
		return 1;
	set_up();
	allocations = 0;
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t ns = strtoull(line, NULL, 10) * 1000000;
		double herald = measure(verify_by_herald, ns);
		double nettle = measure(code_by_nettle, ns);

		printf("herald %.2f %llu\n", herald, (unsigned long long)allocations);
		printf("nettle %.2f 0\n", nettle);
		fflush(stdout);
	}
	herald_signature_destroy(signature);
	free(signed_text);
	free(body);
	return sum == 0 && signed_bytes == 0; /* the sum is used, so that it is computed */
}
