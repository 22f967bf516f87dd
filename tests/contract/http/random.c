/*
 * The contract, part 6: requests drawn at random from a grammar of heads, lengths, encodings and
 * chunks, good ones and doubtful ones.
 *
 * The body is an event, or the text of another request with an event. Where the body ends is told
 * in a way that some readers understand and others do not, so that for one of them the text is the
 * next request. Whatever the server makes of that: it never runs; a doubtful request runs once at
 * most, and a good one once.
 *
 * The seed is printed; HERALD_TEST_SEED sets it.
 */
#include "probe.h"
#include "support/draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS 500
#define FOLLOW_UP_STATUS 409
/* After it the server waits for more, and is told that nothing comes. Then it answers or closes. */
#define SILENCE_MS 100

/* Bytes that stand for the length of the body, one that is less, and what fills a head. */
#define WHOLE "\1"
#define LESS "\2"
#define FILL "\3"

struct piece {
	const char *text;
	size_t bytes;
	unsigned needs; /* capabilities, without which it is the framework's reading that counts */
};

#define PIECE(TEXT, NEEDS)                                                                         \
	{                                                                                          \
		TEXT, sizeof(TEXT) - 1, NEEDS                                                      \
	}

static const struct piece good_headers[] = {
	PIECE("X-A: b\r\n", 0),         PIECE("x-a:  b \r\n", 0),
	PIECE("X-A:\r\n", 0),           PIECE("X-A: \xe4\xff\r\n", 0),
	PIECE("Accept: */*\r\n", 0),    PIECE("X-A: a:b, \"c\"\r\n", 0),
	PIECE("Cookie: a=b; c\r\n", 0), PIECE("!#$%&'*+-.^_`|~9: b\r\n", 0),
};

static const struct piece other_methods[] = {
	PIECE("GET", 0),
	PIECE("PUT", 0),
	PIECE("DELETE", 0),
	PIECE("PATCH", 0),
	PIECE("HEAD", 0),
	PIECE("OPTIONS", 0),
	PIECE("post", 0),
	/* Where the adapter does not see it, the connection stays open. */
	PIECE("CONNECT", CONTRACT_GUARDS_ROUTES),
};

static const struct piece targets[] = {
	PIECE("/event?a=b", 0),
	PIECE("/event?", 0),
	PIECE("/event%00", CONTRACT_GUARDS_ROUTES),
	PIECE("http://t/event", CONTRACT_GUARDS_ROUTES),
	PIECE("/nowhere", CONTRACT_GUARDS_ROUTES),
	PIECE("/ev\tent", CONTRACT_GUARDS_ROUTES),
	PIECE("/event#a", CONTRACT_GUARDS_ROUTES),
	PIECE("http://:80/event", CONTRACT_GUARDS_ROUTES),
	PIECE("http://[::-]/event", CONTRACT_GUARDS_ROUTES),
	PIECE("t:80", CONTRACT_GUARDS_ROUTES),
	PIECE("*", CONTRACT_GUARDS_ROUTES),
};

static const struct piece doubtful_headers[] = {
	PIECE("X-A : b\r\n", 0),        PIECE("X A: b\r\n", 0),
	PIECE("X\0A: b\r\n", 0),        PIECE("X-A: b\r\n c\r\n", 0),
	PIECE("X-A: b\n", 0),           PIECE("X-A: b\r\r\n", 0),
	PIECE("X-A: b\rX-B: c\r\n", 0), PIECE("X-A: b\0c\r\n", 0),
	PIECE("X-A: \x01\r\n", 0),      PIECE("X-A: \x7f\r\n", 0),
	PIECE("\xe4: b\r\n", 0),        PIECE("X-A\r\n", 0),
	PIECE("X\"A: b\r\n", 0),        PIECE("Host: u\r\n", 0),
	PIECE("X-A\t: b\r\n", 0),       PIECE("X-A: b\r\n\tc: d\r\n", 0),
	PIECE("Expect: 200-ok\r\n", 0), PIECE("X-A:\tb\tc\r\n", 0),
};

