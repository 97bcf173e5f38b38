import { RPCChannel } from "kkrpc/streaming"
import { superJsonCodec } from "kkrpc/superjson"
import { createTransport } from "kkrpc/transport"
import type { API } from "./api.gen.ts"

const socket = new WebSocket("ws://localhost:3000/ws")
await new Promise((resolve) => (socket.onopen = resolve))
const platform = {
	send: (text: string) => socket.send(text),
	subscribe(listener: (text: string) => void) {
		socket.onmessage = (event) => listener(event.data)
		return () => (socket.onmessage = null)
	},
	close: () => socket.close()
}

const encoder = new TextEncoder()
const clientAPI = {
	async *read(name: string) {
		for (let n = 1; n <= 1000; n++) yield encoder.encode(`${name}, line ${n}\n`)
	}
}

const transport = createTransport({ platform, codec: superJsonCodec() })
const rpc = new RPCChannel<typeof clientAPI, API>(transport, { expose: clientAPI })
const api = rpc.getAPI()

console.log(await api.save("notes.txt", clientAPI.read("notes")), "bytes saved")

let text = ""
const decoder = new TextDecoder()
for await (const chunk of api.open("notes.txt")) text += decoder.decode(chunk, { stream: true })
console.log(text.split("\n")[999])

let size = 0
for await (const chunk of api.export("measurements")) {
	size += chunk.length
	if (size >= 100_000) break // stops the Go function
}
console.log("read enough")

console.log(await api.copyFrom("more.txt"), "bytes copied")
rpc.destroy()
