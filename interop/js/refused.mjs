// Clients that a server refuses: <runtime> refused.mjs URL
// It prints what each of them learns: a WebSocket, that of kkrpc 0.2.2, and npm/client without and with a session.
import process from "node:process"
import { connect } from "../../npm/client/index.js"
import { loadKkrpc } from "./npm-client-load.mjs"

const url = process.argv[2]
const Socket = globalThis.WebSocket ?? (await import("ws")).WebSocket

const ended = (socket) =>
	new Promise((resolve) => {
		socket.addEventListener("error", () => {}) // package ws would throw it
		socket.addEventListener("close", ({ code, reason }) => resolve(`${code || 1006} ${reason}`.trim())) // Deno says 0
	})
console.log("WebSocket:", await ended(new Socket(url)))

const { RPCChannel, WebSocketClientIO } = await loadKkrpc("0.2.2")
const seen = new Promise((resolve) => {
	globalThis.WebSocket = class extends Socket {
		constructor(...args) {
			super(...args)
			resolve(ended(this))
		}
	}
})
new RPCChannel(new WebSocketClientIO({ url }), {})
console.log("kkrpc:", await seen)

for (const session of [false, true]) {
	const connection = connect(url, { session, WebSocket: Socket, backoff: { min: 1 } })
	const state = await new Promise((resolve) => connection.onState((state) => state.reason && resolve(state)))
	console.log(`session ${session}:`, state.phase, state.reason.code, state.reason.message)
	connection.close()
}
process.exit(0)
