// The versions of kkrpc that the tests run: 0.2 from npm, newer ones from checkouts, and compact, the minimal peer of
// compact.mjs.
import { checkout } from "./checkout.mjs"
import { classic } from "./classic.mjs"
import { compact as minimal } from "./compact-sockets.mjs"

const entries = { base: "mod", streaming: "streaming", "remote-refs": "remote-refs" }

/**
 * load returns connect(url, expose) and accept(socket, expose) for a version, and what checks need besides. connect
 * resolves to a connection: rpc, api, construct, send for raw text, and close. A socket has send, close, and slots for
 * onmessage and onclose.
 */
export async function load(version, channel, codec) {
	if (version === "0.2.2") return classic(await import("kkrpc"), codec)
	if (version === "compact") return minimal(codec)
	const source = checkout(version)
	if (version === "0.7.0") return classic(await source("mod.ts"), codec)
	return compact(source, channel, codec)
}

async function compact(source, channel, codec) {
	const [{ RPCChannel, proxy, releaseProxy }, { withCallOptions }, { webSocketTransport }, { createTransport }, { superJsonCodec }] =
		await Promise.all([entries[channel], "mod", "ws", "transport", "superjson"].map((name) => source(`src/entries/${name}.ts`)))
	const transport = (socket) =>
		codec === "json"
			? webSocketTransport(socket)
			: createTransport({
					platform: platform(socket),
					codec: superJsonCodec(),
					capabilities: { remoteRefs: true },
					onInvalidFrame: () => {}
				})
	return {
		callback: proxy ?? ((fn) => fn),
		proxy,
		releaseProxy,
		withCallOptions,
		async connect(url, expose) {
			const socket = new WebSocket(url)
			await new Promise((resolve, reject) => {
				socket.onopen = resolve
				socket.onerror = () => reject(new Error(`no connection to ${url}`))
			})
			let meta
			const rpc = new RPCChannel(transport(socket), { expose, getMetadata: () => meta })
			const api = rpc.getAPI()
			return {
				api,
				construct: (name, ...args) => new api[name](...args),
				setMetadata: (m) => (meta = m),
				send: (text) => socket.send(text),
				close: () => rpc.destroy()
			}
		},
		accept: (socket, expose) => new RPCChannel(transport(socket), { expose }).getAPI()
	}
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
		close: () => socket.close()
	}
}
