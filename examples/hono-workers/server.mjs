import { Hono } from "hono"
import { forward, GoDurableObject } from "./dist/index.mjs"

/** A chat room: an object of its own, with an instance of the Go program. It sleeps while nobody says anything. */
export class Room extends GoDurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		this.#app.get("/chat/:room", (c) => this.upgrade(c))
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

const app = new Hono()

app.get("/chat/:room", (c) => {
	const rooms = c.env.ROOM
	return rooms.get(rooms.idFromName(c.req.param("room"))).fetch(forward(c))
})

export default app
