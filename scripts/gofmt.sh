#!/usr/bin/env bash
# Fails and names the files that gofmt would change.
set -euo pipefail

unformatted=$(find . \( -name node_modules -o -name .git -o -name .cache \) -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
if [[ -n $unformatted ]]; then
	echo "not formatted, run gofmt -w on:"
	echo "$unformatted"
	exit 1
fi
