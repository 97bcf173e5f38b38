import { serveStatic, upgradeWebSocket } from "hono/deno"
import { chatApp, keyFrom, withUser } from "./app.mjs"
import { createHonoWebSocketHandler } from "./dist/index.mjs"

const app = chatApp(keyFrom(Deno.env.toObject()), upgradeWebSocket((c) => createHonoWebSocketHandler(withUser(c))))
app.use("*", serveStatic({ root: Deno.env.get("PAGE") ?? "../web/dist" }))

Deno.serve({
	port: Number(Deno.env.get("PORT") ?? 3000),
	onListen: ({ port }) => console.log(`the chat is open: http://localhost:${port}`)
}, app.fetch)
