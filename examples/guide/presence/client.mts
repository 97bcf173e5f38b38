import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { API, Message, Position } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

function connect(user: string) {
	const io = new WebSocketClientIO({ url: `ws://localhost:3000/ws?user=${user}` })
	return { api: new RPCChannel<{}, API>(io).getAPI(), close: () => io.destroy() }
}

/** Waits until something holds. */
async function until(holds: () => boolean) {
	while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}

// Ada watches who is there.
const ada = connect("Ada")
const people = new Map<string, number>()
await ada.api.join(() => {})
await ada.api.watch(({ reset, set, deleted }) => {
	if (reset) people.clear()
	for (const { key, value } of set) people.set(key, value)
	for (const key of deleted) people.delete(key)
})

// Eve joins, and loses her connection.
let eve = connect("Eve")
const heard: string[] = []
let last = 0 // number of the last message; the first ones may come before join has answered
const onMessage = ({ id, text }: Message) => {
	heard.push(text)
	last = id
}
const joined = await eve.api.join(onMessage)
await until(() => people.has("Eve"))
console.log("there:", [...people.keys()].join(", "))
eve.close()
await until(() => !people.has("Eve"))
console.log("there:", [...people.keys()].join(", "))

// Eve comes back to where she was.
const first = await ada.api.say("a1", "Eve?")
console.log("stored once:", first === await ada.api.say("a1", "Eve?"))
await ada.api.say("a2", "Where are you?")
eve = connect("Eve")
const place: Position = { epoch: joined.epoch, seq: Math.max(joined.seq, last) }
await eve.api.join(onMessage, place)
await ada.api.say("a3", "There you are.")
await until(() => heard.length === 3)
console.log("heard:", heard.join(" "))

// The history is read in pages, from the end.
const newest = await ada.api.history()
const before = await ada.api.history(newest[0].id)
console.log("history:", [...before, ...newest].map(({ text }) => text).join(" "))
ada.close()
eve.close()
