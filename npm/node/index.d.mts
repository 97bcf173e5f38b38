import type { Context } from "hono"
import type { WSEvents } from "hono/ws"
import type { ServerOptions, WebSocketServer } from "ws"

/** The types of the Go program. */
export type * from "./api.mjs"

/** What it exposes, for clients: new RPCChannel<{}, API>(io). It is unknown if the source does not tell. */
export type { default as API } from "./api.mjs"

/**
 * The events of one connection, for Hono's upgradeWebSocket: the Go program answers them. With the first one the program
 * starts; after a panic that ended it, the next one starts it again.
 *
 * @param c What the program is told of the request, as its wasm.Request: URL, path parameters and header. Without it the
 *   program refuses the connection, since it cannot tell the origin, unless its wasm.Options.Origins has "*".
 */
export function createHonoWebSocketHandler(c?: Context): Required<WSEvents>

/**
 * Starts the program, and resolves to the size in bytes of the largest message that it takes, its Limits.Frame. This is
 * for the server's own limit. It rejects if the program cannot start.
 */
export function maxMessage(): Promise<number>

/** Starts the program now instead of with the first connection. It rejects if the program cannot start. */
export function start(): Promise<void>

/**
 * Makes a server of package ws for `serve({ websocket: { server } })` of @hono/node-server. It takes messages of up to
 * maxMessage(), where package ws would read 100 MiB. It pings each connection, and ends those that have not answered the ping
 * before: a peer that has lost its network sends no close frame. It starts the program, and rejects if that cannot start.
 *
 * @param options Options of package ws. pingInterval is the time between pings in milliseconds; the default is 30,000, and 0
 *   sends none.
 */
export function createWebSocketServer(options?: Omit<ServerOptions, "noServer"> & { pingInterval?: number }): Promise<WebSocketServer>
