import { DurableObject } from "cloudflare:workers"
import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { createInstance } from "./dist/index.mjs"

/** One program, and so one cache, for all connections. */
export class Proxy extends DurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		globalThis.UPSTREAM = env.UPSTREAM // which the Go program reads when it starts
		const { handler } = createInstance()
		this.#app.get("/api", upgradeWebSocket((c) => handler(c)))
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

const app = new Hono()

app.get("/api", (c) => c.env.PROXY.get(c.env.PROXY.idFromName("proxy")).fetch(c.req.raw))

export default app