/* Of a body as it is. */
static const struct piece doubtful_lengths[] = {
	PIECE("Content-Length: " WHOLE "\r\nContent-Length: " LESS "\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nContent-Length: " WHOLE "\r\n", 0),
	PIECE("Content-Length: " LESS ", " WHOLE "\r\n", 0),
	PIECE("Content-Length: " WHOLE ", " LESS "\r\n", 0),
	PIECE("Content-Length: +" WHOLE "\r\n", 0),
	PIECE("Content-Length: -" WHOLE "\r\n", 0),
	PIECE("Content-Length: 0x" WHOLE "\r\n", 0),
	PIECE("Content-Length: " LESS " " WHOLE "\r\n", 0),
	PIECE("Content-Length: " LESS "_" WHOLE "\r\n", 0),
	PIECE("Content-Length: " WHOLE "\0\r\n", 0),
	PIECE("Content-Length: " LESS "\0" WHOLE "\r\n", 0),
	PIECE("Content-Length: \v" WHOLE "\r\n", 0),
	PIECE("Content-Length: " WHOLE "x\r\n", 0),
	PIECE("Content-Length:\r\n " WHOLE "\r\n", 0),
	PIECE("Content-Length: " LESS "\r\n " WHOLE "\r\n", 0),
	PIECE("Content-Len: " WHOLE "\r\n gth\r\n", 0),
	PIECE("Content-Len\r\n gth: " WHOLE "\r\n", 0),
	PIECE("X-A: b\r\n Content-Length: " WHOLE "\r\n", 0),
	PIECE("X-A: b\rContent-Length: " WHOLE "\r\n", 0),
	PIECE(":\r\nContent-Length: " WHOLE "\r\n", 0),
	PIECE(": b\r\nContent-Length: " WHOLE "\r\n", 0),
	PIECE("\0\r\nContent-Length: " WHOLE "\r\n", 0),
	PIECE("X-A: b\n:\r\nContent-Length: " WHOLE "\r\n", 0),
	PIECE("X-A: b\n\r\nContent-Length: " WHOLE "\r\n", 0),
	PIECE("Content-Length: " LESS "\r\n:\r\nContent-Length: " WHOLE "\r\n", 0),
	PIECE("Content-Length: " WHOLE "\r\n:\r\nX-Fill: " FILL "\r\n", 0),
	PIECE("Content-Length: " WHOLE "\r\n\0\r\nX-Fill: " FILL "\r\n", 0),
	PIECE("Content-Length: " WHOLE "\n\r\nX-Fill: " FILL "\r\n", 0),
	PIECE("Content-Length: " WHOLE "\n:\r\nX-Fill: " FILL "\r\n", 0),
	PIECE("Content-Length: " WHOLE "\r\n:\nX-Fill: " FILL "\r\n", 0),
	PIECE("Content-Length: " WHOLE "\r\n\0\nX-Fill: " FILL "\r\n", 0),
	PIECE("Content-Length : " WHOLE "\r\n", CONTRACT_REFUSES_BLANKS),
	PIECE("Content-Length\t: " WHOLE "\r\n", CONTRACT_REFUSES_BLANKS),
	PIECE("Content-Length\0: " WHOLE "\r\n", CONTRACT_REFUSES_NAMES),
	PIECE("Content-Length\v: " WHOLE "\r\n", CONTRACT_REFUSES_NAMES),
	PIECE("Content-LengthX: " WHOLE "\r\n", CONTRACT_REFUSES_LONGER_NAMES),
	PIECE("content-length-: " WHOLE "\r\n", CONTRACT_REFUSES_LONGER_NAMES),
	PIECE("Content-Length: " LESS "\r\nContent-Length-: " WHOLE "\r\n",
	      CONTRACT_REFUSES_LONGER_NAMES),
	PIECE("\xa0"
	      "Content-Length: " WHOLE "\r\n",
	      CONTRACT_REFUSES_NAMES),
};

