import { RPCChannel, WebSocketServerIO } from "kkrpc"
import { WebSocketServer } from "ws"

const api = { greet: (name: string) => `Hello, ${name}!` }
const server = new WebSocketServer({ host: "localhost", port: 3000, path: "/ws" })
server.on("connection", (socket) => {
	new RPCChannel(new WebSocketServerIO(socket as any), { expose: api })
})
server.on("listening", () => console.log("serving ws://localhost:3000/ws"))
