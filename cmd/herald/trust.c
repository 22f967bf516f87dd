/*
 * The option --tls-ca: the file, and what libcurl makes of it. Does not read the certificates:
 * libcurl does for each connection, and says what is wrong with them.
 */
#include "trust.h"

#include <unistd.h>

const char *
trust_read(const char *value, const char **ca_file)
{
	*ca_file = value;
	return access(value, R_OK) == 0 ? NULL : "a file that can be read";
}

void
trust_set(CURL *curl, const char *ca_file)
{
	if (!ca_file)
		return;
	curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}
