import { Hono } from "hono"
import { forward, GoDurableObject } from "./index.mjs"

/** All connections of one object meet in one instance of the Go program. */
export class Rpc extends GoDurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		this.#app.get("*", (c) => this.upgrade(c))
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

const app = new Hono()

app.get("/ws", (c) => c.env.RPC.get(c.env.RPC.idFromName("rpc")).fetch(forward(c)))

export default app
