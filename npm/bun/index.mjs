// The Go program of this folder as a WebSocket handler for Hono in Bun.
import "./wasm_exec.js"
import program from "./api.wasm" with { type: "file" } // so that `bun build` takes it along
import { createHost } from "./host.mjs"

const host = createHost(async () => WebAssembly.compile(await Bun.file(new URL(program, import.meta.url)).arrayBuffer()))

export const createHonoWebSocketHandler = host.handler
export const maxMessage = host.maxMessage
export const start = host.start
