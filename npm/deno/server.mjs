import { Hono } from "hono"
import { upgradeWebSocket } from "hono/deno"
import { createHonoWebSocketHandler } from "./index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

Deno.serve({
	port: Number(Deno.env.get("PORT") ?? 3000),
	onListen: ({ port }) => console.log(`serving ws://localhost:${port}/ws`),
}, app.fetch)
