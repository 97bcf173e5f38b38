// Runs a Go program by the installed package: inside.mjs FOLDER, which has api.wasm and wasm_exec.js
import { readFile } from "node:fs/promises"
import { pathToFileURL } from "node:url"
import { createHost } from "kkrpc-go-hono/host.mjs"

const folder = pathToFileURL(`${process.argv[2]}/`)
await import(new URL("wasm_exec.js", folder))
const host = createHost(async () => WebAssembly.compile(await readFile(new URL("api.wasm", folder))))
await host.start()

const answer = await new Promise((resolve) => {
	const socket = { readyState: 1, send: resolve, close: (code, reason) => resolve(`closed by ${code} ${reason}`) }
	const events = host.handler()
	events.onOpen({}, socket)
	const call = { id: "1", method: "greet", args: ["inside"], type: "request", version: "json" }
	events.onMessage({ data: `${JSON.stringify(call)}\n` }, socket)
})
console.log(JSON.parse(answer).args.result) // Hello, inside!
process.exit()
