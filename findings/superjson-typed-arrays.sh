#!/usr/bin/env bash
# superjson 2.2.7 writes the special numbers of a typed array in another form than 2.2.6.
#
# One would guess: a patch release keeps the wire format, and an older reader fails on a new form.
# What happens: 2.2.6 writes NaN and the infinities of a typed array as null and -0 as 0. All arrive as 0.
# 2.2.7 writes them as strings. The annotation and the version of the format ("v":1) stay as they were.
# 2.2.6 reads the strings rightly, because its typed array constructors turn strings into numbers.
# A reader in another language that expects numbers there refuses the message.
# Versions: superjson 2.2.6 and 2.2.7, Node 20.20.2. Seen on 2026-11-28.
# Output:
#> 2.2.6 writes {"json":[1.5,null,0,null,null],"meta":{"values":[["typed-array","Float64Array"]],"v":1}}
#> 2.2.7 writes {"json":[1.5,"NaN","-0","Infinity","-Infinity"],"meta":{"values":[["typed-array","Float64Array"]],"v":1}}
#> 2.2.6 reads 2.2.6: 1.5 0 0 0 0
#> 2.2.7 reads 2.2.6: 1.5 0 0 0 0
#> 2.2.6 reads 2.2.7: 1.5 NaN -0 Infinity -Infinity
#> 2.2.7 reads 2.2.7: 1.5 NaN -0 Infinity -Infinity
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts old@npm:superjson@2.2.6 new@npm:superjson@2.2.7 >&2

cat >run.mjs <<'EOF'
import older from "old"
import newer from "new"

const numbers = new Float64Array([1.5, NaN, -0, Infinity, -Infinity])
const show = (array) => [...array].map((n) => (Object.is(n, -0) ? "-0" : String(n))).join(" ")

console.log("2.2.6 writes", older.stringify(numbers))
console.log("2.2.7 writes", newer.stringify(numbers))
console.log("2.2.6 reads 2.2.6:", show(older.parse(older.stringify(numbers))))
console.log("2.2.7 reads 2.2.6:", show(newer.parse(older.stringify(numbers))))
console.log("2.2.6 reads 2.2.7:", show(older.parse(newer.stringify(numbers))))
console.log("2.2.7 reads 2.2.7:", show(newer.parse(newer.stringify(numbers))))
EOF
node run.mjs | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
