// A server with one of kkrpc's own WebSocket adapters, without a framework:
//   <runtime> kkrpc.mjs npm|0.7|2|2-streaming json|superjson
// npm is the version in package.json; the others come from the checkouts that KKRPC_V07 and KKRPC_V2 name.
import process from "node:process"
import { pathToFileURL } from "node:url"
import { makeAPI } from "./api.mjs"
import { accept } from "./listen.mjs"

const [version, codec] = process.argv.slice(2)
const expose = makeAPI()
accept(await acceptor())

async function acceptor() {
	if (version === "npm") return classic(await import("kkrpc"))
	if (version === "0.7") return classic(await source("KKRPC_V07", "mod.ts"))
	const entry = (name) => source("KKRPC_V2", `src/entries/${name}.ts`)
	const [{ RPCChannel }, { webSocketTransport }, { createTransport }, { superJsonCodec }] = await Promise.all(
		[version === "2-streaming" ? "streaming" : "mod", "ws", "transport", "superjson"].map(entry),
	)
	const transport = (socket) =>
		codec === "json"
			? webSocketTransport(socket)
			: createTransport({
					platform: platform(socket),
					codec: superJsonCodec(),
					capabilities: { remoteRefs: true },
					onInvalidFrame: () => {},
				})
	return (socket) => new RPCChannel(transport(socket), { expose })
}

function source(variable, path) {
	const root = process.env[variable]
	if (!root) throw new Error(`${variable} has to name a checkout of kkrpc`)
	return import(pathToFileURL(`${root}/packages/kkrpc/${path}`).href)
}

function classic({ RPCChannel, WebSocketServerIO }) {
	return (socket) => new RPCChannel(new WebSocketServerIO(socket), { expose, serialization: { version: codec } })
}

/** platform carries text over a socket, for codecs that the WebSocket transport of kkrpc 2 does not offer. */
function platform(socket) {
	return {
		send: (text) => socket.send(text),
		subscribe(listener) {
			socket.onmessage = ({ data }) => listener(data)
			return () => (socket.onmessage = undefined)
		},
		onClose(listener) {
			socket.onclose = ({ code } = {}) => listener(code === 1000 ? undefined : new Error(`closed with ${code}`))
			return () => (socket.onclose = undefined)
		},
		close: () => socket.close(),
	}
}
