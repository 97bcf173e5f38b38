import type { Context } from "hono"
import type { WSEvents } from "hono/ws"

/**
 * The events of one connection, for Hono's upgradeWebSocket: the Go program answers them. With the first one the program
 * starts; after a panic that ended it, the next one starts it again.
 *
 * @param c What the program is told of the request, as its wasm.Request: URL, path parameters and header. Without it, the
 *   program cannot refuse the pages of other origins, and the application has to.
 */
export function createHonoWebSocketHandler(c?: Context): Required<WSEvents>

/** Starts the program now instead of with the first connection. It rejects if the program cannot start. */
export function start(): Promise<void>
