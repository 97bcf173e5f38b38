import { RPCChannel } from "kkrpc"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

const clientAPI = {
	page: { title: "untitled" },
	Size: class {
		constructor(
			public x: number,
			public y: number
		) {}
	}
}

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, API>(transport, { expose: clientAPI })
const api = rpc.getAPI()

console.log(await api.version)
console.log(await api.settings.theme)
api.settings.theme = "dark" // the message is on its way; what follows arrives after it
console.log(await api.settings.theme, await api.settings.visits)
console.log(Object.keys(await api.settings).join())
const point = await new api.Point(1, 2)
console.log(point.x, point.y)

console.log(await api.rename("Guide"), "→", clientAPI.page.title)
const size = await api.size()
console.log(size.x, size.y)

rpc.destroy()
