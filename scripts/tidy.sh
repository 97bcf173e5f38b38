#!/usr/bin/env bash
# Checks the root module as its users get it, without the workspace: go mod tidy has nothing to do, and all of it compiles.
set -euo pipefail

export GOWORK=off
if ! go mod tidy -diff; then
	echo "go.mod or go.sum is not tidy, run GOWORK=off go mod tidy"
	exit 1
fi
go vet ./...
