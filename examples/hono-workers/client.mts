import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const server = "ws://localhost:3000"

function connect(room: string) {
	const io = new WebSocketClientIO({ url: `${server}/chat/${room}` })
	return { api: new RPCChannel<{}, API>(io).getAPI(), close: () => io.destroy() }
}

const ada = connect("tea")
const eve = connect("tea")
const bob = connect("coffee") // another object

console.log(await ada.api.greet("Ada"))
console.log(await bob.api.greet("Bob"))
console.log(await eve.api.say("Hi!").catch((error) => error.message))

const heard: string[] = []
const reminded = new Promise<void>((resolve) => {
	ada.api.join("Ada", ({ from, text }) => {
		heard.push(`${from}: ${text}`)
		if (text === "tea is ready") resolve()
	})
})
await eve.api.join("Eve", () => {})
await bob.api.join("Bob", () => {})
console.log(await ada.api.members(), await bob.api.members())

console.log(await eve.api.say("Hi Ada!"), "reached")
await eve.api.remind(200, "tea is ready")
eve.close() // the reminder stays

await reminded
console.log(heard.join(", "))

ada.close()
bob.close()
