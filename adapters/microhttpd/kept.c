/*
 * The response that nearly every event gets, kept from one to the next. It is made anew each second, with
 * its date in it: libmicrohttpd would else put that together for each answer, which takes 80 ns.
 */
#include "kept.h"

#include <stdio.h>
#include <string.h>

#include "translate.h"

static const struct herald_http_response success = {
	.status = MHD_HTTP_OK,
	.content_type = "application/json",
	.body = "{\"status\":\"success\"}",
	.body_bytes = sizeof("{\"status\":\"success\"}") - 1,
};

/* RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale. */
static void
write_date(time_t second, char *out, size_t size)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm utc = {0};

	gmtime_r(&second, &utc);
	snprintf(out, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[utc.tm_wday], utc.tm_mday,
		 months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

/* That status and body have no other headers: see herald_http_handle(). */
bool
herald__kept_is(const struct herald_http_response *response)
{
	return response->status == success.status && response->body_bytes == success.body_bytes &&
	       memcmp(response->body, success.body, success.body_bytes) == 0;
}

struct MHD_Response *
herald__kept_get(struct herald__kept *kept)
{
	time_t now = time(NULL);
	char date[64];

	if (kept->response && kept->second == now)
		return kept->response;
	/* The old one is still being sent, perhaps: libmicrohttpd counts who uses it. */
	herald__kept_release(kept);
	kept->response = herald__response_create(&success);
	kept->second = now;
	write_date(now, date, sizeof(date));
	if (kept->response && MHD_add_response_header(kept->response, "Date", date) != MHD_YES)
		herald__kept_release(kept);
	return kept->response;
}

void
herald__kept_release(struct herald__kept *kept)
{
	if (kept->response)
		MHD_destroy_response(kept->response);
	*kept = (struct herald__kept){0};
}
