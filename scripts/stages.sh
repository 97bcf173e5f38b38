#!/usr/bin/env bash
# Runs make targets in order, says how long each took, and ends with the number of tests. usage: stages.sh RESULTS TARGET…
# RESULTS is the folder in which the targets leave the output of go test -json.
set -euo pipefail

results=$1
shift

# total counts each test once, however often it ran. A package that fails without a failing test counts as one.
total() {
	shopt -s nullglob
	sed -nE 's/.*"Action":"(pass|fail|skip)","Package":"([^"]*)"(,"Test":"(([^"\\]|\\.)*)")?.*/\1\t\2\t\4/p' /dev/null "$results"/*.json | awk -F '\t' '
		BEGIN { rank["skip"] = 1; rank["pass"] = 2; rank["fail"] = 3 }
		$3 == "" { if ($1 == "fail") broken[$2] = 1; next }
		{ test = $2 FS $3; if (rank[$1] > rank[worst[test]]) worst[test] = $1 }
		END {
			for (test in worst) { n[worst[test]]++; split(test, part, FS); if (worst[test] == "fail") delete broken[part[1]] }
			for (package in broken) n["fail"]++
			printf "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"]
		}'
}

rm -rf "$results"
mkdir -p "$results"
all=$SECONDS
for stage in "$@"; do
	printf '\n== %s\n' "$stage"
	began=$SECONDS
	if ! make "$stage" </dev/null; then
		printf '\nmake %s failed after %ds\nFAIL: %s\n' "$stage" $((SECONDS - all)) "$(total)"
		exit 1
	fi
	printf -- '-- %s: %ds\n' "$stage" $((SECONDS - began))
done
printf '\n%s: %ds\nPASS: %s\n' "$*" $((SECONDS - all)) "$(total)"
