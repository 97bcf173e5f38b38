// hono-app.mjs in the runtime that runs this file:
//   <runtime> hono-server.mjs
// It prints one line {"url": ...} when it listens, on a free port, and ends when its standard input does.
import process from "node:process"
import { honoApp } from "./hono-app.mjs"

const hostname = "127.0.0.1"
const listening = ({ port }) => console.log(JSON.stringify({ url: `ws://${hostname}:${port}` }))

if (globalThis.Deno) {
	const { upgradeWebSocket } = await import("hono/deno")
	Deno.serve({ hostname, port: 0, onListen: listening }, honoApp(upgradeWebSocket).fetch)
} else if (globalThis.Bun) {
	const { upgradeWebSocket, websocket } = await import("hono/bun")
	listening(Bun.serve({ hostname, port: 0, fetch: honoApp(upgradeWebSocket).fetch, websocket }))
} else {
	const { serve, upgradeWebSocket } = await import("@hono/node-server")
	const { WebSocketServer } = await import("ws")
	serve({ hostname, port: 0, fetch: honoApp(upgradeWebSocket).fetch, websocket: { server: new WebSocketServer({ noServer: true }) } }, listening)
}

process.stdin.on("end", () => process.exit(0))
process.stdin.resume()
