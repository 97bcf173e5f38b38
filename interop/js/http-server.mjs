// A kkrpc 0.2 server of the conformance API over HTTP in the runtime that runs this file:
//   <runtime> http-server.mjs
// It prints one line {"url": ...} when it listens, on a free port, and ends when its standard input does. There is no choice
// of codec: HTTPServerIO reads the id of each message as SuperJSON.
import process from "node:process"
import { HTTPServerIO, RPCChannel } from "kkrpc/http"
import { makeAPI } from "./api.mjs"

const io = new HTTPServerIO()
const rpc = new RPCChannel(io, { expose: makeAPI(() => rpc.getAPI()) })

/** answer is what the users of HTTPServerIO write around it. */
async function answer(method, body) {
	if (method !== "POST") return { status: 405, text: "Method not allowed" }
	return { status: 200, text: await io.handleRequest(await body()), type: "application/json" }
}

function listening(port) {
	console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/rpc` }))
}

async function fetchHandler(request) {
	const { status, text, type } = await answer(request.method, () => request.text())
	return new Response(text, { status, headers: { "Content-Type": type ?? "text/plain" } })
}

if (globalThis.Deno) {
	Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: (addr) => listening(addr.port) }, fetchHandler)
} else if (globalThis.Bun) {
	listening(Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: fetchHandler }).port)
} else {
	const { createServer } = await import("node:http")
	const { text: read } = await import("node:stream/consumers")
	const server = createServer(async (request, response) => {
		const { status, text, type } = await answer(request.method, () => read(request))
		response.writeHead(status, { "Content-Type": type ?? "text/plain" }).end(text)
	})
	server.listen(0, "127.0.0.1", () => listening(server.address().port))
}

process.stdin.on("end", () => process.exit(0))
process.stdin.resume()
