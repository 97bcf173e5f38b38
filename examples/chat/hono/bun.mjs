import { serveStatic, upgradeWebSocket, websocket } from "hono/bun"
import { chatApp, keyFrom, withUser } from "./app.mjs"
import { createHonoWebSocketHandler, maxMessage } from "./dist/index.mjs"

const app = chatApp(keyFrom(process.env), upgradeWebSocket((c) => createHonoWebSocketHandler(withUser(c))))
app.use("*", serveStatic({ root: process.env.PAGE ?? "../web/dist" }))

const server = Bun.serve({
	port: Number(process.env.PORT ?? 3000),
	fetch: app.fetch,
	websocket: { ...websocket, maxPayloadLength: await maxMessage() }
})
console.log(`the chat is open: http://localhost:${server.port}`)
