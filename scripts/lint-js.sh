#!/usr/bin/env bash
# Lints the JavaScript with Biome, which checks the format too, and has TypeScript check the types of what is published.
# Without Node, or before `make js`, it says that it is left out. KKRPC_REQUIRE_JS=1 makes that a failure.
set -euo pipefail

modules=interop/js/node_modules
for needed in node $modules/.bin/biome $modules/typescript/bin/tsc; do
	if ! command -v "$needed" >/dev/null; then
		echo "the JavaScript is not linted: $needed is missing, run make js"
		[[ -z ${KKRPC_REQUIRE_JS:-} ]]
		exit
	fi
done
$modules/.bin/biome check --error-on-warnings
node $modules/typescript/bin/tsc --project npm
