// The clients that a bundler can put into one file, for a Worker and for a page: kkrpc 0.2 and the minimal peer.
import * as kkrpc from "kkrpc"
import { classic } from "./classic.mjs"
import { compact } from "./compact-sockets.mjs"
import { runClient } from "./run-client.mjs"

/** runBundled runs the checks with version "0.2.2" or "compact", and resolves to what client.mjs prints. */
export async function runBundled({ url, version, codec }) {
	const lines = []
	await runClient(version === "compact" ? compact(codec) : classic(kkrpc, codec), { url, codec, version }, (line) => lines.push(line))
	return lines.join("\n")
}
