#!/usr/bin/env bash
# JSON.parse in Deno gives a member another name after an object whose member name ends in a backslash.
#
# One would guess: JSON.parse depends on nothing but its text.
# What happens: an object has the members "id" and "\", in this order. Any code may have made it, JSON.parse too.
# From then on JSON.parse reads a second member "\n", "\"" or "A" written as \u0041 as "\", without an error.
# The name before the escape is compared alone: after the name "x\", "x\n" is read as "x\".
# The first member of an object is read rightly. Node 20 (V8 11.3) and Bun (JavaScriptCore) read all of them rightly.
# The likely cause is V8's guess of the next name from the shape of earlier objects, compared with the text before its escapes are read.
# Every format that JSON carries is affected, for instance superjson, tRPC and kkrpc in Deno.
# Versions: Deno 2.9.6 (V8 15.0.245.2), the same in 2.9.5; Node 20.20.2. Seen on 2026-11-29.
# Output:
#> node before: {"id":1,"\n":2} {"id":1,"\"":2} {"id":1,"A":2}
#> node after an object with the members id and \: {"id":1,"\n":2} {"id":1,"\"":2} {"id":1,"A":2}
#> deno before: {"id":1,"\n":2} {"id":1,"\"":2} {"id":1,"A":2}
#> deno after an object with the members id and \: {"id":1,"\\":2} {"id":1,"\\":2} {"id":1,"\\":2}
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts deno@2.9.6 >&2
npx --no-install deno --version >&2 # puts the program itself at node_modules/deno/deno

cat >run.mjs <<'EOF'
const runtime = globalThis.Deno ? "deno" : "node"
const texts = ['{"id":1,"\\n":2}', '{"id":1,"\\"":2}', '{"id":1,"\\u0041":2}']
const read = () => texts.map((text) => JSON.stringify(JSON.parse(text))).join(" ")

console.log(runtime, "before:", read())
JSON.parse('{"id":1,"\\\\":2}')
console.log(runtime, "after an object with the members id and \\:", read())
EOF
node run.mjs >seen
node_modules/deno/deno run --no-lock --node-modules-dir=manual run.mjs >>seen
cat seen

diff <(sed -n 's/^#> //p' "$self") seen
