import { serve, upgradeWebSocket } from "@hono/node-server"
import { Hono } from "hono"
import { WebSocketServer } from "ws"
import { createHonoWebSocketHandler, maxMessage } from "./index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

const sockets = new WebSocketServer({ noServer: true, maxPayload: await maxMessage() }) // 100 MiB otherwise

// Ends the connections whose peers have not answered the ping before. Package ws sends none by itself.
const answered = new WeakSet()
sockets.on("connection", (ws) => {
	answered.add(ws)
	ws.on("pong", () => answered.add(ws))
})
setInterval(() => {
	for (const ws of sockets.clients) {
		if (answered.delete(ws)) ws.ping()
		else ws.terminate()
	}
}, 30_000).unref() // milliseconds

serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: sockets },
}, ({ port }) => console.log(`serving ws://localhost:${port}/ws`))
