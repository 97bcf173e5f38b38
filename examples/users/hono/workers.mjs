import { DurableObject } from "cloudflare:workers"
import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { createInstance } from "./dist/index.mjs"

/** The users: one object, with one instance of the Go program, for all pages. */
export class Users extends DurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		const { handler } = createInstance()
		this.#app.get("/ws", upgradeWebSocket((c) => handler(c)))
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

const app = new Hono()

app.get("/ws", (c) => c.env.USERS.get(c.env.USERS.idFromName("users")).fetch(c.req.raw))

export default app // other paths are the files of web/dist, see wrangler.jsonc
