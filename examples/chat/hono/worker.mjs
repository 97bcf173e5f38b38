import { DurableObject } from "cloudflare:workers"
import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { chatApp } from "./app.mjs"
import { createInstance } from "./dist/index.mjs"

/** A room: an object of its own, with an instance of the Go program. Its messages are gone when Cloudflare ends the object. */
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

/** Passes a connection to its room. Only this Worker reaches the object, so that the object is sure of the header. */
function connect(c) {
	const request = new Request(c.req.raw)
	request.headers.set("x-user", c.get("user"))
	const rooms = c.env.ROOM
	return rooms.get(rooms.idFromName(c.req.param("room"))).fetch(request)
}

export default {
	fetch(request, env, ctx) {
		if (!env.CHAT_KEY) return new Response("set the secret CHAT_KEY, see wrangler.jsonc", { status: 500 })
		const app = chatApp(env.CHAT_KEY, connect)
		app.get("*", async (c) => {
			const file = await c.env.ASSETS.fetch(c.req.raw) // of the page
			return new Response(file.body, file) // whose headers can be set
		})
		return app.fetch(request, env, ctx)
	}
}
