// hono-app.mjs as a Worker.
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { honoApp } from "./hono-app.mjs"

export default honoApp(upgradeWebSocket)
