// The Go program of this folder as a WebSocket handler for Hono in Deno.
import "./wasm_exec.js"
import { readFile } from "node:fs/promises"
import { createHost } from "./host.mjs"

const load = async () =>
	WebAssembly.compile(/** @type {Uint8Array<ArrayBuffer>} */ (await readFile(new URL("./api.wasm", import.meta.url))))

const host = createHost(load, { most: (64 << 20) - 1 }) // Deno ends a connection with a larger frame

/** @type {typeof import("../index.mjs").createHonoWebSocketHandler} */
export const createHonoWebSocketHandler = host.handler
/** @type {typeof import("../index.mjs").maxMessage} */
export const maxMessage = host.maxMessage
/** @type {typeof import("../index.mjs").start} */
export const start = host.start
