import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const url = "ws://localhost:3000/ws"
const clientAPI = { language: () => "TypeScript" }

function connect(user: string) {
	const io = new WebSocketClientIO({ url: `${url}?user=${user}` })
	return { api: new RPCChannel<typeof clientAPI, API>(io, { expose: clientAPI }).getAPI(), close: () => io.destroy() }
}

/** How a connection ends that calls fall, by a message of kkrpc 2. */
function ending(url: string) {
	return new Promise<string>((resolve) => {
		const socket = new globalThis.WebSocket(url)
		socket.onopen = () => socket.send(JSON.stringify({ t: "q", id: "1", op: "call", p: ["fall"], a: [] }))
		socket.onclose = ({ code, reason }) => resolve(`${code} ${reason}`)
	})
}

const ada = connect("Ada")
console.log(await ada.api.greet())
console.log(await ada.api.introduce((step) => console.log(step)))
console.log(await ada.api.visit(), await ada.api.visit())
console.log(await ending(url))

console.log(await ada.api.stumble().catch((error) => error.message))
console.log(await ada.api.visit())

console.log(await ending(`${url}?user=Eve`)) // which ends Ada's connection too
ada.close()

const eve = connect("Eve") // starts the program again
console.log(await eve.api.visit())
eve.close()
