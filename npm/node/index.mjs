// The Go program of this folder as a WebSocket handler for Hono in Node.js, and a server of package ws for its sockets.
import "./wasm_exec.js"
import { readFile } from "node:fs/promises"
import { createHost } from "./host.mjs"

const load = async () =>
	WebAssembly.compile(/** @type {Uint8Array<ArrayBuffer>} */ (await readFile(new URL("./api.wasm", import.meta.url))))

const host = createHost(load)

/** @type {typeof import("./index.mjs").createHonoWebSocketHandler} */
export const createHonoWebSocketHandler = host.handler
/** @type {typeof import("./index.mjs").maxMessage} */
export const maxMessage = host.maxMessage
/** @type {typeof import("./index.mjs").start} */
export const start = host.start

/** @type {typeof import("./index.mjs").createWebSocketServer} */
export async function createWebSocketServer({ pingInterval = 30_000, ...options } = {}) {
	const { WebSocketServer } = await import("ws") // a program that has its own server needs no package
	const server = new WebSocketServer({ maxPayload: await maxMessage(), ...options, noServer: true })
	if (!(pingInterval > 0)) return server
	/** @type {Map<import("ws").WebSocket, boolean>} */
	const answered = new Map() // since the last ping; server.clients is undefined with clientTracking: false
	server.on("connection", (ws) => {
		answered.set(ws, true)
		ws.on("pong", () => answered.set(ws, true))
		ws.on("close", () => answered.delete(ws))
	})
	const pings = setInterval(() => {
		for (const [ws, did] of answered) {
			answered.set(ws, false)
			if (did) ws.ping()
			else ws.terminate()
		}
	}, pingInterval)
	pings.unref()
	server.on("close", () => clearInterval(pings))
	return server
}
