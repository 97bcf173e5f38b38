import { serve, upgradeWebSocket } from "@hono/node-server"
import { Hono } from "hono"
import { WebSocketServer } from "ws"
import { createHonoWebSocketHandler, maxMessage } from "./index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: new WebSocketServer({ noServer: true, maxPayload: await maxMessage() }) }, // 100 MiB otherwise
}, ({ port }) => console.log(`serving ws://localhost:${port}/ws`))
