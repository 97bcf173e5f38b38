// The client of the test of shutdowns: node drain-client.mts <url> <first id> <channels> <calls>
//
// It makes calls on each channel and prints "sent" when they have left. At the next line of its input it goes on, one call
// after another on each channel, until it is refused. In the end it prints how each call has ended.

import { once } from "node:events"
import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"

const [url, first, channels, calls] = [process.argv[2], ...process.argv.slice(3).map(Number)]
const sockets: WebSocket[] = []
globalThis.WebSocket = class extends WebSocket {
	constructor(...args: ConstructorParameters<typeof WebSocket>) {
		super(...args)
		sockets.push(this)
	}
} as any

const ended = { answered: [] as number[], refused: [] as number[], crossed: [] as number[], wrong: [] as string[] }
let next = first
const open = new Set<number>()

async function work(api: { work(id: number): Promise<number> }): Promise<boolean> {
	const id = next++
	open.add(id)
	try {
		const got = await api.work(id)
		if (got === 2 * id) ended.answered.push(id)
		else ended.wrong.push(`${id}: ${got}`)
		return true
	} catch (error) {
		if (String(error).includes("RPCUnavailableError: the other side is shutting down; the request did not run")) ended.refused.push(id)
		else ended.wrong.push(`${id}: ${error}`)
		return false
	} finally {
		open.delete(id)
	}
}

const apis = Array.from({ length: channels }, () => new RPCChannel<{}, { work(id: number): Promise<number> }>(new WebSocketClientIO({ url })).getAPI())
const all: Promise<unknown>[] = []
for (const api of apis) for (let i = 0; i < calls; i++) all.push(work(api))
const tick = () => new Promise((resolve) => setImmediate(resolve))
while (sockets.some((socket) => socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > 0)) await tick()
for (let i = 0; i < 10; i++) await tick() // what waited for the connection is sent now
while (sockets.some((socket) => socket.bufferedAmount > 0)) await tick()
console.log("sent")
await once(process.stdin, "data")
for (const api of apis) all.push((async () => { while (await work(api)); })())
const closed = Promise.all(sockets.map((socket) => socket.readyState === WebSocket.CLOSED || once(socket, "close")))
await Promise.race([Promise.all(all), closed.then(tick)])
for (const id of open) {
	if (id >= first + channels * calls) ended.crossed.push(id)
	else ended.wrong.push(`${id}: nothing`)
}
console.log(JSON.stringify(ended))
process.exit(0)
