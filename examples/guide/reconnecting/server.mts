import { RPCChannel, WebSocketServerIO } from "kkrpc"
import { WebSocketServer } from "ws"

let failures = 2 // how many calls lose the connection

const server = new WebSocketServer({ host: "localhost", port: 3000, path: "/ws" })
server.on("connection", (socket) => {
	let user = "nobody"
	const failing = <T,>(answer: T) => {
		if (failures-- <= 0) return answer
		socket.terminate()
		return new Promise<T>(() => {})
	}
	const api = {
		login: (name: string) => void (user = name),
		whoami: () => user,
		order: (item: string) => failing(`${item} for ${user}`),
		stock: (item: string) => failing(item.length)
	}
	new RPCChannel<typeof api, {}>(new WebSocketServerIO(socket as any), { expose: api })
})
server.on("listening", () => console.error("serving ws://localhost:3000/ws"))
