import { serve, upgradeWebSocket } from "@hono/node-server"
import { serveStatic } from "@hono/node-server/serve-static"
import { chatApp, keyFrom, withUser } from "./app.mjs"
import { createHonoWebSocketHandler, createWebSocketServer } from "./dist/index.mjs"

const app = chatApp(keyFrom(process.env), upgradeWebSocket((c) => createHonoWebSocketHandler(withUser(c))))
app.use("*", serveStatic({ root: process.env.PAGE ?? "../web/dist" }))

serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { server: await createWebSocketServer() }
}, ({ port }) => console.log(`the chat is open: http://localhost:${port}`))
