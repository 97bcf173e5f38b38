import { RPCChannel, type RPCMessageMetadata } from "kkrpc"
import type { RPCPlugin } from "kkrpc/plugins"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

const clientAPI = { receive: () => "received" }

const showMetadata: RPCPlugin = {
	onRequest({ method, meta }) {
		const { server, hop, traceparent, timeout } = meta as any
		console.log(method, server, hop, traceparent, timeout > 4000 && timeout <= 5000)
	}
}

let request = 0
let extra: RPCMessageMetadata = {}

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, API>(transport, {
	expose: clientAPI,
	plugins: [showMetadata],
	getMetadata: () => ({ tenant: "acme", request: ++request, ...extra }) // for each call
})
const api = rpc.getAPI()

console.log(await api.greet("Ada"))
console.log(await api.greet("Eve"))

extra = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }
console.log(await api.forward())

extra = { timeout: 50 } // milliseconds that this side goes on waiting
console.log(await api.wait().catch((error) => error.message))

rpc.destroy()
