import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

interface API {
	whoami(): Promise<string>
	shutDown(): Promise<string>
}

for (const token of ["secret-a", "secret-e"]) {
	const io = new WebSocketClientIO({ url: `ws://localhost:3000/ws?token=${token}` })
	const api = new RPCChannel<{}, API>(io).getAPI()
	console.log(await api.whoami(), await api.shutDown().catch((error) => String(error)))
	io.destroy()
}
