// A server with Cap'n Web, on Bun.
import { newBunWebSocketRpcHandler, RpcTarget } from "capnweb"
import { ready, tls } from "./listen.mjs"

class Arithmetic extends RpcTarget {
	add(a, b) {
		return a + b
	}
}

class API extends RpcTarget {
	#math = new Arithmetic()
	get math() {
		return this.#math
	}
	add(a, b) {
		return a + b
	}
	echo(text) {
		return text
	}
	user(user) {
		return user
	}
}

const server = Bun.serve({
	hostname: "127.0.0.1",
	port: 0,
	tls,
	fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("upgrade", { status: 426 })),
	websocket: newBunWebSocketRpcHandler(() => new API()),
})
ready(server.port)
