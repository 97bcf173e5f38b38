// A server with a handler for Hono on Bun, Node or Deno: kkrpc's, from the checkout that KKRPC_V07 or KKRPC_V2 names, or
// that of the Go program in the folder GO_IN_HONO, which `kkrpc build hono` has made:
//   <runtime> hono.mjs 0.7|2|go json|superjson
// The handler of kkrpc 2 knows JSON alone; that of Go finds out.
import process from "node:process"
import { pathToFileURL } from "node:url"
import { Hono } from "hono"
import { makeAPI } from "./api.mjs"
import { ready, tls } from "./listen.mjs"

const [version, codec] = process.argv.slice(2)
const handlers = {
	0.7: `${process.env.KKRPC_V07}/packages/kkrpc/src/adapters/hono-websocket.ts`,
	2: `${process.env.KKRPC_V2}/packages/kkrpc/src/entries/ws-hono.ts`,
	go: `${process.env.GO_IN_HONO}/index.mjs`,
}
const { createHonoWebSocketHandler } = await import(pathToFileURL(handlers[version]).href)
const app = new Hono()
const options = { expose: makeAPI(), ...(version === "0.7" && { serialization: { version: codec } }) }
const handler = version === "go" ? createHonoWebSocketHandler : () => createHonoWebSocketHandler(options)
const route = (upgradeWebSocket) => app.get("/ws", upgradeWebSocket(handler))

if (globalThis.Deno) {
	const { upgradeWebSocket } = await import("hono/deno")
	route(upgradeWebSocket)
	Deno.serve({ hostname: "127.0.0.1", port: 0, ...tls, onListen: ({ port }) => ready(port) }, app.fetch)
} else if (globalThis.Bun) {
	const { upgradeWebSocket, websocket } = await import("hono/bun")
	route(upgradeWebSocket)
	ready(Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: app.fetch, websocket }).port)
} else {
	const [{ serve, upgradeWebSocket }, { WebSocketServer }, { createServer }] = await Promise.all([
		import("@hono/node-server"),
		import("ws"),
		import(tls ? "node:https" : "node:http"),
	])
	route(upgradeWebSocket)
	serve(
		{
			fetch: app.fetch,
			hostname: "127.0.0.1",
			port: 0,
			createServer,
			serverOptions: tls ?? {},
			websocket: { server: new WebSocketServer({ noServer: true }) },
		},
		({ port }) => ready(port),
	)
}
