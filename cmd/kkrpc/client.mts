import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

interface ServerAPI {
	greet(name: string): Promise<string>
	add(a: number, b: number): Promise<number>
	math: { multiply(a: number, b: number): Promise<number> }
	progress(n: number, report: (step: number, of: number) => void): Promise<string>
	whoAreYou(): Promise<string>
	riskyOperation(): Promise<void>
}

const clientAPI = {
	getClientInfo: () => ({ type: "TypeScript client", version: "1.0.0" })
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, ServerAPI>(io, { expose: clientAPI })
const api = rpc.getAPI()

console.log(await api.greet("World")) // Hello, World!
console.log(await api.add(5, 3)) // 8
console.log(await api.math.multiply(4, 6)) // 24
console.log(await api.progress(3, (step, of) => console.log(`${step} of ${of}`))) // 1 of 3, 2 of 3, 3 of 3, done
console.log(await api.whoAreYou()) // Go calls getClientInfo: You are TypeScript client 1.0.0.
await api.riskyOperation().catch((err) => console.log(err.message)) // Something went wrong!

io.destroy()
