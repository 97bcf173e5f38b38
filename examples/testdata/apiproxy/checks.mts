// Calls the API proxy with kkrpc 0.2 and prints what comes of it. The upstream is that of apiproxy_test.go.
import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

function connect() {
	const io = new WebSocketClientIO({ url: process.argv[2]! })
	return { api: new RPCChannel<{}, API>(io).getAPI(), close: () => io.destroy() }
}

const { api, close } = connect()
const ids = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

const equal = await Promise.all(ids(20).map(() => api.getUsers()))
console.log("equal calls:", new Set(equal.map((users) => users[0]!.name)).size, "answer")

console.log("revalidated:", (await api.getPosts())[0]!.title, "and", (await api.getPosts())[0]!.title)

const different = await Promise.all(ids(20).map((id) => api.getUser(id)))
console.log("different calls:", different.map(({ id }) => id).join(" ") === ids(20).join(" ") ? "each its answer" : different)

const failing = [404, 500, 501, 502, 503, 504, 505]
const failures = await Promise.all(failing.map((id) => api.getUser(id).then(() => "no error", (error) => error.message)))
for (const message of failures) console.log("failed:", message)
console.log("failed:", await api.getPosts({ limit: 101 }).catch((error) => error.message))

const leaving = connect()
leaving.api.getUser(600).catch(() => {})
leaving.api.getUser(601).catch(() => {})
await leaving.api.getUser(602) // answered when the upstream has the two requests
leaving.close()
console.log("cancelled:", (await api.getUser(603)).name) // answered when both have ended

const first = connect()
first.api.getUser(610).catch(() => {})
await first.api.getUser(611) // answered when the upstream has that request
const joined = api.getUser(610)
await api.getUser(1) // the server has read the call before this one
first.close()
await api.getUser(1)
const released = api.getUser(612) // with which the upstream answers 610
console.log("shared with one who left:", (await joined).name, "and", (await released).name)

close()
