#!/usr/bin/env bash
# Tests each module of go.work with the versions that its own go.mod selects, without the workspace.
# usage: test-modules.sh RESULTS GOTESTSUM…
set -euo pipefail
cd "$(dirname "$0")/.."

results=$(realpath "$1")
shift
for dir in $(go list -m -f '{{.Dir}}'); do
	name=${dir#"$PWD"}
	(cd "$dir" && GOWORK=off "$@" --jsonfile "$results/module${name//\//-}.json" -- -short ./...)
done
