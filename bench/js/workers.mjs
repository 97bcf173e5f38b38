import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"

/** worker returns a Worker that serves the handler's events at /ws. */
export function worker(handler) {
	const app = new Hono()
	app.get("/ws", upgradeWebSocket(handler))
	return app
}
