// Every kkrpc that npm/client is for, over its connections, for scripts.
import { checkout } from "./checkout.mjs"
import { overNpmClient } from "./over-npm-client.mjs"

if (!globalThis.WebSocket) {
	// Node 20 has no WebSocket of its own.
	globalThis.WebSocket = (await import("ws")).WebSocket
}

/** loadOverNpmClient is load of peer.mjs with the connections of npm/client. */
export async function loadOverNpmClient(version, channel, codec) {
	if (version === "0.2.2") return overNpmClient(await import("kkrpc"), codec)
	const source = checkout(version)
	const entries = [{ base: "mod", streaming: "streaming", "remote-refs": "remote-refs" }[channel], "mod", "superjson"]
	const [{ RPCChannel, proxy, releaseProxy }, { withCallOptions }, { superJsonCodec }] = await Promise.all(
		entries.map((name) => source(`src/entries/${name}.ts`))
	)
	return overNpmClient({ RPCChannel, proxy, releaseProxy, withCallOptions, superJsonCodec }, codec)
}
