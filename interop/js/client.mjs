// A kkrpc client that runs the conformance checks in the runtime that runs this file:
//   <runtime> client.mjs URL json|superjson [0.2.2|0.7.0|2.1.0|compact [base|streaming|remote-refs]]
// It prints one line of JSON per check, {"check","ok","error"?}, then {"passed","failed","runtime"}.
import process from "node:process"
import { load } from "./peer.mjs"
import { runClient } from "./run-client.mjs"

if (!globalThis.WebSocket) {
	// Node 20 has no WebSocket of its own.
	globalThis.WebSocket = (await import("ws")).WebSocket
}

const [url, codec, version = "0.2.2", channel = "base"] = process.argv.slice(2)
const kkrpc = await load(version, channel, codec)
const failed = await runClient(kkrpc, { url, codec, version, channel }, console.log)
process.exit(failed === 0 ? 0 : 1)
