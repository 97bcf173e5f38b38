import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { connect } from "kkrpc-go-client"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

/** Rejects a call that has no answer after so many milliseconds. The server may still do it. */
function within<T>(ms: number, call: Promise<T>): Promise<T> {
	let timer: ReturnType<typeof setTimeout>
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
	})
	return Promise.race([call, late]).finally(() => clearTimeout(timer))
}

const outcome = (call: Promise<unknown>) => within(500, call).then(String, (error) => error.message)

const server = "ws://localhost:3000"
for (const [what, url, name] of [
	["nobody listens", "ws://localhost:1", "wait"],
	["the server refuses with a status", `${server}/status`, "wait"],
	["the server refuses with a close code", `${server}/closed`, "wait"],
	["the connection closes", `${server}/ws`, "leave"],
	["the function takes too long", `${server}/ws`, "wait"],
	["the server bounds its time", `${server}/bounded`, "wait"]
] as const) {
	console.log(what)

	const io = new WebSocketClientIO({ url })
	const alone = new RPCChannel<{}, API>(io).getAPI()
	console.log("  kkrpc 0.2.2 alone:", await outcome(alone[name]()))

	const connection = connect(url, { dialect: "classic-superjson" })
	const api = new RPCChannel<{}, API>(connection).getAPI()
	console.log("  with the client:  ", await outcome(api[name]()), `(${connection.state.phase})`)
	io.destroy()
	connection.close()
}
