/*
 * The strict reader of requests. It owns the line that is being read and nothing else; it knows
 * neither sockets nor evhttp, but two things of it: extensions of chunks, which it does not
 * understand, and trailers, which it takes for headers, are dropped, and so are bodies that it does
 * not read.
 */
#include "scanner.h"

#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

/* The memory of a longer line is not kept for the next request. */
#define KEPT_LINE_BYTES 1024

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

/* Characters. */

/* A control character, which a line cannot have: with the horizontal tab as the exception. */
static bool
is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* How many of the bytes are those of a token (RFC 9110 section 5.6.2). */
static size_t
token_bytes(const char *text)
{
	return strspn(text, "!#$%&'*+-.^_`|~0123456789"
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
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

/* The request line's target: a path that does not hide a NUL, or the start of a URI. */
static bool
is_target(const char *target, size_t bytes)
{
	bool in_path = true;

	for (size_t i = 0; i < bytes; i++) {
		if (target[i] < 0x21 || target[i] > 0x7e)
			return false;
		in_path &= target[i] != '?';
		if (!in_path || target[i] != '%')
			continue;
		int high = i + 2 < bytes ? hex_digit(target[i + 1]) : -1;
		int low = i + 2 < bytes ? hex_digit(target[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return false;
	}
	return bytes > 0;
}

/* evhttp (2.1.12) reads a body with these methods; with others it would be the next request. */
static bool
reads_body(const char *method, size_t bytes)
{
	static const char *const methods[] = {"POST",   "GET",     "PUT",    "PATCH",
					      "DELETE", "OPTIONS", "CONNECT"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i]) == bytes && memcmp(methods[i], method, bytes) == 0)
			return true;
	return false;
}

static bool
read_request_line(struct herald__scanner *scanner)
{
	const char *method = scanner->line;
	size_t method_bytes = token_bytes(method);
	const char *target = method + method_bytes + 1;

	if (method_bytes == 0 || method[method_bytes] != ' ')
		return false;

	size_t target_bytes = strcspn(target, " ");
	if (!is_target(target, target_bytes) || target[target_bytes] != ' ')
		return false;

	const char *version = target + target_bytes + 1;
	scanner->is_http10 = strcmp(version, "HTTP/1.0") == 0;
	scanner->drops_body = !reads_body(method, method_bytes);
	return scanner->is_http10 || strcmp(version, "HTTP/1.1") == 0;
}

static bool
is_framing(const char *name)
{
	return evutil_ascii_strcasecmp(name, "Content-Length") == 0 ||
	       evutil_ascii_strcasecmp(name, "Transfer-Encoding") == 0 ||
	       evutil_ascii_strcasecmp(name, "Expect") == 0;
}

/* A header or a trailer. What else is wrong with a header is for whoever handles the request. */
static bool
read_field(struct herald__scanner *scanner, bool is_trailer)
{
	char *name = scanner->line;
	size_t name_bytes = token_bytes(name);

	if (name_bytes == 0 || name[name_bytes] != ':')
		return false;
	name[name_bytes] = '\0';
	if (!is_trailer && is_framing(name)) {
		const char *value = name + name_bytes + 1;

		/* Of the blanks around it evhttp leaves out all but tabs before it. */
		value += strspn(value, " ");
		herald_http_framing_add(&scanner->framing, name, value);
	}
	return !scanner->framing.ambiguous;
}

/* Where a request goes on. */

static void
begin_request(struct herald__scanner *scanner)
{
	scanner->state = SCAN_START;
	scanner->framing = (struct herald_http_framing)HERALD_HTTP_FRAMING_INIT;
	scanner->drops_body = false;
	scanner->skipped_line = false;
	scanner->dropped_bytes = 0;
	if (scanner->line_capacity > KEPT_LINE_BYTES)
		herald__scanner_finish(scanner);
}

static void
begin_chunk(struct herald__scanner *scanner)
{
	scanner->state = SCAN_CHUNK_SIZE;
	scanner->left_bytes = 0;
	scanner->digits_count = 0;
}

/* Of the head's last, empty line the CR has come, and is not passed on. */
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
		/* evhttp (2.1.12) has a signed number for it. */
		return length > INT64_MAX ? SCAN_BAD : SCAN_GOOD;
	if (herald_http_framing_must_close(framing))
		return SCAN_TOO_LARGE;
	/* evhttp would refuse it at once: a client that still sends might not see the answer. */
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

/* A line is complete; false if it is a bad one. */
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
 * Take the bytes of a line, up to its end. Returns how many there were; 0 if the next one may not
 * be there.
 */
static size_t
take_line(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	size_t count = 0;

	if (scanner->has_cr)
		return data[0] == '\n' && end_line(scanner) ? 1 : 0;
	while (count < bytes && !is_control(data[count]))
		count++;
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
	return count;
}

/* Take a byte of a chunk's size; false if it may not be there. */
static bool
take_size(struct herald__scanner *scanner, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		scanner->left_bytes = scanner->left_bytes << 4 | (uint64_t)digit;
		scanner->digits_count++;
		/* Leading zeros count, too: more digits than a length needs are an attack. */
		return scanner->digits_count < 16;
	}
	if (scanner->digits_count == 0)
		return false;
	switch (c) {
	case '\r':
		scanner->state = SCAN_CHUNK_SIZE_LF;
		return true;
	case ';':
		scanner->state = SCAN_CHUNK_EXTENSION;
		return true;
	case ' ':
	case '\t':
		scanner->state = SCAN_CHUNK_BLANKS;
		return true;
	default:
		return false;
	}
}

/* One step. */

/* What became of the first bytes that were left. */
struct step {
	size_t bytes;
	bool is_dropped;
	enum herald__scan_verdict verdict;
};

static struct step
bad_step(void)
{
	return (struct step){.verdict = SCAN_BAD};
}

/* A byte that must be there, after which something else comes. */
static struct step
step_byte(struct herald__scanner *scanner, bool is_good, enum herald__scan_state next)
{
	if (!is_good)
		return bad_step();
	scanner->state = next;
	return (struct step){.bytes = 1, .is_dropped = scanner->drops_body};
}

/* Before a request: one empty line is skipped (RFC 9112 section 2.2), which evhttp does not do. */
static struct step
step_start(struct herald__scanner *scanner, char c)
{
	if (scanner->state == SCAN_START && (c != '\r' || scanner->skipped_line)) {
		scanner->state = SCAN_REQUEST_LINE;
		return (struct step){.bytes = 0};
	}
	if (scanner->state == SCAN_START_LF && c != '\n')
		return bad_step();
	scanner->skipped_line = scanner->state == SCAN_START_LF;
	scanner->state = scanner->skipped_line ? SCAN_START : SCAN_START_LF;
	return (struct step){.bytes = 1, .is_dropped = true};
}

static struct step
step_line(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	bool is_end = scanner->line_bytes == 0 && (scanner->has_cr || data[0] == '\r');
	bool is_trailer = scanner->state == SCAN_TRAILERS;
	struct step step = {.is_dropped = is_trailer && (!is_end || scanner->drops_body)};

	if (scanner->state == SCAN_HEADERS && is_end && !scanner->has_cr)
		step.verdict = end_head(scanner);
	if (scanner->state == SCAN_LARGE_LF)
		return (struct step){.bytes = 1, .is_dropped = true};
	if (step.verdict != SCAN_GOOD)
		return step;
	step.bytes = take_line(scanner, data, bytes);
	scanner->dropped_bytes += is_trailer ? step.bytes : 0;
	if (step.bytes == 0 || scanner->dropped_bytes > SCAN_MAX_DROPPED_BYTES)
		return bad_step();
	return step;
}

static struct step
step_large_end(struct herald__scanner *scanner, char c)
{
	if (c != '\n')
		return bad_step();
	scanner->state = SCAN_LARGE_BODY;
	return (struct step){.bytes = 1, .is_dropped = true};
}

/* A body, or the data of a chunk. */
static struct step
step_data(struct herald__scanner *scanner, size_t bytes)
{
	bool is_large = scanner->state == SCAN_LARGE_BODY;
	struct step step = {.bytes = bytes, .is_dropped = scanner->drops_body || is_large};

	if (step.bytes > scanner->left_bytes)
		step.bytes = (size_t)scanner->left_bytes;
	scanner->left_bytes -= step.bytes;
	if (scanner->left_bytes > 0)
		return step;
	if (is_large)
		step.verdict = SCAN_TOO_LARGE;
	else if (scanner->state == SCAN_CHUNK_DATA)
		scanner->state = SCAN_CHUNK_CR;
	else
		begin_request(scanner);
	return step;
}

static struct step
step_size(struct herald__scanner *scanner, char c)
{
	if (!take_size(scanner, c))
		return bad_step();
	return (struct step){
		.bytes = 1,
		.is_dropped = scanner->drops_body || scanner->state == SCAN_CHUNK_BLANKS ||
			      scanner->state == SCAN_CHUNK_EXTENSION,
	};
}

/* The blanks before an extension, or the extension, of which only the end is of interest. */
static struct step
step_extension(struct herald__scanner *scanner, char c)
{
	bool is_blank = c == ' ' || c == '\t';

	scanner->dropped_bytes++;
	if (scanner->dropped_bytes > SCAN_MAX_DROPPED_BYTES)
		return bad_step();
	if (scanner->state == SCAN_CHUNK_EXTENSION && c == '\r')
		return step_byte(scanner, true, SCAN_CHUNK_SIZE_LF);
	if (scanner->state == SCAN_CHUNK_BLANKS && c == ';')
		scanner->state = SCAN_CHUNK_EXTENSION;
	else if (is_control(c) || (scanner->state == SCAN_CHUNK_BLANKS && !is_blank))
		return bad_step();
	return (struct step){.bytes = 1, .is_dropped = true};
}

static struct step
run_step(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	switch (scanner->state) {
	case SCAN_START:
	case SCAN_START_LF:
		return step_start(scanner, data[0]);
	case SCAN_REQUEST_LINE:
	case SCAN_HEADERS:
	case SCAN_TRAILERS:
		return step_line(scanner, data, bytes);
	case SCAN_LARGE_LF:
		return step_large_end(scanner, data[0]);
	case SCAN_LARGE_BODY:
	case SCAN_BODY:
	case SCAN_CHUNK_DATA:
		return step_data(scanner, bytes);
	case SCAN_CHUNK_SIZE:
		return step_size(scanner, data[0]);
	case SCAN_CHUNK_BLANKS:
	case SCAN_CHUNK_EXTENSION:
		return step_extension(scanner, data[0]);
	case SCAN_CHUNK_SIZE_LF:
		return step_byte(scanner, data[0] == '\n',
				 scanner->left_bytes > 0 ? SCAN_CHUNK_DATA : SCAN_TRAILERS);
	case SCAN_CHUNK_CR:
		return step_byte(scanner, data[0] == '\r', SCAN_CHUNK_LF);
	case SCAN_CHUNK_LF:
		if (data[0] == '\n')
			begin_chunk(scanner);
		return step_byte(scanner, data[0] == '\n', SCAN_CHUNK_SIZE);
	default: /* SCAN_REFUSED */
		return (struct step){.bytes = bytes, .is_dropped = true};
	}
}

struct herald__scan
herald__scanner_run(struct herald__scanner *scanner, const char *data, size_t bytes)
{
	struct herald__scan scan = {.verdict = SCAN_GOOD};

	while (scan.passed_bytes < bytes && scan.dropped_bytes == 0) {
		struct step step =
			run_step(scanner, data + scan.passed_bytes, bytes - scan.passed_bytes);

		if (step.is_dropped)
			scan.dropped_bytes = step.bytes;
		else
			scan.passed_bytes += step.bytes;
		if (step.verdict == SCAN_GOOD)
			continue;
		scan.verdict = step.verdict;
		scanner->state = SCAN_REFUSED;
		break;
	}
	return scan;
}
