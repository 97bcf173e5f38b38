import { serve, upgradeWebSocket } from "@hono/node-server"
import { Hono } from "hono"
import { createHonoWebSocketHandler, createWebSocketServer } from "./index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: await createWebSocketServer() },
}, ({ port }) => console.log(`serving ws://localhost:${port}/ws`))
