import { Hono } from "hono"
import { serveStatic, upgradeWebSocket, websocket } from "hono/bun"
import { createHonoWebSocketHandler } from "./dist/index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))
app.get("*", serveStatic({ root: new URL("../web/dist", import.meta.url).pathname }))

const server = Bun.serve({ port: Number(process.env.PORT ?? 3000), fetch: app.fetch, websocket })

console.log(`serving http://localhost:${server.port}/`)
