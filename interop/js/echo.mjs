// An endpoint of package ws that sends each message back:
//   node echo.mjs server    prints {"url": ...} when it listens, and agrees to permessage-deflate
//   node echo.mjs client    connects to each address that comes on its standard input: {"url": ..., "compress": ...}
// It ends when its standard input does.
import process from "node:process"
import { createInterface } from "node:readline"
import { WebSocket, WebSocketServer } from "ws"

const limit = 16 * 1024 * 1024

function echo(socket) {
	socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
	socket.on("error", () => {}) // the peer sees it as the close code
}

if (process.argv[2] === "server") {
	const server = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload: limit, perMessageDeflate: { threshold: 0 } })
	server.on("connection", echo)
	server.on("listening", () => console.log(JSON.stringify({ url: `ws://127.0.0.1:${server.address().port}/` })))
} else {
	createInterface({ input: process.stdin }).on("line", (line) => {
		const { url, compress } = JSON.parse(line)
		echo(new WebSocket(url, { maxPayload: limit, perMessageDeflate: compress && { threshold: 0 } }))
	})
}

process.stdin.on("end", () => process.exit(0))
process.stdin.resume()
