import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

const server = "localhost:3000"

console.log((await fetch(`http://${server}/ws`)).status) // without a token

const login = await fetch(`http://${server}/login`, { method: "POST", body: JSON.stringify({ name: "Ada" }) })
const cookie = login.headers.get("set-cookie")!.split(";")[0]!

// A browser sends the cookie by itself.
globalThis.WebSocket = class extends WebSocket {
	constructor(url: string) {
		super(url, { headers: { cookie } })
	}
} as any

const io = new WebSocketClientIO({ url: `ws://${server}/ws` })
const api = new RPCChannel<{}, API>(io, { expose: {} }).getAPI()
console.log(await api.greet())
console.log(await api.region())
console.log("a request id of", (await api.id()).length, "characters")
io.destroy()
