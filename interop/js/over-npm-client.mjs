// What run-client.mjs wants of a kkrpc, with the connections of npm/client.
import superjson from "superjson"
import { connect } from "../../npm/client/index.js"
import { Peer } from "./compact.mjs"
import { withCallOptions } from "./compact-remote.mjs"

/** quickly has connections come back before a check has waited too long. */
const quickly = { backoff: { min: 20, max: 100 } }

/** overNpmClient takes a module of kkrpc: of 0.2.2, or of 2.x with its superJsonCodec. */
export function overNpmClient({ RPCChannel, superJsonCodec, proxy, releaseProxy, withCallOptions }, codec) {
	return superJsonCodec
		? {
				callback: proxy ?? ((fn) => fn),
				proxy,
				releaseProxy,
				withCallOptions,
				async connect(url, expose) {
					const { encode, decode } = codec === "json" ? { encode: JSON.stringify, decode: JSON.parse } : superJsonCodec()
					const raw = { encode: (message) => (typeof message === "string" ? message : encode(message)), decode }
					const connection = connect(url, { ...quickly, dialect: `compact-${codec}`, codec: raw })
					let meta
					const rpc = new RPCChannel(connection, { expose, getMetadata: () => meta })
					const api = rpc.getAPI()
					return {
						api,
						construct: (name, ...args) => new api[name](...args),
						setMetadata: (m) => (meta = m),
						send: (text) => connection.send(text),
						close: () => rpc.destroy()
					}
				}
			}
		: {
				callback: (fn) => fn,
				async connect(url, expose) {
					const io = connect(url, { ...quickly, dialect: `classic-${codec}` })
					const rpc = new RPCChannel(io, { expose, serialization: { version: codec } })
					return { api: rpc.getAPI(), send: (text) => io.write(text), close: () => io.destroy() }
				}
			}
}

/** minimalOverNpmClient has the minimal compact peer, whose messages are objects here. */
export const minimalOverNpmClient = (codec) => ({
	callback: (fn) => fn,
	withCallOptions,
	async connect(url, expose) {
		const own = codec === "superjson" ? { encode: superjson.stringify, decode: superjson.parse } : undefined
		const connection = connect(url, { ...quickly, dialect: `compact-${codec}`, codec: own })
		const peer = new Peer((message) => connection.send(message), expose, "objects")
		connection.subscribe((message) => peer.receive(message))
		connection.onClose((reason) => peer.end(reason ?? new Error("closed")))
		return {
			api: peer.api,
			construct: (name, ...args) => new peer.api[name](...args),
			setMetadata: (metadata) => (peer.metadata = metadata),
			close() {
				peer.end(new Error("closed"))
				connection.close()
			}
		}
	}
})
