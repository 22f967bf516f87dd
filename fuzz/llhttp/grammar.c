/*
 * Draws requests. The first part of each list is the usual one; it is taken most of the time, so
 * that a request seldom has more than one or two parts that are not usual.
 */
#include <stdio.h>
#include <string.h>

#include <herald/array.h>

#include "grammar.h"

static const char *const methods[] = {
	"GET",  "POST",   "CONNECT", "OPTIONS", "HEAD", "PUT", "DELETE", "TRACE",
	"LOCK", "SOURCE", "PRI",     "BREW",    "post", "",    "(",
};

static const char *const targets[] = {
	"/",
	"*",
	"t:80",
	"http://t/a",
	"http://t",
	"http://t?q",
	"https://t:8080/a?b",
	"http://t:",
	"http://t:99999/",
	"http://",
	"http://:80/",
	"http:///a",
	"http://a@t/",
	"http://a,b/",
	"http://%41/",
	"http://[::1]:80/a",
	"http://[::-]/",
	"http://[dead]/",
	"http://[v1.a]/",
	"ftp://t/",
	"//t",
	"//[::-]:80/",
	"/a?b=c&d=%20",
	"/%41/b;c",
	"/%",
	"/%00",
	"/#a",
	"/a\tb",
	"/\x80",
	"/\"<>\\^`{|}",
	"a",
	"",
};

static const char *const versions[] = {
	" HTTP/1.1\r\n", " HTTP/1.0\r\n",  " HTTP/1.2\r\n", " HTTP/2.0\r\n",
	" HTTP/0.9\r\n", " HTTP/1.10\r\n", " http/1.1\r\n", " HTTP/1.1 \r\n",
	" RTSP/1.0\r\n", " ICE/1.0\r\n",   "  HTTP/1.1\n",  "\r\n",
};

static const char *const hosts[] = {
	"Host: t\r\n",     "",
	"Host:\r\n",       "Host: t\r\nHost: t\r\n",
	"Host: t:80\r\n",  "Host: :80\r\n",
	"Host: t:8x\r\n",  "Host: [::1]:80\r\n",
	"Host: [::-]\r\n", "Host: [1:2:3:4:5:6:7:8:9]\r\n",
	"Host: a b\r\n",   "Host: a,b\r\n",
	"Host: a@b\r\n",   "Host: a%20b\r\n",
	"Host: a%00b\r\n", "Host: [::ffff:127.0.0.1]\r\n",
	"Host : t\r\n",    " Host: t\r\n",
};

static const char *const headers[] = {
	"X-A: b\r\n",
	"X-A: \t b \t\r\n",
	"X-A:\r\n",
	"X-A: \xff\r\n",
	"X-A: b\x01\r\n",
	"X-A: b\rc\r\n",
	"X-A: b\n",
	"X-A : b\r\n",
	" b\r\n",
	": b\r\n",
	"X-A\r\n",
	"Content-Type: a/b\r\n",
	"Content-Type: a/b, c/d\r\n",
	"Connection: close\r\n",
	"Connection: keep-alive\r\n",
	"Connection: keep-alive, close\r\n",
	"Connection: upgrade\r\n",
	"Proxy-Connection: close\r\n",
	"Upgrade: x\r\n",
	"Expect: 100-continue\r\n",
	"Content-Length: 3\r\n",
	"Transfer-Encoding: chunked\r\n",
};

/* Of the body's length, with what follows the head. */
static const struct {
	const char *header, *body;
} bodies[] = {
	{"", ""},
	{"Content-Length: 5\r\n", "hello"},
	{"Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"},
	{"Content-Length: 0\r\n", ""},
	{"Content-Length: 5\r\n", "hel"},
	{"Content-Length: 05\r\n", "hello"},
	{"Content-Length: +5\r\n", "hello"},
	{"Content-Length: 5, 5\r\n", "hello"},
	{"Content-Length:\r\n", ""},
	{"Content-Length: 5\r\nContent-Length: 5\r\n", "hello"},
	{"Content-Length: 18446744073709551616\r\n", "hello"},
	{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"},
	{"Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"},
	{"Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"},
	{"Transfer-Encoding: identity\r\n", "hello"},
	{"Transfer-Encoding: Chunked \t\r\n", "0\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "5;a=\"b\"\r\nhello\r\n0\r\nA: b\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "5 ; a = b\r\nhello\r\n0\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "5;a=\"b\" ;c\r\nhello\r\n0\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 5\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "0\r\nConnection: close\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n"},
	{"Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"},
	{"Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\nhello"},
};

uint32_t
grammar_draw(uint32_t *seed, uint32_t limit)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(*seed >> 8) * limit >> 24);
}

static size_t
draw_part(uint32_t *seed, size_t count)
{
	return grammar_draw(seed, 3) > 0 ? 0 : grammar_draw(seed, (uint32_t)count);
}

static void
append(char *text, const char *part)
{
	strcat(text, part);
}

size_t
grammar_write(uint32_t *seed, char *out, size_t room)
{
	char text[1024] = "";
	size_t body = draw_part(seed, HERALD_COUNT(bodies));
	size_t bytes;

	append(text, methods[draw_part(seed, HERALD_COUNT(methods))]);
	append(text, " ");
	append(text, targets[draw_part(seed, HERALD_COUNT(targets))]);
	append(text, versions[draw_part(seed, HERALD_COUNT(versions))]);
	append(text, hosts[draw_part(seed, HERALD_COUNT(hosts))]);
	for (uint32_t more = grammar_draw(seed, 4); more > 1; more--)
		append(text, headers[grammar_draw(seed, HERALD_COUNT(headers))]);
	append(text, bodies[body].header);
	append(text, "\r\n");
	append(text, bodies[body].body);
	bytes = strlen(text);
	bytes = bytes < room ? bytes : room;
	memcpy(out, text, bytes);
	return bytes;
}
