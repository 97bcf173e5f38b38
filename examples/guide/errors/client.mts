import { RPCChannel } from "kkrpc"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

class Refused extends Error {
	override name = "Refused"
	attempts = 3
}

const clientAPI = {
	enterPIN(): string {
		throw new Refused("the user gave up")
	}
}

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, API>(transport, { expose: clientAPI })
const api = rpc.getAPI()

for (const amount of [-1, 500, "ten" as any]) {
	try {
		await api.withdraw(amount)
	} catch (error: any) {
		console.log(error instanceof Error, error.name, "|", error.message, "|", error.balance)
	}
}
console.log(await api.ask())

rpc.destroy()
