import { RPCChannel, WebSocketClientIO } from "kkrpc"
import type { API } from "./api.gen.ts"

const clientAPI = {
	getClientInfo: () => ({ type: "web-client", version: "1.0.0" })
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, API>(io, { expose: clientAPI })
const api = rpc.getAPI()

console.log(await api.greet("World"))
console.log(await api.add(5, 3))
console.log(await api.math.multiply(4, 6))
console.log(await api.math.divide(1, 0).catch((error) => error.message))
console.log(await api.resize(["a.png", "b.png"], (done, total) => console.log(`${done} of ${total}`)))
console.log(await api.whoAmI())

io.destroy()
