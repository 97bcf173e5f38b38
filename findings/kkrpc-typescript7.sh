#!/usr/bin/env bash
# kkrpc 0.2.2 cannot be installed next to TypeScript 7 by a plain npm install, although its types compile there.
#
# One would guess: an RPC library of plain JavaScript with .d.ts files does not care which compiler the project has.
# What happens: it names typescript ^5.0.0 as a peer, so npm ends with ERESOLVE and installs nothing.
# No file of the package imports typescript. An override of the peer lets it in.
# Its types then pass tsc 7 with --strict and library checks on, and calls are typed as they should be.
# Versions: kkrpc 0.2.2, typescript 7.0.2, @types/node 22.20.7, npm 11.19.1, Node 20.20.2. Seen on 2026-11-28.
# Output:
#> plain: code ERESOLVE
#> override: installed
#> files that import typescript: 0
#> Version 7.0.2
#> tsc: no error
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

packages() { # OVERRIDES
	cat >package.json <<-EOF
		{
			"private": true,
			"dependencies": {"kkrpc": "0.2.2", "typescript": "7.0.2", "@types/node": "22.20.7"},
			"overrides": $1
		}
	EOF
	npm install --no-audit --no-fund --ignore-scripts >npm.log 2>&1 && echo "installed" ||
		grep -o -m 1 -e 'code E[A-Z]*' npm.log
}

cat >client.mts <<'EOF'
import { RPCChannel, type IoInterface } from "kkrpc"

declare const io: IoInterface
const api = new RPCChannel<{}, { add(a: number, b: number): Promise<number> }>(io).getAPI()

export const sum: number = await api.add(1, 2)
// @ts-expect-error: the sum is no string
export const wrong: string = await api.add(1, 2)
EOF

{
	echo "plain: $(packages '{}')"
	echo "override: $(packages '{"kkrpc": {"typescript": "$typescript"}}')"
	echo "files that import typescript: $(grep -rlE "(from|require\(|import\() ?['\"]typescript['\"]" node_modules/kkrpc | wc -l)"
	npx --no-install tsc --version
	npx --no-install tsc --noEmit --strict --skipLibCheck false --types node --module nodenext --target es2022 client.mts &&
		echo "tsc: no error" || echo "tsc: errors"
} | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
