import { readFileSync } from "node:fs"
import process from "node:process"

/** tls is {cert, key} if TLS_CERT and TLS_KEY name files, else undefined. */
export const tls = process.env.TLS_CERT
	? { cert: readFileSync(process.env.TLS_CERT, "utf8"), key: readFileSync(process.env.TLS_KEY, "utf8") }
	: undefined

/**
 * ready tells the parent where the server listens, and ends this process when the parent has gone. On Bun, a line "collect"
 * from the parent has it collect its garbage.
 */
export function ready(port) {
	console.log(JSON.stringify({ addr: `127.0.0.1:${port}` }))
	process.stdin.on("end", () => process.exit(0))
	process.stdin.on("data", (text) => {
		if (String(text) !== "collect\n" || !globalThis.Bun) return
		Bun.gc(true)
		console.log(JSON.stringify({ collected: true }))
	})
}

/** accept serves WebSockets at /ws: onSocket gets each as an object with send, close and slots for onmessage and onclose. */
export async function accept(onSocket) {
	if (globalThis.Bun) {
		const server = Bun.serve({
			hostname: "127.0.0.1",
			port: 0,
			tls,
			fetch: (request, server) => (server.upgrade(request, { data: {} }) ? undefined : new Response("upgrade", { status: 426 })),
			websocket: {
				// kkrpc wants a socket with slots for handlers; Bun hands events to the server.
				open: (ws) => {
					ws.data.socket = { send: (text) => ws.send(text), close: () => ws.close() }
					onSocket(ws.data.socket)
				},
				message: (ws, data) => ws.data.socket.onmessage?.({ data }),
				close: (ws, code, reason) => ws.data.socket.onclose?.({ code, reason }),
			},
		})
		ready(server.port)
		return
	}
	const [{ WebSocketServer }, { createServer }] = await Promise.all([import("ws"), import(tls ? "node:https" : "node:http")])
	const http = createServer({ ...tls })
	new WebSocketServer({ server: http }).on("connection", onSocket)
	http.listen(0, "127.0.0.1", () => ready(http.address().port))
}
