#!/usr/bin/env bash
# Vets the modules that are not in go.work, the servers of make bench with other people's libraries.
# usage: lint-peers.sh STATICCHECK
set -euo pipefail

for mod in bench/_peers/*/go.mod; do
	(
		cd "$(dirname "$mod")"
		export GOWORK=off
		go vet ./...
		go run "$1" ./...
	)
done
