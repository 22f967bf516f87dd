# shellcheck shell=bash disable=SC2034 # the variables are for who sources this
# What check-headers and check-misuse share: the command line, and TAP. To be sourced.
#
# After parse_arguments: cc_commands and cxx_commands, one compiler each, and include_flags and
# header_roots for the folders of public headers.

warnings=(-fsyntax-only -Wall -Wextra -Wpedantic -Werror)
cc_commands=()
cxx_commands=()
header_roots=()
include_flags=()
cases=0
failures=0

parse_arguments() {
	while [ $# -gt 0 ]; do
		case $1 in
		--cc) cc_commands+=("$2") && shift ;;
		--cxx) cxx_commands+=("$2") && shift ;;
		-*) echo "usage: $0 [--cc CC]... [--cxx CXX]... [HEADER-ROOT]..." >&2 && exit 2 ;;
		*) header_roots+=("$1") ;;
		esac
		shift
	done
	[ ${#cc_commands[@]} -gt 0 ] || find_compilers
	[ ${#header_roots[@]} -gt 0 ] || header_roots=(include adapters/*/*/include)
	include_flags=("${header_roots[@]/#/-I}")
}

# Every compiler that is here.
find_compilers() {
	local cc cxx
	for cc in gcc clang; do
		if command -v "$cc" >/dev/null; then cc_commands+=("$cc"); fi
	done
	for cxx in g++ clang++; do
		if command -v "$cxx" >/dev/null; then cxx_commands+=("$cxx"); fi
	done
}

# Print one TAP line. Usage: tap_case ok|"not ok" NAME [OUTPUT]
tap_case() {
	cases=$((cases + 1))
	echo "$1 $cases - $2"
	if [ "$1" != ok ]; then
		failures=$((failures + 1))
		printf '%s\n' "${3:-}" | sed 's/^/# /'
	fi
}

tap_end() {
	echo "1..$cases"
	if [ "$cases" -eq 0 ]; then
		echo "$0: nothing to check" >&2
		exit 1
	fi
	[ "$failures" -eq 0 ]
}