/* Of a chunked body. */
static const struct piece doubtful_encodings[] = {
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: chunked\r\n", 0),
	PIECE("Transfer-Encoding: chunked\r\nContent-Length: " LESS "\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTRANSFER-ENCODING: Chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: xchunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: chunked, gzip\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: gzip, chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: \vchunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: chunked\0\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: chunked;a=b\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding: \"chunked\"\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding:\r\n chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Enc: chunked\r\n oding\r\n", 0),
	PIECE("Content-Length: " LESS "\r\n Transfer-Encoding: chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nX-A: b\rTransfer-Encoding: chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\n:\r\nTransfer-Encoding: chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\n\0\r\nTransfer-Encoding: chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nX-A: b\n\nTransfer-Encoding: chunked\r\n", 0),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding : chunked\r\n",
	      CONTRACT_REFUSES_BLANKS),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encoding\v: chunked\r\n",
	      CONTRACT_REFUSES_NAMES),
	PIECE("Content-Length: " LESS "\r\n(Transfer-Encoding): chunked\r\n",
	      CONTRACT_REFUSES_NAMES),
	PIECE("Content-Length: " LESS "\r\nTransfer-Encodings: chunked\r\n",
	      CONTRACT_REFUSES_LONGER_NAMES),
	PIECE("Transfer-Encoding-Hint: chunked\r\n", CONTRACT_REFUSES_LONGER_NAMES),
	PIECE("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 0),
	PIECE("Transfer-Encoding: identity\r\n", 0),
	PIECE("Transfer-Encoding: \r\n", 0),
};

/* The line before the data of a chunk; WHOLE is the size in hexadecimal digits. */
static const struct piece good_sizes[] = {
	PIECE(WHOLE "\r\n", 0),
	PIECE("000" WHOLE "\r\n", 0),
	PIECE(WHOLE ";a=b\r\n", CONTRACT_CHUNK_GRAMMAR),
	PIECE(WHOLE ";a=\"b;c\"\r\n", CONTRACT_CHUNK_GRAMMAR),
};

static const struct piece doubtful_sizes[] = {
	PIECE("0x" WHOLE "\r\n", 0),   PIECE("+" WHOLE "\r\n", 0),
	PIECE("-" WHOLE "\r\n", 0),    PIECE(" " WHOLE "\r\n", 0),
	PIECE(WHOLE "\n", 0),          PIECE(WHOLE "\r", 0),
	PIECE(WHOLE "z\r\n", 0),       PIECE("0_" WHOLE "\r\n", 0),
	PIECE("0 " WHOLE "\r\n", 0),   PIECE(WHOLE ";a\nb\r\n", 0),
	PIECE(WHOLE ";\0\r\n", 0),     PIECE("1000000000000000" WHOLE "\r\n", 0),
	PIECE("\r\n" WHOLE "\r\n", 0), PIECE("0\n" WHOLE "\r\n", 0),
};

static const struct piece good_ends[] = {
	PIECE("\r\n0\r\n\r\n", 0),
	PIECE("\r\n000\r\n\r\n", 0),
	PIECE("\r\n0\r\nX-Sum: 1\r\n\r\n", CONTRACT_CHUNK_GRAMMAR),
};

static const struct piece doubtful_ends[] = {
	PIECE("\n0\r\n\r\n", 0),         PIECE("0\r\n\r\n", 0),
	PIECE("\r\n0\n\n", 0),           PIECE("\r\n0\r\nX-Sum\r\n\r\n", 0),
	PIECE("\r\n0\r\n:\r\n\r\n", 0),  PIECE("\r\n0\r\nX: a\r\n b\r\n\r\n", 0),
	PIECE("\r\n0\r\nX: a\n\r\n", 0), PIECE("\r\n-0\r\n\r\n", 0),
	PIECE("\r\n0;a\nb\r\n\r\n", 0),  PIECE("xx\r\n0\r\n\r\n", 0),
};

/* A request that was drawn. */
struct draw {
	uint64_t random;
	unsigned capabilities;
	bool good;     /* in all parts so far */
	bool is_event; /* its body is; else it is a request */
	bool must_end; /* the connection is closed after its answer */
	bool is_head;  /* its answer has no body */
	size_t bytes;
	char text[8192];
};

