import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

for (const token of ["secret-a", "secret-e"]) {
	const io = new WebSocketClientIO({ url: `ws://localhost:3000/ws?token=${token}` })
	const api = new RPCChannel<{}, API>(io).getAPI()
	console.log(await api.whoami(), await api.shutDown().catch((error) => String(error)))
	io.destroy()
}
