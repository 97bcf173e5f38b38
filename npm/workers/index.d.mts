import { DurableObject } from "cloudflare:workers"
import type { Context, Env } from "hono"
import type { WSEvents } from "hono/ws"

/** The types of the Go program. */
export type * from "./api.mjs"

/** What it exposes, for clients: new RPCChannel<{}, API>(io). It is unknown if the source does not tell. */
export type { default as API } from "./api.mjs"

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

/**
 * The class of Durable Objects whose connections meet in one instance of the Go program. Package wasm/durable gives the program
 * the storage and the alarm of the object. A program with durable.Options.Hibernate sleeps while connections are open.
 *
 *     export class Rpc extends GoDurableObject {
 *     	#app = new Hono().get("*", (c) => this.upgrade(c))
 *
 *     	fetch(request) {
 *     		return this.#app.fetch(request, this.env)
 *     	}
 *     }
 *
 * A class that has methods of its own for alarms or sockets calls those of this class too.
 */
export class GoDurableObject<Bindings = unknown> extends DurableObject<Bindings> {
	/**
	 * Answers a request for a WebSocket, whose connection the program serves. The status is 426 for any other request. It is
	 * 431 if the request and its variables are too large for a connection that hibernates.
	 */
	upgrade(c: Context): Promise<Response>
	/** Starts the program now instead of with the first connection. It rejects if the program cannot start. */
	start(): Promise<void>

	alarm(info?: { retryCount: number }): Promise<void>
	webSocketMessage(ws: WebSocket, message: string | ArrayBuffer): void
	webSocketClose(ws: WebSocket, code: number, reason: string, wasClean: boolean): Promise<void>
	webSocketError(ws: WebSocket, error: unknown): Promise<void>
}

/**
 * An instance of the Go program for one Durable Object, which makes it once: all of its connections meet there. It neither
 * hibernates nor has the storage of the object: GoDurableObject does.
 */
export function createInstance(): Instance

/**
 * The request of this context for a Durable Object, with those of its variables that are named. The Go program in the object
 * reads them by wasm.Var. They cross as JSON in request.cf, where no client can write. A variable of the same name that the
 * object's own Hono app sets comes first. It throws a TypeError for a value without JSON, such as a function or a Map.
 */
export function forward<E extends Env>(c: Context<E>, names?: readonly (keyof E["Variables"] & string)[]): Request

/**
 * The events of one connection, for Hono's upgradeWebSocket in a Worker without a Durable Object. Connections that reach
 * the same isolate share an instance of the program; which those are is Cloudflare's choice. Without the context the program
 * refuses the connection, since it cannot tell the origin, unless its wasm.Options.Origins has "*".
 */
export function createHonoWebSocketHandler(c?: Context): Required<WSEvents>
