import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

for (const [room, user] of [["kitchen", "Ada"], ["garden", "Bob"]]) {
	const io = new WebSocketClientIO({ url: `ws://localhost:3000/rooms/${room}?user=${user}` })
	const rpc = new RPCChannel<{}, API>(io)
	console.log(await rpc.getAPI().where())
	io.destroy()
}

const refused = new globalThis.WebSocket("ws://localhost:3000/rooms/cellar")
console.log(await new Promise((resolve) => {
	refused.onopen = () => resolve("opened")
	refused.onerror = () => resolve("refused")
}))
