import { DurableObject } from "cloudflare:workers"
import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { createInstance } from "./dist/index.mjs"

/** A chat room: an object of its own, with an instance of the Go program. */
export class Room extends DurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		const { handler } = createInstance()
		this.#app.get("/chat/:room", upgradeWebSocket((c) => handler(c)))
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

const app = new Hono()

app.get("/chat/:room", (c) => {
	const rooms = c.env.ROOM
	return rooms.get(rooms.idFromName(c.req.param("room"))).fetch(c.req.raw)
})

export default app
