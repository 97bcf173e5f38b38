import { serve, upgradeWebSocket } from "@hono/node-server"
import { Hono } from "hono"
import { WebSocketServer } from "ws"
import { createHonoWebSocketHandler } from "./index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

// maxPayload is the largest message in bytes: ws takes 100 MiB otherwise, and Go, by Limits.Frame, 4 MiB.
serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: new WebSocketServer({ noServer: true, maxPayload: 4 << 20 }) },
}, ({ port }) => console.log(`serving ws://localhost:${port}/ws`))
