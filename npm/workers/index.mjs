// The Go program of this folder as a WebSocket handler for Hono on Cloudflare Workers.
import program from "./api.wasm"
import "./wasm_exec.js"
import { requestContexts } from "./contexts.mjs"
import { createHost } from "./host.mjs"
import { durableObjectOf } from "./object.mjs"
import { bindings, toJSON } from "./values.mjs"

/** @typedef {import("hono").Context} Context */

const most = 32 << 20 // of a message; workerd closes a connection beyond it

/** @param {Context} c */
const passed = (c) => /** @type {Record<string, string> | undefined} */ (c.req.raw.cf?.[CF])

/**
 * An instance of the program for one Durable Object, which makes it once.
 *
 * @returns {import("./index.mjs").Instance}
 */
export const createInstance = () => createHost(() => program, { most, environment: bindings, passed })

export const GoDurableObject = durableObjectOf(() => program, { most, environment: bindings, passed })

const shared = createHost(() => program, { most, environment: bindings, contexts: requestContexts() })

// A member of request.cf. Only Workers and Cloudflare itself write there: unlike a header, no client can.
const CF = "kkrpcVariables"

/**
 * The request for a Durable Object, with variables of this context that its program may read by wasm.Var.
 *
 * @param {Context} c
 * @param {readonly string[]} names
 */
export function forward(c, names = []) {
	/** @type {Record<string, string>} */
	const variables = {}
	for (const name of names) {
		try {
			const text = toJSON(c.get(name))
			if (text !== undefined) variables[name] = text
		} catch (/** @type {any} */ error) {
			throw new TypeError(`kkrpc: variable ${JSON.stringify(name)}: ${error.message}`, { cause: error })
		}
	}
	return new Request(c.req.raw, { cf: { ...c.req.raw.cf, [CF]: variables } })
}

/**
 * For a Worker without a Durable Object: one instance for the sockets that meet in an isolate.
 *
 * @param {Context} [c]
 */
export function createHonoWebSocketHandler(c) {
	if (globalThis.Cloudflare?.compatibilityFlags?.handle_cross_request_promise_resolution === false) {
		throw new Error(
			"kkrpc: a Worker without a Durable Object needs a compatibility_date of 2024-10-14 or later: " +
				"before, what one socket sends to another is lost",
		)
	}
	return shared.handler(c)
}
