/*
 * A strict reader of requests. Owns only the line being read. Knows neither sockets nor evhttp,
 * except for what evhttp cannot handle and must not see: chunk extensions, which it does not
 * understand; trailers, which it takes for headers; and bodies of methods for which it reads none.
 */
#include "scanner.h"

#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

/* The buffer of a longer line is not retained for the next request. */
#define RETAINED_LINE_BYTES 1024

void
herald__scanner_init(struct herald__scanner *scanner, uint64_t max_body_bytes)
{
	*scanner = (struct herald__scanner){
		.max_body_bytes = max_body_bytes,
		.framing = HERALD_HTTP_FRAMING_INIT,
	};
}

void
herald__scanner_finish(struct herald__scanner *scanner)
{
	free(scanner->line);
	scanner->line = NULL;
	scanner->line_capacity = 0;
}

/* Lines. */

static bool
reserve_line(struct herald__scanner *scanner, size_t bytes)
{
	size_t capacity = scanner->line_capacity ? scanner->line_capacity : 256;

	if (bytes > SCAN_MAX_LINE_BYTES)
		return false;
	while (capacity < bytes + 1)
		capacity *= 2;
	if (capacity == scanner->line_capacity)
		return true;

	char *line = realloc(scanner->line, capacity);
	if (!line)
		return false;
	scanner->line = line;
	scanner->line_capacity = capacity;
	return true;
}

/* Whether evhttp (2.1.12) reads a body with this method. Otherwise it would read it as the next
 * request. */
static bool
reads_body(const char *method)
{
	static const char *const all[] = {"POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i], method) == 0)
			return true;
	return false;
}

static bool
read_request_line(struct herald__scanner *scanner)
{
	char *method = scanner->line;
	size_t method_bytes = herald_http_token_bytes(method);

	if (method_bytes == 0 || method[method_bytes] != ' ')
		return false;
	method[method_bytes] = '\0';

	char *target = method + method_bytes + 1;
	char *target_end = strchr(target, ' ');
	if (!target_end)
		return false;
	*target_end = '\0';

	const char *version = target_end + 1;
	scanner->is_http10 = strcmp(version, "HTTP/1.0") == 0;
	scanner->drops_body = !reads_body(method);
	/* The handler of the request checks the version with its headers, and the scheme. */
	scanner->framing.is_secured = true;
	herald_http_framing_request_line(&scanner->framing, method, target, NULL);
	return !scanner->framing.problem &&
	       (scanner->is_http10 || strcmp(version, "HTTP/1.1") == 0);
}

static bool
begins_with(const char *name, const char *beginning)
{
	const size_t bytes = strlen(beginning);

	return strlen(name) >= bytes && herald_ascii_same_bytes(name, beginning, bytes);
}

/* Also a name that goes on after one of these: it is refused on every route. */
static bool
is_framing(const char *name)
{
	return begins_with(name, "Content-Length") || begins_with(name, "Transfer-Encoding") ||
	       herald_ascii_same(name, "Expect");
}

/* evhttp (2.1.12) itself answers 417 to everything but a lone 100-continue. */
static void
note_expectations(struct herald__scanner *scanner, const char *value)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;

	herald_http_framing_add(&framing, "Expect", value);
	scanner->framing.expects_continue |= framing.expects_continue;
}

/* Read a header or a trailer. The handler of the request finds other errors in headers. */
static bool
read_field(struct herald__scanner *scanner, bool is_trailer)
{
	char *name = scanner->line;
	size_t name_bytes = herald_http_token_bytes(name);

	if (name_bytes == 0 || name[name_bytes] != ':')
		return false;
	name[name_bytes] = '\0';
	if (!is_trailer && is_framing(name)) {
		const char *value = name + name_bytes + 1;

		/* evhttp removes the blanks around a value, but not leading tabs. */
		value += strspn(value, " ");
		if (herald_ascii_same(name, "Expect"))
			note_expectations(scanner, value);
		else
			herald_http_framing_add(&scanner->framing, name, value);
	}
	return !scanner->framing.problem;
}

/* Transitions between the parts of a request. */

static void
begin_request(struct herald__scanner *scanner)
{
	scanner->state = SCAN_START;
	scanner->framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
	scanner->drops_body = false;
	scanner->skipped_line = false;
	scanner->dropped_bytes = 0;
	if (scanner->line_capacity > RETAINED_LINE_BYTES)
		herald__scanner_finish(scanner);
}

static void
begin_chunk(struct herald__scanner *scanner)
{
	scanner->state = SCAN_CHUNK_SIZE;
	scanner->left_bytes = 0;
	scanner->digits_count = 0;
}

