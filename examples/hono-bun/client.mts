import { RPCChannel, WebSocketClientIO } from "kkrpc"

interface ServerAPI {
	greet(name: string): Promise<string>
	add(a: number, b: number): Promise<number>
	math: {
		multiply(a: number, b: number): Promise<number>
		divide(a: number, b: number): Promise<number>
	}
	resize(images: string[], progress: (done: number, total: number) => void): Promise<string>
	whoAmI(): Promise<string>
}

const clientAPI = {
	getClientInfo: () => ({ type: "web-client", version: "1.0.0" })
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const rpc = new RPCChannel<typeof clientAPI, ServerAPI>(io, { expose: clientAPI })
const api = rpc.getAPI()

console.log(await api.greet("World"))
console.log(await api.add(5, 3))
console.log(await api.math.multiply(4, 6))
console.log(await api.math.divide(1, 0).catch((error) => error.message))
console.log(await api.resize(["a.png", "b.png"], (done, total) => console.log(`${done} of ${total}`)))
console.log(await api.whoAmI())

io.destroy()
