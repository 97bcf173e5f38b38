import { Hono } from "hono"
import { upgradeWebSocket } from "hono/deno"
import { createHonoWebSocketHandler } from "./dist/index.mjs"

globalThis.UPSTREAM = Deno.env.get("UPSTREAM") // which the Go program reads when it starts

const app = new Hono()

app.get("/api", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

Deno.serve({
	port: Number(Deno.env.get("PORT") ?? 3000),
	onListen: ({ port }) => console.log(`serving ws://localhost:${port}/api`),
}, app.fetch)
