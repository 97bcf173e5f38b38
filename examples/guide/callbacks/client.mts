import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const clientAPI = {
	onAlarm(reminder: (at: string) => void) {
		reminder("08:00")
		reminder("08:10")
	}
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<typeof clientAPI, API>(io, { expose: clientAPI }).getAPI()

console.log(await api.copy(["a", "b"], (done, total) => console.log(`${done} of ${total}`)))

const id = await api.subscribe((price) => console.log("price", price))
await api.publish(10)
await api.publish(11)
await api.unsubscribe(id)
await api.publish(12)

await api.remind("tea")
io.destroy()
