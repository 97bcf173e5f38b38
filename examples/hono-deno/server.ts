import { Hono } from "hono"
import { cors } from "hono/cors"
import { upgradeWebSocket } from "hono/deno"
import { logger } from "hono/logger"
import { createHonoWebSocketHandler } from "./dist/index.mjs"

const app = new Hono()

// Add middleware
app.use("*", cors())
app.use("*", logger())

app.get("/ws", upgradeWebSocket((c) => {
	return createHonoWebSocketHandler(c)
}))

Deno.serve({
	port: Number(Deno.env.get("PORT") ?? 3000),
	onListen: ({ port }) => console.log(`serving ws://localhost:${port}/ws`)
}, app.fetch)
