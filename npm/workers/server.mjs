import { DurableObject } from "cloudflare:workers"
import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { createInstance, forward } from "./index.mjs"

/** All connections of one object meet in one instance of the Go program. */
export class Rpc extends DurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		const { handler } = createInstance()
		this.#app.get("*", upgradeWebSocket((c) => handler(c)))
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

const app = new Hono()

app.get("/ws", (c) => c.env.RPC.get(c.env.RPC.idFromName("rpc")).fetch(forward(c)))

export default app
