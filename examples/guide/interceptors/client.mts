import { RPCChannel } from "kkrpc"
import { middlewarePlugin } from "kkrpc/middleware"
import { webSocketClientTransport } from "kkrpc/ws"
import type { API } from "./api.gen.ts"

const clientAPI = { print: (what: string) => `printed ${what}` }

// The counterpart in TypeScript: only around what it serves, not around its calls.
let busy = 2
const printer = middlewarePlugin([
	async (ctx, next) => {
		if (busy-- > 0) throw Object.assign(new Error(`${ctx.method} is busy`), { name: "Busy" })
		return `${await next()}, 2 pages`
	}
])

const transport = webSocketClientTransport({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, API>(transport, { expose: clientAPI, plugins: [printer] })
const api = rpc.getAPI()

const show = (error: any) => `${error.name}: ${error.message}`

console.log(await api.read("notes.txt"))
console.log(await api.deleteAll().catch(show))
console.log(await api.crash().catch(show))
console.log(await api.printout())
console.log(await api.read("notes.txt").catch((error) => `${error.name}, come back in ms: ${error.retryAfter > 0}`))

rpc.destroy()
