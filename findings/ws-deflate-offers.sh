#!/usr/bin/env bash
# A server of the npm package ws refuses a client that offers permessage-deflate with a parameter of a later day.
#
# One would guess: the server declines that offer and takes the next one, or none.
# RFC 7692 has such offers declined (section 7.1). Clients list several, as what is declined does no harm (section 5).
# What happens: ws answers the whole handshake with 400, also if the second offer is one that it supports.
# An extension with another name does no harm.
# Versions: ws 8.23.0, Node 20.20.2. Seen on 2026-11-29.
# Output:
#> permessage-deflate: 101, permessage-deflate
#> another-extension, permessage-deflate: 101, permessage-deflate
#> permessage-deflate; another_parameter: 400
#> permessage-deflate; another_parameter, permessage-deflate: 400
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true}' >package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts ws@8.23.0 >&2

cat >offers.mjs <<'EOF'
import http from "node:http"
import { WebSocketServer } from "ws"

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true })
await new Promise((resolve) => server.on("listening", resolve))

function answer(extensions) {
	return new Promise((resolve, reject) => {
		const request = http.get({
			host: "127.0.0.1",
			port: server.address().port,
			headers: {
				Upgrade: "websocket",
				Connection: "Upgrade",
				"Sec-WebSocket-Version": "13",
				"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
				"Sec-WebSocket-Extensions": extensions
			}
		})
		request.on("upgrade", (response, socket) => {
			socket.destroy()
			resolve(`101, ${response.headers["sec-websocket-extensions"]}`)
		})
		request.on("response", (response) => resolve(String(response.statusCode)))
		request.on("error", reject)
	})
}

for (const offer of [
	"permessage-deflate",
	"another-extension, permessage-deflate",
	"permessage-deflate; another_parameter",
	"permessage-deflate; another_parameter, permessage-deflate"
]) {
	console.log(`${offer}: ${await answer(offer)}`)
}
process.exit()
EOF

node offers.mjs | tee output
diff <(sed -n 's/^#> //p' "$self") output >&2
