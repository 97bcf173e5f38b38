// Runs a Go program built for js/wasm: wasm.mjs WASM_EXEC_JS PROGRAM ARGS...
// With WEBSOCKET=ws, and where there is no other, its WebSocket is that of the package ws.
import { readFile } from "node:fs/promises"
import process from "node:process"
import { pathToFileURL } from "node:url"

const [support, program, ...args] = process.argv.slice(2)
if (process.env.WEBSOCKET === "ws" || !globalThis.WebSocket) {
	globalThis.WebSocket = (await import("ws")).WebSocket
}
await import(pathToFileURL(support).href)

const go = new Go()
go.argv = [program, ...args]
go.env = { TMPDIR: "/tmp" }
const { instance } = await WebAssembly.instantiate(await readFile(program), go.importObject)
await go.run(instance)
process.exit(0)
