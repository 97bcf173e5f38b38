import type { Context } from "hono"
import type { WSEvents } from "hono/ws"

/** What answers the connections of one Durable Object. */
export interface Instance {
	/**
	 * The events of one connection, for Hono's upgradeWebSocket. Without the context the program refuses the connection, since
	 * it cannot tell the origin, unless its wasm.Options.Origins has "*".
	 */
	handler(c?: Context): Required<WSEvents>
	/** Starts the program now instead of with the first message. It rejects if the program cannot start. */
	start(): Promise<void>
}

/** An instance of the Go program for one Durable Object, which makes it once: all of its connections meet there. */
export function createInstance(): Instance

/**
 * The events of one connection, for Hono's upgradeWebSocket in a Worker without a Durable Object. Connections that reach
 * the same isolate share an instance of the program; which those are is Cloudflare's choice. Without the context the program
 * refuses the connection, since it cannot tell the origin, unless its wasm.Options.Origins has "*".
 */
export function createHonoWebSocketHandler(c?: Context): Required<WSEvents>
