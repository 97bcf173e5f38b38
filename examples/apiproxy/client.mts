import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import { type API, isGetUserError } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const io = new WebSocketClientIO({ url: "ws://localhost:3000/api" })
const api = new RPCChannel<{}, API>(io).getAPI()

const users = await api.getUsers()
console.log(users.length, "users, the first is", users[0]!.name)
for (const post of await api.getPosts({ userId: 2, limit: 2 })) {
	console.log(post.id, post.title)
}
try {
	await api.getUser(11)
} catch (error) {
	if (isGetUserError(error) && error.name === "NotFoundError") console.log("not found:", error.path) // kkrpc 0.7 and 2
	else console.log((error as Error).message) // kkrpc 0.2, whose errors have nothing else
}

io.destroy()
