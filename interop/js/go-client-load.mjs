// Every kkrpc that npm/client is for, over its connections, for scripts.
import { checkout } from "./checkout.mjs"
import { overGoClient } from "./over-go-client.mjs"

if (!globalThis.WebSocket) {
	// Node 20 has no WebSocket of its own.
	globalThis.WebSocket = (await import("ws")).WebSocket
}

/** loadOverGoClient is load of peer.mjs with the connections of npm/client. */
export async function loadOverGoClient(version, channel, codec) {
	if (version === "0.2.2") return overGoClient(await import("kkrpc"), codec)
	const source = checkout(version)
	const entries = [{ base: "mod", streaming: "streaming", "remote-refs": "remote-refs" }[channel], "mod", "superjson"]
	const [{ RPCChannel, proxy, releaseProxy }, { withCallOptions }, { superJsonCodec }] = await Promise.all(
		entries.map((name) => source(`src/entries/${name}.ts`))
	)
	return overGoClient({ RPCChannel, proxy, releaseProxy, withCallOptions, superJsonCodec }, codec)
}
