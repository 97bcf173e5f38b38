// A member of a room in a Durable Object: durable-client.mjs URL. It is kkrpc 0.2.2 of npm. It says what it hears, and
// reads from stdin what to do: the name of a function and its arguments, as a JSON list.

import process from "node:process"
import { createInterface } from "node:readline"
import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"

globalThis.WebSocket ??= WebSocket

const print = (...what) => console.log(JSON.stringify(what))
const io = new WebSocketClientIO({ url: process.argv[2] })
const exposed = { name: () => "Nell" }
const api = new RPCChannel(io, { expose: exposed }).getAPI()
const hear = ({ from, text }) => print("heard", from, text)

for await (const line of createInterface({ input: process.stdin })) {
	const [name, ...args] = JSON.parse(line)
	let f = api
	for (const part of name.split(".")) f = f[part]
	f(...args.map((arg) => (arg === "$hear" ? hear : arg))).then(
		(result) => print("result", result ?? null),
		(error) => print("error", error.message ?? error),
	)
}
io.destroy()