/* Handle the CR of the head's last, empty line, which has not been passed on yet. */
static enum herald__scan_verdict
end_head(struct herald__scanner *scanner)
{
	const struct herald_http_framing *framing = &scanner->framing;
	uint64_t length = framing->content_length;

	if (framing->chunked && scanner->is_http10)
		return SCAN_BAD;
	if (length == HERALD_HTTP_NO_LENGTH || scanner->drops_body)
		return SCAN_GOOD;
	if (scanner->max_body_bytes == 0 || length <= scanner->max_body_bytes)
		/* evhttp (2.1.12) stores it in a signed integer. */
		return length > INT64_MAX ? SCAN_BAD : SCAN_GOOD;
	if (herald_http_framing_must_close(framing))
		return SCAN_TOO_LARGE;
	/* evhttp would refuse it at once, and a client that is still sending might miss the
	 * response. */
	scanner->state = SCAN_LARGE_LF;
	scanner->left_bytes = length;
	return SCAN_GOOD;
}

static void
begin_body(struct herald__scanner *scanner)
{
	const struct herald_http_framing *framing = &scanner->framing;

	if (framing->chunked) {
		begin_chunk(scanner);
	} else if (framing->content_length != HERALD_HTTP_NO_LENGTH &&
		   framing->content_length > 0) {
		scanner->state = SCAN_BODY;
		scanner->left_bytes = framing->content_length;
	} else {
		begin_request(scanner);
	}
}

/* Handle a complete line. Returns false if it is invalid. */
static bool
end_line(struct herald__scanner *scanner)
{
	bool is_empty = scanner->line_bytes == 0;
	bool good = true;

	scanner->has_cr = false;
	scanner->line_bytes = 0;
	if (scanner->state == SCAN_REQUEST_LINE) {
		good = !is_empty && read_request_line(scanner);
		scanner->state = SCAN_HEADERS;
	} else if (!is_empty) {
		good = read_field(scanner, scanner->state == SCAN_TRAILERS);
	} else if (scanner->state == SCAN_HEADERS) {
		begin_body(scanner);
	} else {
		begin_request(scanner);
	}
	return good;
}

/*
 * Whether a request is refused before its line ends. evhttp (2.1.12) does not close the connection
 * when it refuses a CONNECT, so it must not see that it is one.
 */
static bool
is_refused_early(const struct herald__scanner *scanner)
{
	static const char connect[] = "CONNECT ";

	return scanner->state == SCAN_REQUEST_LINE &&
	       strncmp(scanner->line, connect, sizeof(connect) - 1) == 0;
}

/*
 * Consume the bytes of a line, up to its end. Returns their number; 0 if the next byte is not
 * allowed.
 */
static size_t
take_line(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	if (scanner->has_cr)
		return data[0] == '\n' && end_line(scanner) ? 1 : 0;

	size_t count = herald_http_value_bytes(data, bytes);
	if (count == 0) {
		if (data[0] != '\r')
			return 0;
		scanner->has_cr = true;
		return 1;
	}
	if (!reserve_line(scanner, scanner->line_bytes + count))
		return 0;
	memcpy(scanner->line + scanner->line_bytes, data, count);
	scanner->line_bytes += count;
	scanner->line[scanner->line_bytes] = '\0';
	if (is_refused_early(scanner))
		return 0;
	scanner->has_cr = count < bytes && data[count] == '\r';
	return count + scanner->has_cr;
}

/* Consume a byte of a chunk's size. Returns false if it is not allowed. */
static bool
take_size(struct herald__scanner *scanner, char c)
{
	int digit = herald_ascii_hex_value(c);

	if (digit >= 0) {
		scanner->left_bytes = scanner->left_bytes << 4 | (uint64_t)digit;
		scanner->digits_count++;
		/* Leading zeros count as digits: no valid size needs so many. */
		return scanner->digits_count < 16;
	}
	if (scanner->digits_count == 0)
		return false;
	switch (c) {
	case '\r':
		scanner->state = SCAN_CHUNK_SIZE_LF;
		return true;
	case ';':
		scanner->state = SCAN_EXTENSION_NAME;
		return true;
	case ' ':
	case '\t':
		scanner->state = SCAN_CHUNK_BLANKS;
		return true;
	default:
		return false;
	}
}

/* What to do with the first remaining bytes. */
struct scanned {
	size_t bytes;
	bool is_dropped;
	enum herald__scan_verdict verdict;
};

