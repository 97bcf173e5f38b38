import { serve, upgradeWebSocket } from "@hono/node-server"
import { Hono } from "hono"
import { createHonoWebSocketHandler, createWebSocketServer } from "./dist/index.mjs"

globalThis.UPSTREAM = process.env.UPSTREAM // which the Go program reads when it starts

const app = new Hono()

app.get("/api", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: await createWebSocketServer() },
}, ({ port }) => console.log(`serving ws://localhost:${port}/api`))
