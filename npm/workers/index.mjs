// The Go program of this folder as a WebSocket handler for Hono on Cloudflare Workers.
import program from "./api.wasm"
import "./wasm_exec.js"
import { requestContexts } from "./contexts.mjs"
import { createHost } from "./host.mjs"

const most = 32 << 20 // of a message; workerd closes a connection beyond it

/** An instance of the program for one Durable Object, which makes it once. */
export const createInstance = () => createHost(() => program, { most })

const shared = createHost(() => program, { most, contexts: requestContexts() })

/** For a Worker without a Durable Object: one instance for the sockets that meet in an isolate. */
export function createHonoWebSocketHandler(c) {
	if (globalThis.Cloudflare?.compatibilityFlags?.handle_cross_request_promise_resolution === false) {
		throw new Error("kkrpc: a Worker without a Durable Object needs a compatibility_date of 2024-10-14 or later: "
			+ "before, what one socket sends to another is lost")
	}
	return shared.handler(c)
}
