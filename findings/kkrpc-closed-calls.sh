#!/usr/bin/env bash
# In kkrpc 0.2.2 a call that is pending when its connection closes stays pending for ever.
#
# One would guess: a call whose connection has closed is rejected, as fetch does when its server goes away.
# What happens: the client does not listen for the close event of its WebSocket, nor for the end of a child's output.
# The promise is neither resolved nor rejected. A deadline around each call is the only way to notice.
# Versions: kkrpc 0.2.2, ws 8.23.0, Node 20.20.2. Seen on 2026-11-29.
# Output:
#> WebSocket closed with 1001: after 3 s the call is pending
#> child ended with status 3: after 3 s the call is pending
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >package.json <<'EOF'
{
	"private": true,
	"dependencies": {"kkrpc": "0.2.2", "ws": "8.23.0", "typescript": "5.9.3"}
}
EOF
npm install --loglevel error --no-audit --no-fund --ignore-scripts >&2

cat >client.mjs <<'EOF'
import { spawn } from "node:child_process"
import { once } from "node:events"
import { NodeIo, RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket, WebSocketServer } from "ws"

globalThis.WebSocket = WebSocket // Node 20 has none

const call = (io) => new RPCChannel(io, { expose: {} }).getAPI().greet("you")
const outcome = (promise) =>
	Promise.race([
		promise.then((value) => `resolved with ${value}`, (error) => `rejected with ${error}`),
		new Promise((done) => setTimeout(done, 3000, "pending"))
	])

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
server.on("connection", (socket) => socket.once("message", () => socket.close(1001)))
await once(server, "listening")
const io = new WebSocketClientIO({ url: `ws://127.0.0.1:${server.address().port}` })
const closed = new Promise((done) => io.ws.addEventListener("close", (event) => done(event.code)))
const first = call(io)
console.log(`WebSocket closed with ${await closed}: after 3 s the call is ${await outcome(first)}`)

const child = spawn(process.execPath, ["-e", 'process.stdin.once("data", () => process.exit(3))'], { stdio: ["pipe", "pipe", "inherit"] })
const ended = once(child, "close")
const second = call(new NodeIo(child.stdout, child.stdin))
console.log(`child ended with status ${(await ended)[0]}: after 3 s the call is ${await outcome(second)}`)
process.exit()
EOF
node client.mjs | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