static const struct piece *
draw_piece(struct draw *draw, const struct piece *pieces, size_t count)
{
	const struct piece *piece;

	do {
		piece = &pieces[draw_below(&draw->random, count)];
	} while ((draw->capabilities & piece->needs) != piece->needs);
	return piece;
}

#define DRAW_PIECE(DRAW, PIECES) draw_piece(DRAW, PIECES, HERALD_COUNT(PIECES))

static void
append(struct draw *draw, const char *data, size_t bytes)
{
	assert_true(bytes <= sizeof(draw->text) - draw->bytes);
	memcpy(draw->text + draw->bytes, data, bytes);
	draw->bytes += bytes;
}

static void
append_text(struct draw *draw, const char *text)
{
	append(draw, text, strlen(text));
}

/* A piece with its numbers in it. FILL makes what follows it in the head as long as the body. */
static void
append_piece(struct draw *draw, const struct piece *piece, const char *number, size_t whole,
	     size_t less)
{
	for (size_t i = 0; i < piece->bytes; i++) {
		char text[24];

		if (piece->text[i] == WHOLE[0] || piece->text[i] == LESS[0]) {
			snprintf(text, sizeof(text), number,
				 piece->text[i] == WHOLE[0] ? whole : less);
			append_text(draw, text);
		} else if (piece->text[i] == FILL[0]) {
			for (size_t j = strlen("X-Fill: \r\n\r\n"); j < whole; j++)
				append(draw, "a", 1);
		} else {
			append(draw, &piece->text[i], 1);
		}
	}
}

static bool
has(const struct piece *piece, const char *mark)
{
	return memchr(piece->text, mark[0], piece->bytes) != NULL;
}

static void
draw_headers(struct draw *draw)
{
	for (uint64_t i = draw_below(&draw->random, 4); i > 0; i--) {
		const struct piece *piece = DRAW_PIECE(draw, good_headers);

		append(draw, piece->text, piece->bytes);
	}
	if (draw_one_in(&draw->random, 4)) {
		const struct piece *piece = DRAW_PIECE(draw, doubtful_headers);

		append(draw, piece->text, piece->bytes);
		draw->good = false;
	}
}

/* The request line, and the headers that all requests have. */
static void
begin_request(struct draw *draw, const char *method, const char *target, const char *version)
{
	char line[128];

	draw->must_end = strcmp(method, "CONNECT") == 0;
	draw->is_head = strcmp(method, "HEAD") == 0;
	snprintf(line, sizeof(line), "%s %s %s\r\n", method, target, version);
	append_text(draw, line);
	append_text(draw, "Host: t\r\nContent-Type: application/json\r\n");
}

static void
draw_beginning(struct draw *draw)
{
	static const char *const other_versions[] = {"HTTP/1.0", "HTTP/1.2",  "HTTP/2.0",
						     "HTTP/0.9", "HTTP/1.1 ", "http/1.1"};
	const char *method = "POST", *target = "/event", *version = "HTTP/1.1";

	if (draw_one_in(&draw->random, 8))
		method = DRAW_PIECE(draw, other_methods)->text;
	if (draw_one_in(&draw->random, 8))
		target = DRAW_PIECE(draw, targets)->text;
	if (draw_one_in(&draw->random, 8))
		version = other_versions[draw_below(&draw->random, HERALD_COUNT(other_versions))];
	draw->good = strcmp(method, "POST") == 0 && strcmp(target, "/event") == 0 &&
		     strcmp(version, "HTTP/1.1") == 0;
	if (draw_one_in(&draw->random, 16)) {
		append_text(draw, "\r\n");
		draw->good &= (draw->capabilities & CONTRACT_SKIPS_EMPTY_LINE) != 0;
	}
	begin_request(draw, method, target, version);
	draw_headers(draw);
}

/* An event, or a request for one that must never run. */
static void
write_content(const struct draw *draw, unsigned number, char *out, size_t size)
{
	char event[256];
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\":\"order_placed\","
			     "\"timestamp\":\"2024-08-20T05:21:19Z\","
			     "\"payload\":{\"order_id\":\"%s %u\"}}",
			     draw->is_event ? "order" : PROBE_SMUGGLED, number);

	if (draw->is_event)
		snprintf(out, size, "%s", event);
	else
		snprintf(out, size,
			 "POST /event HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
			 "Content-Length: %d\r\n\r\n%s",
			 bytes, event);
}

