import { proxy, releaseProxy, RPCChannel } from "kkrpc/remote-refs"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<{}, API>(transport)
const api = rpc.getAPI()

const ada = await api.open("Ada")
const eve = await api.open("Eve")
console.log(await ada.owner(), await ada.deposit(100))
await api.transfer(ada, eve, 30)
console.log(await ada.deposit(0), await eve.deposit(0))

releaseProxy(eve) // Go may forget it
console.log(await eve.deposit(1).catch((error) => error.name))

const lines: string[] = []
console.log(
	await api.run({
		name: "backup",
		approve: proxy((name) => name === "backup"),
		log: proxy({ append: (line) => lines.push(line) })
	})
)
console.log(lines.join())

rpc.destroy()
