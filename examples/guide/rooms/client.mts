import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API, Message } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

function connect() {
	const heard: string[] = []
	const note = (room: string, { id, from, text }: Message) => void heard.push(`${room} ${id} ${from}: ${text}`)
	const exposed = { chat: { onMessage: note } }
	const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
	const api = new RPCChannel<typeof exposed, API>(io, { expose: exposed }).getAPI()
	/** Waits until so many messages have come. */
	const hears = async (count: number) => {
		while (heard.length < count) await new Promise((resolve) => setTimeout(resolve, 10))
	}
	return { api, heard, note, hears, close: () => io.destroy() }
}

const ada = connect()
const eve = connect()

await ada.api.join("kitchen", (message) => ada.note("kitchen", message))
await ada.api.join("garden", (message) => ada.note("garden", message))
await eve.api.follow("kitchen")

await ada.api.say("kitchen", "Ada", "Tea?")
await eve.api.say("kitchen", "Eve", "Yes!")
await Promise.all([ada.hears(2), eve.hears(2)])
await eve.api.say("garden", "Eve", "In the garden.")
await ada.hears(3)
await eve.api.leave("kitchen")
await ada.api.say("kitchen", "Ada", "Eve?")
await ada.hears(4)

console.log("Ada:", ada.heard.join(" | "))
console.log("Eve:", eve.heard.join(" | "))
console.log(await eve.api.leave("kitchen").catch((error) => error.message))
ada.close()
eve.close()
