import { RPCChannel, WebSocketServerIO } from "kkrpc"
import { WebSocketServer } from "ws"
import type { API } from "./api.gen.ts"

const members = new Set<string>()

const server = new WebSocketServer({ host: "localhost", port: 3000, path: "/ws" })
server.on("connection", (socket) => {
	const api = {
		async join(name: string) {
			if (!(await client.confirm(`Join as ${name}?`))) throw new Error("not confirmed")
			members.add(name)
			await client.show(`Welcome, ${name}!`)
			return members.size
		},
		rooms: { list: () => ["general", "random"] }
	}
	const rpc = new RPCChannel<typeof api, API>(new WebSocketServerIO(socket as any), { expose: api })
	const client = rpc.getAPI()
})
server.on("listening", () => console.error("serving ws://localhost:3000/ws"))
