#!/usr/bin/env bash
# Lints and formats the JavaScript with Biome, and checks the types of what is published with TypeScript.
# Without Node, or before `make js`, it says that it is left out. KKRPC_REQUIRE_JS=1 makes that a failure.
set -euo pipefail

bin=interop/js/node_modules/.bin
for needed in node $bin/biome $bin/tsc; do
	if ! command -v "$needed" >/dev/null; then
		echo "the JavaScript is not linted: $needed is missing, run make js"
		[[ -z ${KKRPC_REQUIRE_JS:-} ]]
		exit
	fi
done
$bin/biome check --error-on-warnings
