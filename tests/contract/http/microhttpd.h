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
#define MICROHTTPD_TWICE "libmicrohttpd 0.9.75 sends the head of a refusal of its own twice"
#define MICROHTTPD_MEMORY "libmicrohttpd 0.9.75 answers what does not fit its memory with 500"

#define MICROHTTPD_DEVIATIONS                                                                      \
	{"leading_lf", "200 open", MICROHTTPD_LEADING},                                            \
		{"leading_nul_line", "200 open",                                                   \
		 "libmicrohttpd 0.9.75 skips a line that begins with a NUL before a request"},     \
		{"chunk_bare_lf_*", "200 open", MICROHTTPD_LF},                                    \
		{"chunk_ext_nul", "200 open", MICROHTTPD_IGNORED},                                 \
		{"chunk_bad_ext_*", "200 open", MICROHTTPD_IGNORED},                               \
		{"chunk_ext_good_blanks", "400 closed",                                            \
		 "libmicrohttpd 0.9.75 takes no blanks after the size of a chunk"},                \
		{"chunk_trailer_bare_lf", "200 open", MICROHTTPD_LF},                              \
		{"chunk_trailer_fold", "200 open", MICROHTTPD_IGNORED},                            \
		{"chunk_trailer_control", "200 open", MICROHTTPD_IGNORED},                         \
		{"chunk_trailer_empty_name", "200 open", MICROHTTPD_IGNORED},                      \
		{"chunk_trailer_blank_before_colon", "200 open", MICROHTTPD_IGNORED},              \
		{"chunk_trailer_nul", "200 open", MICROHTTPD_IGNORED},                             \
		{"length_overflow", "413 rest closed", MICROHTTPD_TWICE},                          \
		{"length_over_64_bits", "413 rest closed", MICROHTTPD_TWICE},                      \
		{"length_plus", "400 rest closed", MICROHTTPD_TWICE},                              \
		{"length_minus", "400 rest closed", MICROHTTPD_TWICE},                             \
		{"length_hex", "400 rest closed", MICROHTTPD_TWICE},                               \
		{"length_blank_inside", "400 rest closed", MICROHTTPD_TWICE},                      \
		{"length_comma_differs", "400 rest closed", MICROHTTPD_TWICE},                     \
		{"length_dot", "400 rest closed", MICROHTTPD_TWICE},                               \
		{"length_exponent", "400 rest closed", MICROHTTPD_TWICE},                          \
		{"length_quoted", "400 rest closed", MICROHTTPD_TWICE},                            \
		{"length_underscore", "400 rest closed", MICROHTTPD_TWICE},                        \
		{"length_empty", "400 rest closed", MICROHTTPD_TWICE},                             \
		{"length_junk", "400 rest closed", MICROHTTPD_TWICE},                              \
		{"length_arabic", "400 rest closed", MICROHTTPD_TWICE},                            \
		{"length_list_same", "400 rest closed", MICROHTTPD_TWICE},                         \
		{"chunk_announces_too_much", "silent", MICROHTTPD_SIZES},                          \
	{                                                                                          \
		"chunk_ext_endless", "500 closed", MICROHTTPD_MEMORY                               \
	}

#endif
