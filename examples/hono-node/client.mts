import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { ChatAPI, Message } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const server = "ws://localhost:3000"

function connect(room: string, token: string) {
	const io = new WebSocketClientIO({ url: `${server}/chat/${room}?token=${token}` })
	return { api: new RPCChannel<{}, ChatAPI>(io).getAPI(), close: () => io.destroy() }
}

const ada = connect("typescript", "ada-token")
const eve = connect("typescript", "eve-token")

console.log(await ada.api.greet(), await eve.api.greet())

const heard: string[] = []
await ada.api.joinRoom("typescript", ({ from, text }: Message) => heard.push(`${from}: ${text}`))
await eve.api.joinRoom("typescript", () => {})
console.log(await eve.api.sendMessage("Hi Ada!", "typescript"), "reached")
await ada.api.leaveRoom("typescript") // what was sent before its answer has arrived with it
console.log("Ada has heard", heard.join())
console.log(await eve.api.sendMessage("Ada?", "typescript"), "reached")
console.log((await ada.api.getMessages("typescript")).map(({ text }) => text).join(" "))
console.log(await ada.api.getMessages("secrets").catch((error) => error.message))

ada.close()
eve.close()

const stranger = new globalThis.WebSocket(`${server}/chat/typescript?token=guessed`)
stranger.onclose = ({ code, reason }) => console.log(code, reason)
