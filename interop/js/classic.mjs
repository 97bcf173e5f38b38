// kkrpc 0.x over WebSockets, with what peer.mjs wants of a kkrpc.

/** classic takes the module of any 0.x. */
export function classic({ RPCChannel, WebSocketClientIO, WebSocketServerIO }, codec) {
	const serialization = { version: codec }
	return {
		callback: (fn) => fn,
		async connect(url, expose) {
			const io = new WebSocketClientIO({ url })
			const rpc = new RPCChannel(io, { expose, serialization })
			return {
				api: rpc.getAPI(),
				construct: (name, ...args) => rpc.callConstructor(name, args),
				send: (text) => io.write(text),
				close: () => (rpc.destroy ? rpc.destroy() : io.destroy())
			}
		},
		accept: (socket, expose) => new RPCChannel(new WebSocketServerIO(socket), { expose, serialization }).getAPI()
	}
}
