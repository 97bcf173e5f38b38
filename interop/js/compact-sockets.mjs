// The minimal peer over WebSockets, with what peer.mjs wants of a kkrpc.
import { Peer } from "./compact.mjs"
import { withCallOptions } from "./compact-remote.mjs"

export function compact(codec) {
	return {
		callback: (fn) => fn,
		withCallOptions,
		async connect(url, expose) {
			const socket = new WebSocket(url)
			await new Promise((resolve, reject) => {
				socket.onopen = resolve
				socket.onerror = () => reject(new Error(`no connection to ${url}`))
			})
			const peer = attach(socket, expose, codec)
			return {
				api: peer.api,
				construct: (name, ...args) => new peer.api[name](...args),
				setMetadata: (metadata) => (peer.metadata = metadata),
				close() {
					peer.end(new Error("closed"))
					socket.close()
				}
			}
		},
		accept: (socket, expose) => attach(socket, expose, codec).api
	}
}

function attach(socket, expose, codec) {
	const peer = new Peer((text) => socket.send(text), expose, codec)
	socket.onmessage = ({ data }) => peer.receive(data)
	socket.onclose = ({ code } = {}) => peer.end(new Error(`closed with ${code}`))
	return peer
}
