#!/usr/bin/env bash
# The npm package ws cannot connect with two subprotocols to a Deno server that picks one of them.
#
# One would guess: the list in Sec-WebSocket-Protocol may be written with or without a space after the comma.
# What happens: ws writes "a,b", as HTTP allows. Deno.upgradeWebSocket splits the offer at ", " only.
# It does not find the protocol that the server picked and throws a TypeError. The client sees status 500.
# With one protocol the connection opens. It also opens from Deno's own client, which writes "a, b".
# Versions: deno 2.9.6, ws 8.23.0, Node 20.20.2. Seen on 2026-11-28.
# Output:
#> ws a: open, protocol a
#> ws a,b: status 500
#> deno: open, protocol a
#> server saw "a"
#> server saw "a,b": TypeError: Protocol 'a' not in the request's protocol list (non negotiable)
#> server saw "a, b"
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap '[[ -z ${server:-} ]] || kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
export DENO_DIR=$dir/cache DENO_NO_UPDATE_CHECK=1
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts deno@2.9.6 ws@8.23.0 >&2
npx --no-install deno --version >&2 # puts the program itself at node_modules/deno/deno

cat >server.ts <<'EOF'
const onListen = ({ port }: { port: number }) => Deno.writeTextFileSync("port", String(port))
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, (request) => {
	const saw = `server saw "${request.headers.get("sec-websocket-protocol")}"`
	try {
		const { response } = Deno.upgradeWebSocket(request, { protocol: "a" })
		console.log(saw)
		return response
	} catch (error) {
		console.log(`${saw}: ${error}`)
		return new Response(null, { status: 500 }) // as without this catch
	}
})
EOF
cat >client.mjs <<'EOF'
import { readFileSync } from "node:fs"
import { WebSocket } from "ws"

const dial = (offer) =>
	new Promise((done) => {
		const socket = new WebSocket(`ws://127.0.0.1:${readFileSync("port", "utf8")}`, offer, { handshakeTimeout: 5000 })
		socket.on("open", () => done(`open, protocol ${socket.protocol}`))
		socket.on("unexpected-response", (_, response) => done(`status ${response.statusCode}`))
	})
console.log("ws a:", await dial(["a"]))
console.log("ws a,b:", await dial(["a", "b"]))
process.exit()
EOF
cat >client.ts <<'EOF'
const socket = new WebSocket(`ws://127.0.0.1:${Deno.readTextFileSync("port")}`, ["a", "b"])
socket.onopen = () => (console.log(`deno: open, protocol ${socket.protocol}`), Deno.exit())
socket.onerror = () => (console.log("deno: refused"), Deno.exit())
EOF
deno=node_modules/deno/deno
"$deno" run --quiet --allow-net=127.0.0.1 --allow-write=port server.ts >server.log &
server=$!
for _ in {1..100}; do [[ -s port ]] && break || sleep 0.1; done
{
	node client.mjs
	"$deno" run --quiet --allow-net=127.0.0.1 --allow-read=port client.ts
	cat server.log
} | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
