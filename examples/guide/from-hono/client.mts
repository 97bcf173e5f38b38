import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API, Note } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const server = "localhost:3000" // of Go; before, this was localhost:8787
const io = new WebSocketClientIO({ url: `ws://${server}/ws` })
const api = new RPCChannel<{}, API>(io).getAPI()

console.log(await api.greet("World"))

let tell: (note: Note) => void
const told = new Promise<Note>((resolve) => (tell = resolve))
await api.notes.watch((note) => tell(note))
const note = await api.notes.add("tea")
console.log("added:", note.text, "told:", (await told).text)
console.log("listed:", (await api.notes.list()).some(({ id }) => id === note.id))
console.log("health:", await fetch(`http://${server}/health`).then((response) => response.text()))

io.destroy()
