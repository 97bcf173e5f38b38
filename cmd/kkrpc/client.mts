import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const clientAPI = {
	getClientInfo: () => ({ type: "TypeScript client", version: "1.0.0" })
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, API>(io, { expose: clientAPI })
const api = rpc.getAPI()

console.log(await api.greet("World")) // Hello, World!
console.log(await api.add(5, 3)) // 8
console.log(await api.math.multiply(4, 6)) // 24
console.log(await api.progress(3, (step, of) => console.log(`${step} of ${of}`))) // 1 of 3, 2 of 3, 3 of 3, done
console.log(await api.whoAreYou()) // Go calls getClientInfo: You are TypeScript client 1.0.0.
await api.riskyOperation().catch((err) => console.log(err.message)) // Something went wrong!

io.destroy()
