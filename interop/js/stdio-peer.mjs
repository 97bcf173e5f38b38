// kkrpc over standard input and output: 0.2 from npm, newer versions from checkouts.
import process from "node:process"
import { checkout } from "./checkout.mjs"

/**
 * load returns serve(expose, adapter), which makes the channel of a child and returns the parent's API, and
 * start(child, expose), which makes that of a parent and returns { api, send }. adapter "node" takes Node's also where
 * the runtime has its own.
 */
export async function load(version, codec) {
	if (version === "2.1.0") {
		const source = checkout(version)
		const [{ RPCChannel }, { nodeStdioTransport }] = await Promise.all([source("src/entries/mod.ts"), source("src/entries/stdio.ts")])
		return {
			serve: (expose) => new RPCChannel(nodeStdioTransport(), { expose }).getAPI(),
			start(child, expose) {
				const streams = { readable: child.stdout, writable: child.stdin, lifecycle: child.stdout }
				return {
					api: new RPCChannel(nodeStdioTransport(streams), { expose }).getAPI(),
					send: (text) => child.stdin.write(text.trimEnd() + "\n")
				}
			}
		}
	}
	const { RPCChannel, NodeIo, BunIo, DenoIo } = await (version === "0.7.0" ? checkout(version)("mod.ts") : import("kkrpc"))
	const serialization = { version: codec }
	return {
		serve(expose, adapter) {
			let io
			if (adapter !== "node" && globalThis.Deno) io = new DenoIo(Deno.stdin.readable)
			else if (adapter !== "node" && globalThis.Bun) io = new BunIo(Bun.stdin.stream())
			else io = new NodeIo(process.stdin, process.stdout)
			return new RPCChannel(io, { expose, serialization }).getAPI()
		},
		start(child, expose) {
			const lossy = version === "0.2.2" && globalThis.Bun
			const io = lossy ? queuedIo(child.stdout, child.stdin) : new NodeIo(child.stdout, child.stdin)
			return { api: new RPCChannel(io, { expose, serialization }).getAPI(), send: (text) => io.write(text) }
		}
	}
}

/**
 * queuedIo is for Bun, which emits several chunks in one turn: NodeIo of 0.2 listens for one at a time and loses the
 * others.
 */
function queuedIo(readable, writable) {
	const chunks = []
	let wake
	readable.on("data", (chunk) => {
		chunks.push(chunk)
		wake?.()
	})
	return {
		name: "queued-io",
		read: async () => {
			while (chunks.length === 0) await new Promise((resolve) => (wake = resolve))
			return chunks.shift()
		},
		write: (data) => new Promise((resolve, reject) => writable.write(data, (err) => (err ? reject(err) : resolve())))
	}
}
