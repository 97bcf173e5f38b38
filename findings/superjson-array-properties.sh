#!/usr/bin/env bash
# superjson loses a property of an array, and annotates it all the same.
#
# One would guess: a property of an array is lost without a trace, as in JSON.
# What happens: the annotation of a lost property is written, and the reader applies it to array["NaN"].
# The result of String.match has such a property: "groups", undefined. It arrives with a member "NaN".
# With a bigint as the property, superjson does not read what it wrote.
# Versions: superjson 2.2.7, Node 20.20.2. 2.2.6 prints the same. Seen on 2026-11-29.
# Output:
#> wire of a match {"json":["b"],"meta":{"values":{"groups":["undefined"]},"v":1}}
#> a match arrives with the members 0 NaN
#> a Date arrives as NaN: Invalid Date
#> a bigint: TypeError: Cannot convert undefined to a BigInt
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts superjson@2.2.7 >&2

cat >run.mjs <<'EOF'
import superjson from "superjson"

const cross = (value) => superjson.parse(superjson.stringify(value))

const match = "abc".match(/b/)
console.log("wire of a match", superjson.stringify(match))
console.log("a match arrives with the members", ...Object.keys(cross(match)))
console.log("a Date arrives as NaN:", String(cross(Object.assign([], { at: new Date(0) })).NaN))
try {
	cross(Object.assign([], { id: 5n }))
	console.log("a bigint: no error")
} catch (error) {
	console.log("a bigint:", String(error))
}
EOF
node run.mjs | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
