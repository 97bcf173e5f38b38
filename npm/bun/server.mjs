import { Hono } from "hono"
import { upgradeWebSocket, websocket } from "hono/bun"
import { createHonoWebSocketHandler, maxMessage } from "./index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

const server = Bun.serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { ...websocket, maxPayloadLength: await maxMessage() }, // 16 MiB otherwise
})

console.log(`serving ws://localhost:${server.port}/ws`)
