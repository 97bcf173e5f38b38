import { Hono } from "hono"
import { serveStatic, upgradeWebSocket } from "hono/deno"
import { createHonoWebSocketHandler } from "./dist/index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))
app.get("*", serveStatic({ root: new URL("../web/dist", import.meta.url).pathname }))

Deno.serve({
	port: Number(Deno.env.get("PORT") ?? 3000),
	onListen: ({ port }) => console.log(`serving http://localhost:${port}/`)
}, app.fetch)
