import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const clientAPI = { confirm: () => true }
type API = { greet(name: string): Promise<string>; clear(): Promise<boolean> }

const io = new WebSocketClientIO({ url: process.argv[2]! })
const api = new RPCChannel<typeof clientAPI, API>(io, { expose: clientAPI }).getAPI()
console.log(await api.greet("Ada"))
console.log(await api.clear())
io.destroy()
