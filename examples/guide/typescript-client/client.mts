import { RPCChannel } from "kkrpc"
import { connect } from "kkrpc-go-client"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

let socket: WebSocket // the present one, so that it can be cut below

class CutWebSocket extends WebSocket {
	constructor(url: string | URL, protocols: string[]) {
		super(url, protocols)
		socket = this
	}
}

const connection = connect("ws://localhost:3000/ws", {
	dialect: "classic-superjson", // that of kkrpc 0.x
	token: async () => "secret", // is asked for each attempt
	WebSocket: CutWebSocket // a browser needs none
})
connection.onState(({ phase }) => console.log(phase))

const api = new RPCChannel<{}, API>(connection).getAPI()
console.log(await api.whoami())

const order = api.order("tea")
socket!.terminate() // the network fails
console.log(await order)

connection.close()
