#!/usr/bin/env bash
# No stream of node:net or node:fs reads an inherited pipe in Node, Bun and Deno alike.
#
# One would guess: new Socket({ fd: 3 }) or createReadStream(null, { fd: 3 }) reads descriptor 3 wherever node:net and
# node:fs exist.
# What happens: Node reads the pipe by both. Deno reads it by a Socket, and has an error for createReadStream.
# Bun reads it by createReadStream. Its Socket emits nothing, no data and no error, and does not keep the program alive.
# Versions: bun 1.4.5, deno 2.9.6, Node 20.20.2. Seen on 2026-11-29.
# Output:
#> node, Socket: read "hello"
#> node, createReadStream: read "hello"
#> bun, Socket: ended with status 0, without an event
#> bun, createReadStream: read "hello"
#> deno, Socket: read "hello"
#> deno, createReadStream: Error: Bad file descriptor (os error 9)
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts bun@1.4.5 deno@2.9.6 >&2
node node_modules/bun/install.js >&2 # puts the program itself at node_modules/bun/bin/bun.exe
npx --no-install deno --version >&2 # the same for node_modules/deno/deno

cat >child.mjs <<'EOF'
import { createReadStream } from "node:fs"
import { Socket } from "node:net"
import process from "node:process"

const streams = {
	Socket: () => new Socket({ fd: 3, writable: false }),
	createReadStream: () => createReadStream(null, { fd: 3 })
}
const end = (text) => {
	console.log(text)
	process.exit()
}
const input = streams[process.argv[2]]()
input.on("data", (data) => end(`read "${data}"`))
input.on("end", () => end("end of input"))
input.on("error", (error) => end(`${error.name}: ${error.message}`))
EOF
cat >parent.mjs <<'EOF'
import { spawn } from "node:child_process"

const [program, ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit", "pipe"] })
child.stdio[3].on("error", () => {}) // the child may end without reading
child.stdio[3].write("hello")
let said = ""
child.stdout.on("data", (data) => (said += data))
child.on("close", (status) => {
	console.log(said.trim() || `ended with status ${status}, without an event`)
	process.exit()
})
EOF
for runtime in node bun deno; do
	for stream in Socket createReadStream; do
		case $runtime in
		node) command=(node) ;;
		bun) command=(node_modules/bun/bin/bun.exe run) ;;
		deno) command=(node_modules/deno/deno run --quiet --allow-all) ;;
		esac
		echo "$runtime, $stream: $(timeout 30 node parent.mjs "${command[@]}" child.mjs "$stream")"
	done
done | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