static void
draw_declared(struct draw *draw, const char *content)
{
	static const struct piece good_length = PIECE("Content-Length: " WHOLE "\r\n", 0);
	const struct piece *length = &good_length;
	char pad[] = "xxxxxxxxxxxxxxxx";

	if (draw_one_in(&draw->random, 2)) {
		length = DRAW_PIECE(draw, doubtful_lengths);
		draw->good = false;
	}
	/* For who sees no length, or the lesser one, the content begins after the padding. */
	pad[draw->is_event || !has(length, LESS) ? 0 : draw_below(&draw->random, sizeof(pad))] =
		'\0';
	append_piece(draw, length, "%zu", strlen(pad) + strlen(content), strlen(pad));
	if (!has(length, FILL) && draw_one_in(&draw->random, 2))
		append_text(draw, "X-Last: a\r\n");
	append_text(draw, "\r\n");
	append_text(draw, pad);
	append_text(draw, content);
}

static void
draw_chunked(struct draw *draw, const char *content)
{
	static const struct piece good_encoding = PIECE("Transfer-Encoding: chunked\r\n", 0);
	const struct piece *encoding = &good_encoding;
	const struct piece *size = DRAW_PIECE(draw, good_sizes);
	const struct piece *end = DRAW_PIECE(draw, good_ends);
	struct draw line = {.bytes = 0};

	if (draw_one_in(&draw->random, 2)) {
		draw->good = false;
		switch (draw_below(&draw->random, 3)) {
		case 0:
			size = DRAW_PIECE(draw, doubtful_sizes);
			break;
		case 1:
			end = DRAW_PIECE(draw, doubtful_ends);
			break;
		default:
			encoding = DRAW_PIECE(draw, doubtful_encodings);
		}
	}
	append_piece(&line, size, "%zx", strlen(content), 0);
	append_piece(draw, encoding, "%zu", 0, line.bytes);
	append_text(draw, "\r\n");
	append(draw, line.text, line.bytes);
	append_text(draw, content);
	append(draw, end->text, end->bytes);
}

static void
draw_request(struct draw *draw, unsigned number)
{
	char content[1024];

	draw->bytes = 0;
	draw->is_event = draw_one_in(&draw->random, 2);
	write_content(draw, number, content, sizeof(content));
	draw_beginning(draw);
	if ((draw->capabilities & CONTRACT_CHUNKED) && draw_one_in(&draw->random, 2))
		draw_chunked(draw, content);
	else
		draw_declared(draw, content);
}

/* In one piece, or in two. */
static void
send_request(struct draw *draw, struct http_client *client)
{
	size_t first = draw_one_in(&draw->random, 4) ? draw_below(&draw->random, draw->bytes)
						     : draw->bytes;

	/* It may be refused before its end. */
	(void)!http_send(client, draw->text, first);
	(void)!http_send(client, draw->text + first, draw->bytes - first);
}

/* Returns the first answer's status, 0 for none, once the server has nothing more to say. */
static unsigned
read_to_the_end(struct http_client *client, const struct draw *draw, bool *open)
{
	bool has_body = !draw->is_head;
	static struct http_response response;
	unsigned first = 0;
	bool followed = false;

	*open = false;
	for (;;) {
		if (first != 0 && !followed)
			followed = probe_post(client, PROBE_FOLLOW_UP);
		/* It may wait for the rest of a body, which does not come. */
		if (!draw->good && !http_wait_readable(client, SILENCE_MS))
			http_finish_sending(client);
		if (!http_receive(client, has_body, &response))
			return first;
		if (followed && response.status == FOLLOW_UP_STATUS) {
			*open = true;
			return first;
		}
		if (first == 0 && response.status >= 200)
			first = response.status;
		has_body = true;
	}
}

