// What a server in TypeScript does with a bundle, for the compiler to check.
import { upgradeWebSocket as inNode } from "@hono/node-server"
import { type Context, Hono } from "hono"
import { upgradeWebSocket as inBun } from "hono/bun"
import { upgradeWebSocket as onWorkers } from "hono/cloudflare-workers"
import { upgradeWebSocket as inDeno } from "hono/deno"
import type { WSEvents } from "hono/ws"
import { createHonoWebSocketHandler } from "./index.mjs"

const app = new Hono<{ Bindings: { secret: string }; Variables: { user: string } }>()

app.get("/node", inNode((c) => createHonoWebSocketHandler(c)))
app.get("/bun", inBun((c) => createHonoWebSocketHandler(c)))
app.get("/deno", inDeno((c) => createHonoWebSocketHandler(c)))
app.get("/workers", onWorkers((c) => createHonoWebSocketHandler(c)))
app.get("/chat/:room", inNode(() => createHonoWebSocketHandler()))
app.get("/own/:room", (c) => inNode(c, createHonoWebSocketHandler(c)))
app.get("/more", inBun((c: Context) => {
	const events: Required<WSEvents> = createHonoWebSocketHandler(c)
	return {
		...events,
		onOpen(event, ws) {
			console.log(ws.url)
			events.onOpen(event, ws)
		},
	}
}))

// @ts-expect-error What is exposed is in the Go program.
createHonoWebSocketHandler({ expose: {} })
