// The Go program of this folder as a WebSocket handler for Hono in Bun.
import "./wasm_exec.js"
import { resolve } from "node:path"
import program from "./api.wasm" with { type: "file" } // so that `bun build` takes it along
import { createHost } from "./host.mjs"

// program is an absolute path, or one relative to this file after `bun build`. It is no URL: a folder may be named a#b.
const load = async () => WebAssembly.compile(await Bun.file(resolve(import.meta.dir, program)).arrayBuffer())

const host = createHost(load)

/** @type {typeof import("../index.mjs").createHonoWebSocketHandler} */
export const createHonoWebSocketHandler = host.handler
/** @type {typeof import("../index.mjs").maxMessage} */
export const maxMessage = host.maxMessage
/** @type {typeof import("../index.mjs").start} */
export const start = host.start
