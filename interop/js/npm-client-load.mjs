// Every kkrpc that npm/client is for, over its connections, for scripts.
import { checkout } from "./checkout.mjs"
import { minimalOverNpmClient, overNpmClient } from "./over-npm-client.mjs"

if (!globalThis.WebSocket) {
	// Node 20 has no WebSocket of its own.
	globalThis.WebSocket = (await import("ws")).WebSocket
}

/** loadKkrpc returns a version's RPCChannel and what checks need besides. */
export async function loadKkrpc(version, channel = "base") {
	if (version === "0.2.2") return import("kkrpc")
	const source = checkout(version)
	const entries = [{ base: "mod", streaming: "streaming", "remote-refs": "remote-refs" }[channel], "mod", "superjson"]
	const [{ RPCChannel, proxy, releaseProxy }, { withCallOptions }, { superJsonCodec }] = await Promise.all(
		entries.map((name) => source(`src/entries/${name}.ts`))
	)
	return { RPCChannel, proxy, releaseProxy, withCallOptions, superJsonCodec }
}

/** loadOverNpmClient is load of peer.mjs with the connections of npm/client. */
export const loadOverNpmClient = async (version, channel, codec) =>
	version === "compact" ? minimalOverNpmClient(codec) : overNpmClient(await loadKkrpc(version, channel), codec)
