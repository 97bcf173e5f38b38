// A kkrpc 0.2 client that runs the conformance checks in the runtime that runs this file:
//   <runtime> client.mjs URL json|superjson
// It prints one line of JSON per check, {"check","ok","error"?}, then {"passed","failed"}.
import process from "node:process"
import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { clientAPI } from "./api.mjs"
import { checks, run } from "./checks.mjs"

if (!globalThis.WebSocket) {
	// Node 20 has no WebSocket of its own.
	globalThis.WebSocket = (await import("ws")).WebSocket
}

const [url, codec] = process.argv.slice(2)
const version = "0.2.2"
const io = new WebSocketClientIO({ url })
const rpc = new RPCChannel(io, { expose: clientAPI(version), serialization: { version: codec } })

const failed = await run(checks, { api: rpc.getAPI(), codec, version, send: (text) => io.write(text) })
io.destroy()
process.exit(failed === 0 ? 0 : 1)