static struct scanned
bad_byte(void)
{
	return (struct scanned){.verdict = SCAN_BAD};
}

/* Expect a certain byte, then go on to another state. */
static struct scanned
scan_byte(struct herald__scanner *scanner, bool is_good, enum herald__scan_state next)
{
	if (!is_good)
		return bad_byte();
	scanner->state = next;
	return (struct scanned){.bytes = 1, .is_dropped = scanner->drops_body};
}

/* Skip an empty line before a request (RFC 9112 section 2.2), which evhttp does not do. */
static struct scanned
scan_start(struct herald__scanner *scanner, char c)
{
	if (scanner->state == SCAN_START && (c != '\r' || scanner->skipped_line)) {
		scanner->state = SCAN_REQUEST_LINE;
		return (struct scanned){.bytes = 0};
	}
	if (scanner->state == SCAN_START_LF && c != '\n')
		return bad_byte();
	scanner->skipped_line = scanner->state == SCAN_START_LF;
	scanner->state = scanner->skipped_line ? SCAN_START : SCAN_START_LF;
	return (struct scanned){.bytes = 1, .is_dropped = true};
}

static struct scanned
scan_line(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	bool is_end = scanner->line_bytes == 0 && (scanner->has_cr || data[0] == '\r');
	bool is_trailer = scanner->state == SCAN_TRAILERS;
	struct scanned scanned = {.is_dropped = is_trailer && (!is_end || scanner->drops_body)};

	if (scanner->state == SCAN_HEADERS && is_end && !scanner->has_cr)
		scanned.verdict = end_head(scanner);
	if (scanner->state == SCAN_LARGE_LF)
		return (struct scanned){.bytes = 1, .is_dropped = true};
	if (scanned.verdict != SCAN_GOOD)
		return scanned;
	scanned.bytes = take_line(scanner, data, bytes);
	scanner->dropped_bytes += is_trailer ? scanned.bytes : 0;
	if (scanned.bytes == 0 || scanner->dropped_bytes > SCAN_MAX_DROPPED_BYTES)
		return bad_byte();
	return scanned;
}

static struct scanned
scan_large_end(struct herald__scanner *scanner, char c)
{
	if (c != '\n')
		return bad_byte();
	scanner->state = SCAN_LARGE_BODY;
	return (struct scanned){.bytes = 1, .is_dropped = true};
}

/* Consume a body or the data of a chunk. */
static struct scanned
scan_data(struct herald__scanner *scanner, size_t bytes)
{
	bool is_large = scanner->state == SCAN_LARGE_BODY;
	struct scanned scanned = {.bytes = bytes, .is_dropped = scanner->drops_body || is_large};

	if (scanned.bytes > scanner->left_bytes)
		scanned.bytes = (size_t)scanner->left_bytes;
	scanner->left_bytes -= scanned.bytes;
	if (scanner->left_bytes > 0)
		return scanned;
	if (is_large)
		scanned.verdict = SCAN_TOO_LARGE;
	else if (scanner->state == SCAN_CHUNK_DATA)
		scanner->state = SCAN_CHUNK_CR;
	else
		begin_request(scanner);
	return scanned;
}

static struct scanned
scan_size(struct herald__scanner *scanner, char c)
{
	if (!take_size(scanner, c))
		return bad_byte();
	return (struct scanned){
		.bytes = 1,
		.is_dropped = scanner->drops_body || scanner->state == SCAN_CHUNK_BLANKS ||
			      scanner->state == SCAN_EXTENSION_NAME,
	};
}

/* What may follow the size of a chunk, or an extension. */
static enum herald__scan_state
after_extension(char c, bool is_blank)
{
	if (is_blank)
		return SCAN_CHUNK_BLANKS;
	return c == ';' ? SCAN_EXTENSION_NAME : c == '\r' ? SCAN_CHUNK_SIZE_LF : SCAN_REFUSED;
}

