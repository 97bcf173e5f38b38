import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const clientAPI = { confirm: (what: string) => `${what} confirmed by TypeScript` }

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<typeof clientAPI, API>(io, { expose: clientAPI }).getAPI()

console.log(await api.greet("World")) // Hello, World!
console.log(await api.launch(3, (n) => console.log(n))) // 3, 2, 1, lift-off confirmed by TypeScript
io.destroy()
