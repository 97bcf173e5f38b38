import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { createHonoWebSocketHandler } from "./index.mjs"

const app = new Hono()

app.get("/ws", upgradeWebSocket((c) => createHonoWebSocketHandler(c)))

export default app
