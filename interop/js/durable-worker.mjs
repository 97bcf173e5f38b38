// Rooms of the Go program beside this file, each a Durable Object.
import unsafe from "workerd:unsafe"
import { Hono } from "hono"
import { forward, GoDurableObject } from "./index.mjs"

export class Room extends GoDurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		this.#app.use(async (c, next) => {
			c.set("inside", { set: "in the object" })
			c.set("timer", { now: () => Date.now() })
			await next()
		})
		this.#app.get("/ws/:room", (c) => this.upgrade(c))
		this.#app.get("/read/:room/:key", async (c) => c.json(await ctx.storage.get(c.req.param("key"))))
		this.#app.get("/spoil/:room", (c) => {
			for (const ws of ctx.getWebSockets()) ws.serializeAttachment("spoiled")
			return c.text("spoiled")
		})
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

const app = new Hono()

// Has workerd take an object out of memory, as it does by itself after ten seconds without events.
app.get("/evict/:room", async (c) => {
	const rooms = c.env.ROOM
	await unsafe.evict(rooms.get(rooms.idFromName(c.req.param("room"))), { webSockets: c.req.query("sockets") ?? "hibernate" })
	return c.text("evicted")
})

for (const path of ["/read/:room/:key", "/spoil/:room"]) {
	app.get(path, (c) => c.env.ROOM.get(c.env.ROOM.idFromName(c.req.param("room"))).fetch(c.req.raw))
}

app.get("/ws/:room", async (c) => {
	c.set("user", { name: c.req.query("user") })
	c.set("huge", "x".repeat(Number(c.req.query("huge") ?? 0)))
	const rooms = c.env.ROOM
	return rooms.get(rooms.idFromName(c.req.param("room"))).fetch(forward(c, ["user", "huge"]))
})

export default app