/* The state after a byte of chunk extensions, such as ";a=b;c=\"d\"" (RFC 9112 section 7.1.1). */
static enum herald__scan_state
next_in_extension(enum herald__scan_state state, char c)
{
	bool is_blank = c == ' ' || c == '\t';
	bool is_token = herald_http_is_token_byte(c);

	switch (state) {
	case SCAN_CHUNK_BLANKS:
		return is_blank ? state : c == ';' ? SCAN_EXTENSION_NAME : SCAN_REFUSED;
	case SCAN_EXTENSION_NAME:
		return is_blank ? state : is_token ? SCAN_EXTENSION_NAME_REST : SCAN_REFUSED;
	case SCAN_EXTENSION_NAME_REST:
	case SCAN_EXTENSION_NAME_END:
		if (c == '=')
			return SCAN_EXTENSION_VALUE;
		if (is_blank)
			return SCAN_EXTENSION_NAME_END;
		if (state == SCAN_EXTENSION_NAME_END)
			return c == ';' ? SCAN_EXTENSION_NAME : SCAN_REFUSED;
		return is_token ? state : after_extension(c, false);
	case SCAN_EXTENSION_VALUE:
		if (c == '"')
			return SCAN_EXTENSION_QUOTED;
		return is_blank ? state : is_token ? SCAN_EXTENSION_TOKEN : SCAN_REFUSED;
	case SCAN_EXTENSION_TOKEN:
		return is_token ? state : after_extension(c, is_blank);
	case SCAN_EXTENSION_QUOTED:
		if (c == '"' || c == '\\')
			return c == '"' ? SCAN_EXTENSION_QUOTED_END : SCAN_EXTENSION_ESCAPE;
		return herald_http_value_bytes(&c, 1) == 1 ? state : SCAN_REFUSED;
	case SCAN_EXTENSION_ESCAPE:
		return herald_http_value_bytes(&c, 1) == 1 ? SCAN_EXTENSION_QUOTED : SCAN_REFUSED;
	default: /* SCAN_EXTENSION_QUOTED_END */
		return after_extension(c, is_blank);
	}
}

/* Skip the blanks before a chunk extension, and the extension. */
static struct scanned
scan_extension(struct herald__scanner *scanner, char c)
{
	enum herald__scan_state next = next_in_extension(scanner->state, c);

	scanner->dropped_bytes++;
	if (next == SCAN_REFUSED || scanner->dropped_bytes > SCAN_MAX_DROPPED_BYTES)
		return bad_byte();
	scanner->state = next;
	/* The end of the line is not. */
	return (struct scanned){
		.bytes = 1,
		.is_dropped = scanner->drops_body || next != SCAN_CHUNK_SIZE_LF,
	};
}

static struct scanned
scan_next(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	switch (scanner->state) {
	case SCAN_START:
	case SCAN_START_LF:
		return scan_start(scanner, data[0]);
	case SCAN_REQUEST_LINE:
	case SCAN_HEADERS:
	case SCAN_TRAILERS:
		return scan_line(scanner, data, bytes);
	case SCAN_LARGE_LF:
		return scan_large_end(scanner, data[0]);
	case SCAN_LARGE_BODY:
	case SCAN_BODY:
	case SCAN_CHUNK_DATA:
		return scan_data(scanner, bytes);
	case SCAN_CHUNK_SIZE:
		return scan_size(scanner, data[0]);
	case SCAN_CHUNK_BLANKS:
	case SCAN_EXTENSION_NAME:
	case SCAN_EXTENSION_NAME_REST:
	case SCAN_EXTENSION_NAME_END:
	case SCAN_EXTENSION_VALUE:
	case SCAN_EXTENSION_TOKEN:
	case SCAN_EXTENSION_QUOTED:
	case SCAN_EXTENSION_ESCAPE:
	case SCAN_EXTENSION_QUOTED_END:
		return scan_extension(scanner, data[0]);
	case SCAN_CHUNK_SIZE_LF:
		return scan_byte(scanner, data[0] == '\n',
				 scanner->left_bytes > 0 ? SCAN_CHUNK_DATA : SCAN_TRAILERS);
	case SCAN_CHUNK_CR:
		return scan_byte(scanner, data[0] == '\r', SCAN_CHUNK_LF);
	case SCAN_CHUNK_LF:
		if (data[0] == '\n')
			begin_chunk(scanner);
		return scan_byte(scanner, data[0] == '\n', SCAN_CHUNK_SIZE);
	default: /* SCAN_REFUSED */
		return (struct scanned){.bytes = bytes, .is_dropped = true};
	}
}

struct herald__scan
herald__scanner_run(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	struct herald__scan scan = {.verdict = SCAN_GOOD};

	while (scan.passed_bytes < bytes && scan.dropped_bytes == 0) {
		struct scanned scanned =
			scan_next(scanner, data + scan.passed_bytes, bytes - scan.passed_bytes);

		if (scanned.is_dropped)
			scan.dropped_bytes = scanned.bytes;
		else
			scan.passed_bytes += scanned.bytes;
		if (scanned.verdict == SCAN_GOOD)
			continue;
		scan.verdict = scanned.verdict;
		scanner->state = SCAN_REFUSED;
		break;
	}
	return scan;
}
