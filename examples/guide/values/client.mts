import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<{}, API>(io).getAPI() // serialization: superjson is its default

console.log((await api.tomorrow(new Date("2024-02-28T12:00:00Z"))).toISOString())
console.log(String(await api.factorial(25)))
console.log((await api.reverse(Uint8Array.of(1, 2, 3))).join())
console.log([...((await api.lengths(new Set(["a", "bcd"]))) ?? [])].join(" "))
console.log(await api.find("Ada"), await api.find("Bob"), await api.forget())

for (const v of [1, "a", true, null, undefined, 1n, new Date(), new Map(), new Set(), Uint8Array.of(1), [1], { a: 1 }, /a/, new Error()]) {
	console.log(Object.prototype.toString.call(v).slice(8, -1).padEnd(11), await api.goType(v))
}

io.destroy()
