#!/usr/bin/env bash
# Runs the callback example as its head comment says: the curl lines, word for word except for the
# port, which is a free one. Each case is a line of TAP.
# Usage: tests/examples/callback.sh PROGRAM SOURCE
set -uo pipefail
program=$1 source=$2
number=0

result() { # STATUS NAME DETAILS
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then echo "ok $number - $2"; else
		echo "not ok $number - $2"
		printf '# %s\n' "${3//$'\n'/, }"
	fi
}

# The curl line number $1 of the head comment.
curl_line() {
	sed '/\*\//q' "$source" | sed -n 's/^ \*\t//p; s/^ \*$//p' |
		awk -v RS= -v wanted="$1" '/^curl/ && ++found == wanted' | sed "s/8080/$port/g"
}

next_line() { # waits for the program to write one
	IFS= read -r -t 20 line <&"${example[0]}" || line="(nothing)"
}

expect() { # NAME WANTED FOUND
	[[ $3 == *"$2"* ]]
	result $? "$1" "expected: $2
found: $3"
}

for wrong in "" " 1" -1 80x 65536; do
	expect "the port \"$wrong\" is named" \
		"callback: expected a port from 0 to 65535, not \"$wrong\" 2" \
		"$("$program" "$wrong" 2>&1) $?"
done

coproc example { exec "$program" 0 2>/dev/null; }
# shellcheck disable=SC2154 # coproc sets it
pid=$example_PID
next_line
port=${line##* }
expect "it says its port" "listening on port " "$line"

answer=$(bash -c "$(curl_line 1)" 2>/dev/null)
expect "the first line is answered" '{"status":"success"}' "$answer"
next_line
expect "the function runs" "created johndoe" "$line"
next_line
expect "success_url is called" "callback: user_created success" "$line"

answer=$(bash -c "$(curl_line 2)" 2>/dev/null)
expect "the second line fails" "HTTP/1.1 409" "$answer"
next_line
expect "fail_url is called, with the reason" "callback: user_created fail the name root is taken" "$line"

echo >&"${example[1]}"
wait "$pid"
expect "Enter ends it" "status 0" "status $?"
lines=$(wc -l <"$source")
test "$lines" -lt 140
result $? "it is short" "$lines lines"
echo "1..$number"
