import { serve, upgradeWebSocket } from "@hono/node-server"
import { Hono } from "hono"
import { createHonoWebSocketHandler, createWebSocketServer } from "./dist/index.mjs"

const app = new Hono()

app.get("/chat/:room", upgradeWebSocket((ctx) => {
	return createHonoWebSocketHandler(ctx)
}))

serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: await createWebSocketServer() }
}, ({ port }) => console.log(`serving ws://localhost:${port}/chat/:room`))
