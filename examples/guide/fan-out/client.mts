import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

async function join(name: string, version: "json" | "superjson") {
	const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
	const api = new RPCChannel<{}, API>(io, { serialization: { version } }).getAPI()
	const heard: string[] = []
	await api.join(name, (message) => heard.push(`${message.from}: ${message.text}`))
	return { api, heard, leave: () => io.destroy() }
}

const ada = await join("Ada", "superjson")
const eve = await join("Eve", "json") // each gets what it speaks

console.log(await ada.api.say("Hello!"), "heard Ada")
console.log(await eve.api.say("Hi Ada."), "heard Eve")
await ada.api.say("How are you?") // what was sent before its answer has arrived with it

console.log("Ada:", ada.heard.join(" | "))
ada.leave()
eve.leave()
