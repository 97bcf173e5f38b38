// What is behind the bindings of a Worker in tests: the server of a KV namespace, and a service.
import { WorkerEntrypoint } from "cloudflare:workers"

const values = new Map()

/** Speaks what workerd asks the server of a namespace. */
export const Store = {
	async fetch(request) {
		const { pathname } = new URL(request.url)
		if (request.method === "PUT") {
			values.set(pathname, await request.arrayBuffer())
			return new Response()
		}
		const value = values.get(pathname)
		return new Response(value, { status: value === undefined ? 404 : 200 })
	},
}

export class Service extends WorkerEntrypoint {
	fetch(request) {
		return new Response(`fetched ${new URL(request.url).pathname}`)
	}

	user() {
		return { name: "Ada", since: new Date(0) }
	}

	nothing() {}

	large() {
		return "x".repeat(999)
	}

	map() {
		return new Map()
	}

	fails() {
		throw new RangeError("too far")
	}

	later() {
		return new Promise((resolve) => setTimeout(resolve, 60_000))
	}
}