static void
print_request(const struct draw *draw)
{
	for (size_t i = 0; i < draw->bytes; i++) {
		unsigned char byte = (unsigned char)draw->text[i];

		if (byte == '\n')
			print_error("\\n\n");
		else if (byte == '\r')
			print_error("\\r");
		else if (byte < ' ' || byte > '~')
			print_error("\\x%02x", byte);
		else
			print_error("%c", byte);
	}
	print_error("\n");
}

/* Send a random request. Returns what is wrong with the result, or NULL. */
static const char *
exchange(const struct probe *probe, struct draw *draw, char *text, size_t size)
{
	static struct http_client client;
	unsigned before = atomic_load(&probe->orders_count);
	bool keeps = probe_keeps_alive(probe);
	bool open;

	probe_connect(probe, &client);
	send_request(draw, &client);
	unsigned status = read_to_the_end(&client, draw, &open);
	http_close(&client);

	unsigned events = atomic_load(&probe->orders_count) - before;
	unsigned most = draw->is_event ? 1 : 0;
	snprintf(text, size, "status %u, %s, events %u, smuggled %u", status,
		 open ? "open" : "closed", events, atomic_load(&probe->smuggled_count));
	if (atomic_load(&probe->smuggled_count) > 0)
		return "the request in the body ran";
	if (events > most)
		return "too many events ran";
	if (status == 0 && (draw->capabilities & CONTRACT_ANSWERS_ALL))
		return "it has no answer";
	if (draw->must_end && open)
		return "the connection is open after it";
	if (draw->good && draw->is_event && (status != 200 || events != 1 || open != keeps))
		return "it is good, and was not treated so";
	if (draw->good && !draw->is_event && status != 400)
		return "its body is not an event, and it was not refused so";
	return NULL;
}

static void
random_requests(void **state)
{
	static struct draw draw;
	struct probe probe;
	uint64_t seed = draw_seed();

	draw = (struct draw){.random = seed};
	probe_start(&probe, state, NULL);
	draw.capabilities = probe.adapter->capabilities;
	printf("# %s: HERALD_TEST_SEED=%llu\n", probe.adapter->name, (unsigned long long)seed);
	for (unsigned i = 0; i < REQUESTS; i++) {
		char text[128];

		draw_request(&draw, i);
		const char *wrong = exchange(&probe, &draw, text, sizeof(text));
		if (wrong) {
			print_request(&draw);
			fail_msg("request %u of HERALD_TEST_SEED=%llu: %s (%s)", i,
				 (unsigned long long)seed, wrong, text);
		}
	}
	probe_assert_alive(&probe);
	probe_stop(&probe);
	assert_int_equal(probe.smuggled_count, 0);
}

/* Every request is answered, and its answer ends where the client expects it to. */
static void
exchange_method(const struct probe *probe, struct draw *draw, const char *method)
{
	for (size_t i = 0; i < HERALD_COUNT(targets); i++) {
		char text[128];

		if ((draw->capabilities & targets[i].needs) != targets[i].needs)
			continue;
		draw->bytes = 0;
		begin_request(draw, method, targets[i].text, "HTTP/1.1");
		append_text(draw, "Content-Length: 0\r\n\r\n");
		const char *wrong = exchange(probe, draw, text, sizeof(text));
		if (wrong)
			fail_msg("%s %s: %s (%s)", method, targets[i].text, wrong, text);
	}
}

static void
methods_at_all_targets(void **state)
{
	static struct draw draw;
	struct probe probe;

	probe_start(&probe, state, NULL);
	draw = (struct draw){.capabilities = probe.adapter->capabilities};
	exchange_method(&probe, &draw, "POST");
	for (size_t i = 0; i < HERALD_COUNT(other_methods); i++)
		if ((draw.capabilities & other_methods[i].needs) == other_methods[i].needs)
			exchange_method(&probe, &draw, other_methods[i].text);
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

const struct contract_http_case contract_http_random[] = {
	CONTRACT_CASE(methods_at_all_targets, 0),
	CONTRACT_CASE(random_requests, 0),
};
const size_t contract_http_random_count = HERALD_COUNT(contract_http_random);
