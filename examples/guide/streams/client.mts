import { RPCChannel } from "kkrpc/streaming"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

const clientAPI = {
	async *tail(service: string) {
		try {
			yield `${service}: starting`
			yield `${service}: ready`
			yield `${service}: never sent`
		} finally {
			console.log("tail stopped")
		}
	}
}

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, API>(transport, { expose: clientAPI })
const api = rpc.getAPI()

for await (const n of api.count(1)) {
	console.log(n)
	if (n === 3) break // stops the Go function
}

try {
	for await (const celsius of api.readings()) console.log(celsius)
} catch (error: any) {
	console.log(error.message)
}

for await (const job of api.jobs()) console.log(job)

async function* numbers() {
	for (let n = 1; n <= 100; n++) yield n
}
console.log(await api.sum(numbers()))

await api.follow()
rpc.destroy()
