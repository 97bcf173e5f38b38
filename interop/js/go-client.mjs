// A kkrpc client over npm/client that runs the conformance checks in the runtime that runs this file:
//   <runtime> go-client.mjs URL json|superjson [0.2.2|2.1.0 [base|streaming|remote-refs]]
// It prints what client.mjs prints. CUT=1 says that the connections are cut.
import process from "node:process"
import { checkout } from "./checkout.mjs"
import { overGoClient } from "./over-go-client.mjs"
import { runClient } from "./run-client.mjs"

if (!globalThis.WebSocket) {
	// Node 20 has no WebSocket of its own.
	globalThis.WebSocket = (await import("ws")).WebSocket
}

const [url, codec, version = "0.2.2", channel = "base"] = process.argv.slice(2)
const kkrpc = overGoClient(await load(), codec)
const failed = await runClient(kkrpc, { url, codec, version, channel, cut: process.env.CUT }, console.log)
process.exit(failed === 0 ? 0 : 1)

/** load returns the version's RPCChannel and what checks need besides. */
async function load() {
	if (version === "0.2.2") return import("kkrpc")
	const source = checkout(version)
	const entries = [{ base: "mod", streaming: "streaming", "remote-refs": "remote-refs" }[channel], "mod", "superjson"]
	const [{ RPCChannel, proxy, releaseProxy }, { withCallOptions }, { superJsonCodec }] = await Promise.all(
		entries.map((name) => source(`src/entries/${name}.ts`))
	)
	return { RPCChannel, proxy, releaseProxy, withCallOptions, superJsonCodec }
}
