import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { ServerAPI, User } from "./api.gen.ts"
import type { API as ProxyAPI } from "./proxy.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

let tell: (user: User) => void
const told = new Promise<User>((resolve) => (tell = resolve))
const clientAPI = {
	onUserUpdate: (user: User) => tell(user)
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/users" })
const users = new RPCChannel<typeof clientAPI, ServerAPI>(io, { expose: clientAPI }).getAPI()

const ada = await users.createUser({ name: "Ada", age: 27 })
await users.createUser({ name: "Bob", age: 30 })
console.log((await users.updateUser(ada.id, { age: 28 })).name, "is", (await told).age)
console.log((await users.getUsers()).map(({ id, name }) => `${id} ${name}`).join(", "))
console.log(await users.updateUser("user9", { name: "Eve" }).catch((error) => error.message))
io.destroy()

const proxyIO = new WebSocketClientIO({ url: "ws://localhost:3000/api" })
const proxy = new RPCChannel<{}, ProxyAPI>(proxyIO).getAPI()
const posts = (await proxy.getPosts()) as { title: string }[] // the other server says what it has
console.log(posts[0].title)
console.log(await proxy.getUsers().catch((error) => error.message))
proxyIO.destroy()
