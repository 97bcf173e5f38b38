#!/usr/bin/env bash
# Runs make targets in order, says how long each took, and ends with one line: the tests counted and the result.
# usage: stages.sh RESULTS TARGET…
set -euo pipefail

results=$1
shift

total() {
	if [[ -s $results ]]; then
		go run ./test/testsum -total -record "$results" 2>/dev/null || true
	else
		echo "0 passed, 0 failed, 0 skipped"
	fi
}

all=$SECONDS
for stage in "$@"; do
	printf '\n== %s\n' "$stage"
	began=$SECONDS
	if ! make "$stage" </dev/null; then
		printf '\nFAIL: make %s, after %ds: %s\n' "$stage" $((SECONDS - all)) "$(total | head -n 1)"
		exit 1
	fi
	printf -- '-- %s: %ds\n' "$stage" $((SECONDS - began))
done
printf '\nPASS: %s in %ds: %s\n' "$*" $((SECONDS - all)) "$(total | head -n 1)"
