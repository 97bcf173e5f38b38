#!/usr/bin/env bash
# Checks each module of go.work as its users get it, without the workspace: go mod tidy has nothing to do, and all of it
# compiles, with its tests. Then it checks that go.work.sum is complete, which go doc would else write to.
set -euo pipefail
cd "$(dirname "$0")/.."

for dir in $(go list -m -f '{{.Dir}}'); do
	(
		cd "$dir"
		export GOWORK=off
		if ! go mod tidy -diff; then
			echo "go.mod or go.sum in ${dir#"$OLDPWD/"} is not tidy: run GOWORK=off go mod tidy there"
			exit 1
		fi
		go vet ./...
	)
done

sums=$(mktemp)
trap 'rm -f "$sums"' EXIT
cp go.work.sum "$sums"
go list -m all >/dev/null
if ! cmp -s "$sums" go.work.sum; then
	echo "go.work.sum was not complete: commit what go list -m all has written there"
	exit 1
fi
