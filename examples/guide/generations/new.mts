import { RPCChannel } from "kkrpc"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<{}, API>(transport)
const api = rpc.getAPI()

let hear: (text: string) => void
const greeting = "Hello from kkrpc 2"
const heard = new Promise<string>((resolve) => (hear = (text) => text !== greeting && resolve(text)))
await api.join((text) => hear(text))
const released: unknown = await api.released()
console.log(released instanceof Date ? "a Date" : released)
await api.book(7).catch((error) => console.log(error.name, error.message, error.id))

await api.say(greeting)
console.log(await heard) // from a client of kkrpc 0.x
rpc.destroy()
