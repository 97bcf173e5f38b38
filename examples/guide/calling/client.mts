import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<{}, API>(io).getAPI()

console.log(await api.greet("World"))
console.log(await api.greet("World", "Good morning"))
console.log(await api.math.multiply(4, 6), await api.math.sum(1, 2, 3))

const id = await api.books.add({ title: "Dune", year: 1965 })
const book = await api.books.findByID(id)
console.log(book?.title, book?.year, await api.books.findByID(99))

io.destroy()
