import { RPCChannel, WebSocketClientIO } from "kkrpc"
import type { API } from "./api.gen.ts"

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<{}, API>(io).getAPI()

let hear: (text: string) => void
const heard = new Promise<string>((resolve) => (hear = resolve))
await api.join((text) => hear(text))
const released: unknown = await api.released()
console.log(released instanceof Date ? "a Date" : released)
await api.book(7).catch((error) => console.log(error.name, error.message, error.id))
console.error("joined")

console.log(await heard) // from a client of kkrpc 2
await api.say("Hello from kkrpc 0.x")
io.destroy()
