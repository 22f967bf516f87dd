/*
 * The deviations of libmicrohttpd (0.9.75) for raw requests. They apply to all adapters on it,
 * including Ulfius.
 */
#ifndef HERALD_TESTS_CONTRACT_HTTP_MICROHTTPD_H
#define HERALD_TESTS_CONTRACT_HTTP_MICROHTTPD_H

#include "suite.h"

#define MICROHTTPD_LEADING "libmicrohttpd 0.9.75 skips a line feed before a request"
#define MICROHTTPD_LF                                                                              \
	"libmicrohttpd 0.9.75 takes a line feed alone for the end of a line of a chunk"
#define MICROHTTPD_IGNORED "libmicrohttpd 0.9.75 does not look into chunk extensions and trailers"
#define MICROHTTPD_SIZES "libmicrohttpd 0.9.75 does not report the size of a chunk"
#define MICROHTTPD_MEMORY "libmicrohttpd 0.9.75 answers what does not fit its memory with 500"

#define MICROHTTPD_DEVIATIONS                                                                      \
	{"leading_lf", "200 open", MICROHTTPD_LEADING},                                            \
		{"chunk_bare_lf_*", "200 open", MICROHTTPD_LF},                                    \
		{"chunk_ext_nul", "200 open", MICROHTTPD_IGNORED},                                 \
		{"chunk_trailer_bare_lf", "200 open", MICROHTTPD_LF},                              \
		{"chunk_trailer_fold", "200 open", MICROHTTPD_IGNORED},                            \
		{"chunk_announces_too_much", "silent", MICROHTTPD_SIZES},                          \
	{                                                                                          \
		"chunk_ext_endless", "500 closed", MICROHTTPD_MEMORY                               \
	}

#endif
