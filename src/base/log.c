/*
 * Log records, and the two ready-made loggers: logfmt and JSON lines. A line is built in a buffer
 * on the stack and written to the stream under the stream's lock. Nothing is allocated, and lines
 * may have any length.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>

#include "base/safe_text.h"

/* Lines up to this length reach an unbuffered stream, such as stderr, in one write. */
#define LINE_BYTES 1024

struct line {
	FILE *stream;
	size_t bytes;
	char data[LINE_BYTES];
};

const char *
herald_log_level_name(enum herald_log_level level)
{
	switch (level) {
	case HERALD_LOG_DEBUG:
		return "debug";
	case HERALD_LOG_INFO:
		return "info";
	case HERALD_LOG_WARNING:
		return "warning";
	case HERALD_LOG_ERROR:
		return "error";
	default:
		return "unknown";
	}
}

void
herald_log_write(const struct herald_log *log, enum herald_log_level level, const char *message,
		 const struct herald_log_field *fields, size_t count)
{
	if (!herald_log_takes(log, level))
		return;

	struct herald_log_record record = {
		.level = level,
		.time = herald_time_now(),
		.message = message,
		.fields = fields,
		.fields_count = count,
	};
	log->write(&record, log->state);
}

/* The stream is locked until line_end(), so that lines of several threads do not mix. */
static void
line_begin(struct line *line, FILE *stream)
{
	line->stream = stream;
	line->bytes = 0;
	flockfile(stream);
}

/* If the stream cannot be written to, its lines are lost: a logger cannot report errors. */
static void
line_flush(struct line *line)
{
	(void)!fwrite(line->data, 1, line->bytes, line->stream);
	line->bytes = 0;
}

static void
line_append(struct line *line, const char *data, size_t bytes)
{
	while (bytes > LINE_BYTES - line->bytes) {
		size_t part = LINE_BYTES - line->bytes;

		memcpy(line->data + line->bytes, data, part);
		line->bytes = LINE_BYTES;
		line_flush(line);
		data += part;
		bytes -= part;
	}
	memcpy(line->data + line->bytes, data, bytes);
	line->bytes += bytes;
}

static void
line_append_text(struct line *line, const char *text)
{
	line_append(line, text, strlen(text));
}

/* Flushed at once, because the last records before a crash are the most useful ones. */
static void
line_end(struct line *line)
{
	line_append(line, "\n", 1);
	line_flush(line);
	fflush(line->stream);
	funlockfile(line->stream);
}

static void
append_escaped(struct line *line, const char *text)
{
	size_t bytes = strlen(text);
	struct herald__json_piece piece;

	for (size_t i = 0; i < bytes; i += piece.taken) {
		herald__json_text_next(text + i, bytes - i, &piece);
		line_append(line, piece.data, piece.bytes);
	}
}

static void
append_quoted(struct line *line, const char *text)
{
	line_append(line, "\"", 1);
	append_escaped(line, text);
	line_append(line, "\"", 1);
}

/* Keys consist of [A-Za-z0-9_]. Other bytes are replaced by '_', so that no key breaks a line. */
static void
append_key(struct line *line, const char *key)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

	if (!key || !*key)
		key = "_";
	while (*key) {
		size_t run = strspn(key, allowed);

		line_append(line, run ? key : "_", run ? run : 1);
		key += run ? run : 1;
	}
}

static void
append_number(struct line *line, int64_t number)
{
	char text[24];
	int bytes = snprintf(text, sizeof(text), "%" PRId64, number);

	line_append(line, text, (size_t)bytes);
}

/*
 * In UTC, always with milliseconds, so that lines can be sorted as text. "" if the record's time is
 * not valid.
 */
static void
format_time(const struct herald_time *time, char text[HERALD_TIME_TEXT_BYTES])
{
	const struct herald_time utc = {time->seconds, time->nanoseconds, 0};
	const size_t second_bytes = strlen("2026-01-02T03:04:05");

	if (herald_time_format(&utc, text) > 0)
		snprintf(text + second_bytes, HERALD_TIME_TEXT_BYTES - second_bytes, ".%03dZ",
			 (int)(utc.nanoseconds / 1000000));
}

/* logfmt has escapes only inside quotes, so a value that needs an escape needs quotes. */
static bool
needs_quotes(const char *text)
{
	size_t bytes = strlen(text);
	struct herald__json_piece piece;

	for (size_t i = 0; i < bytes; i += piece.taken) {
		herald__json_text_next(text + i, bytes - i, &piece);
		if (piece.data[0] == '\\' || memchr(piece.data, ' ', piece.bytes) ||
		    memchr(piece.data, '=', piece.bytes))
			return true;
	}
	return bytes == 0;
}

static void
append_logfmt_text(struct line *line, const char *text)
{
	if (needs_quotes(text))
		append_quoted(line, text);
	else
		append_escaped(line, text);
}

void
herald_log_logfmt(const struct herald_log_record *record, void *state)
{
	struct line line;
	char time[HERALD_TIME_TEXT_BYTES];

	format_time(&record->time, time);
	line_begin(&line, state);
	line_append_text(&line, "time=");
	append_logfmt_text(&line, time);
	line_append_text(&line, " level=");
	line_append_text(&line, herald_log_level_name(record->level));
	line_append_text(&line, " message=");
	append_logfmt_text(&line, record->message ? record->message : "");
	for (size_t i = 0; i < record->fields_count; i++) {
		const struct herald_log_field *field = &record->fields[i];

		line_append_text(&line, " ");
		append_key(&line, field->key);
		line_append_text(&line, "=");
		if (field->text)
			append_logfmt_text(&line, field->text);
		else
			append_number(&line, field->number);
	}
	line_end(&line);
}

void
herald_log_json(const struct herald_log_record *record, void *state)
{
	struct line line;
	char time[HERALD_TIME_TEXT_BYTES];

	format_time(&record->time, time);
	line_begin(&line, state);
	line_append_text(&line, "{\"time\":");
	append_quoted(&line, time);
	line_append_text(&line, ",\"level\":\"");
	line_append_text(&line, herald_log_level_name(record->level));
	line_append_text(&line, "\",\"message\":");
	append_quoted(&line, record->message ? record->message : "");
	for (size_t i = 0; i < record->fields_count; i++) {
		const struct herald_log_field *field = &record->fields[i];

		line_append_text(&line, ",\"");
		append_key(&line, field->key);
		line_append_text(&line, "\":");
		if (field->text)
			append_quoted(&line, field->text);
		else
			append_number(&line, field->number);
	}
	line_append_text(&line, "}");
	line_end(&line);
}
