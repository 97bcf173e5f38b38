import { serve, upgradeWebSocket } from "@hono/node-server"
import { serveStatic } from "@hono/node-server/serve-static"
import { Hono } from "hono"
import { createHonoWebSocketHandler, createWebSocketServer } from "./dist/index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))
app.get("*", serveStatic({ root: new URL("../web/dist", import.meta.url).pathname }))

serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: await createWebSocketServer() }
}, ({ port }) => console.log(`serving http://localhost:${port}/`))
