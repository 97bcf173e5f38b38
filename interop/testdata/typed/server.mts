// A server of the API in api.ts with kkrpc 0.2.2: <runtime> server.mts json|superjson. It prints its address.
import { RPCChannel, WebSocketServerIO } from "kkrpc"
import process from "node:process"
import { WebSocketServer } from "ws"
import { shop } from "./shop.ts"

const version = process.argv[2] as "json" | "superjson"
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
server.on("connection", (socket) => {
	new RPCChannel(new WebSocketServerIO(socket as any), { expose: shop, serialization: { version } })
})
server.on("listening", () => console.log(JSON.stringify({ url: `ws://127.0.0.1:${(server.address() as { port: number }).port}/ws` })))

process.stdin.on("end", () => process.exit(0))
process.stdin.resume()
