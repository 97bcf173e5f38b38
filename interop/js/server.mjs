// A kkrpc server in the runtime that runs this file, of the conformance API or of what makeAPI of another file returns:
//   <runtime> server.mjs json|superjson [0.2.2|0.7.0|2.1.0|compact [base|streaming|remote-refs [file]]]
// It prints one line {"url": ...} when it listens, on a free port, and ends when its standard input does.
import process from "node:process"
import { load } from "./peer.mjs"

const [codec = "superjson", version = "0.2.2", channel = "base", file = "./api.mjs"] = process.argv.slice(2)
const { makeAPI } = await import(file)
const kkrpc = await load(version, channel, codec)

function serve(socket) {
	const client = kkrpc.accept(socket, makeAPI(() => client, kkrpc))
}

function listening(port) {
	console.log(JSON.stringify({ url: `ws://127.0.0.1:${port}/ws` }))
}

if (globalThis.Deno) {
	Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: (addr) => listening(addr.port) }, (request) => {
		const { socket, response } = Deno.upgradeWebSocket(request)
		serve(socket)
		return response
	})
} else if (globalThis.Bun) {
	const server = Bun.serve({
		hostname: "127.0.0.1",
		port: 0,
		fetch: (request, server) => (server.upgrade(request, { data: {} }) ? undefined : new Response("upgrade", { status: 426 })),
		websocket: {
			// kkrpc wants a socket with slots for handlers; Bun hands events to the server.
			open: (ws) => {
				ws.data.socket = { send: (text) => ws.send(text), close: () => ws.close() }
				serve(ws.data.socket)
			},
			message: (ws, data) => ws.data.socket.onmessage?.({ data }),
			close: (ws, code, reason) => ws.data.socket.onclose?.({ code, reason })
		}
	})
	listening(server.port)
} else {
	const { WebSocketServer } = await import("ws")
	const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
	server.on("connection", serve)
	server.on("listening", () => listening(server.address().port))
}

process.stdin.on("end", () => process.exit(0))
process.stdin.resume()
