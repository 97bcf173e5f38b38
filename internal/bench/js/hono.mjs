// A server with kkrpc 2, from the checkout that KKRPC_V2 names, in its handler for Hono, on Bun, Node or Deno:
//   <runtime> hono.mjs
import process from "node:process"
import { pathToFileURL } from "node:url"
import { Hono } from "hono"
import { makeAPI } from "./api.mjs"
import { ready, tls } from "./listen.mjs"

const { createHonoWebSocketHandler } = await import(
	pathToFileURL(`${process.env.KKRPC_V2}/packages/kkrpc/src/entries/ws-hono.ts`).href
)
const app = new Hono()
const expose = makeAPI()
const route = (upgradeWebSocket) => app.get("/ws", upgradeWebSocket(() => createHonoWebSocketHandler({ expose })))

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
		import(tls ? "node:https" : "node:http")
	])
	route(upgradeWebSocket)
	serve(
		{
			fetch: app.fetch,
			hostname: "127.0.0.1",
			port: 0,
			createServer,
			serverOptions: tls ?? {},
			websocket: { server: new WebSocketServer({ noServer: true }) }
		},
		({ port }) => ready(port)
	)
}
