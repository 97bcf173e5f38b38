import { Hono } from "hono"
import { upgradeWebSocket, websocket } from "hono/bun"
import { createHonoWebSocketHandler } from "./dist/index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => {
	return createHonoWebSocketHandler(c)
}))

const server = Bun.serve({
	port: process.env.PORT ?? 3000,
	fetch: app.fetch,
	websocket
})

console.log(`serving ws://localhost:${server.port}/ws`)
