#!/usr/bin/env bash
# Runs every fuzz target for a short time, two at once. usage: fuzz.sh TIME
set -euo pipefail

one() { # TIME PACKAGE TARGET
	local time=$1 pkg=$2 target=$3 out
	# An input is made smaller in ten tries at most: by default that may take a minute, in which nothing new is tried.
	for _ in 1 2 3; do
		if out=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel 1 "$pkg" 2>&1); then
			echo "ok    $pkg $target: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -n 1)"
			return 0
		fi
		# go test before 1.27 can report its own deadline as a failure (golang.org/issue/75804): that one is tried again.
		if grep -q 'Failing input written' <<<"$out" || ! grep -q 'context deadline exceeded' <<<"$out"; then
			break
		fi
	done
	echo "FAIL  $pkg $target"
	echo "$out"
	return 1
}
export -f one

# What long runs have found before: corpora.sh has written it.
mkdir -p "$(go env GOCACHE)/fuzz"
tar -xzf test/corpora.tgz -C "$(go env GOCACHE)/fuzz"

targets=$(go test -list '^Fuzz' work | awk '/^Fuzz/ { names[++n] = $1 } /^ok / { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')
if [[ -z $targets ]]; then
	echo "no fuzz targets"
	exit 0
fi
xargs -P 2 -L 1 bash -c 'one "$@" || exit 1' one "$1" <<<"$targets"
