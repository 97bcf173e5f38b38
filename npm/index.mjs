// The Go program of this folder as a WebSocket handler for Hono in Bun, Deno and Node.js.
import "./wasm_exec.js"
import { readFile } from "node:fs/promises"
import { createHost } from "./host.mjs"

const host = createHost(async () => WebAssembly.compile(await readFile(new URL("./api.wasm", import.meta.url))))

export const createHonoWebSocketHandler = host.handler
export const start = host.start
