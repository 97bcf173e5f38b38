// The clients that a bundler can put into one file, for a Worker and for a page: kkrpc 0.2, over its own connection or that
// of npm/client, and the minimal peer.
import * as kkrpc from "kkrpc"
import { classic } from "./classic.mjs"
import { compact } from "./compact-sockets.mjs"
import { overNpmClient } from "./over-npm-client.mjs"
import { runClient } from "./run-client.mjs"

/**
 * runBundled runs the checks with version "0.2.2" or "compact", and resolves to what client.mjs prints. With over
 * "npm/client", 0.2.2 has its connections. cut says that they are cut.
 */
export async function runBundled({ url, version, codec, over, cut }) {
	const lines = []
	const peer = over === "npm/client" ? overNpmClient(kkrpc, codec) : version === "compact" ? compact(codec) : classic(kkrpc, codec)
	await runClient(peer, { url, codec, version, cut }, (line) => lines.push(line))
	return lines.join("\n")
}
