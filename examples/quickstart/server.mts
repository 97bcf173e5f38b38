import { RPCChannel, WebSocketServerIO } from "kkrpc"
import { WebSocketServer } from "ws"

const api = { greet: (name: string) => `Hello, ${name}!` }
new WebSocketServer({ host: "localhost", port: 3000, path: "/ws" }).on("connection", (socket) => {
	new RPCChannel(new WebSocketServerIO(socket as any), { expose: api })
})
