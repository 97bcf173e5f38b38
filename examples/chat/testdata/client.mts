// A program with kkrpc 0.2 that talks in the lobby. It reads the address of the server line by line, and connects anew for each.
import { createInterface } from "node:readline"
import process from "node:process"
import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"
import type { ChatAPI, Message, Position } from "./api.gen.ts"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

const token = process.argv[2]
let place: Position | undefined
let early = 0 // number of the last message that came before joinRoom had answered

async function connect(server: string) {
	const response = await fetch(`http://${server}/ticket`, { method: "POST", headers: { Authorization: `Bearer ${token}` } })
	const { ticket } = await response.json() as { ticket: string }
	const io = new WebSocketClientIO({ url: `ws://${server}/chat/lobby?ticket=${ticket}` })
	return { api: new RPCChannel<{}, ChatAPI>(io).getAPI(), close: () => io.destroy() }
}

const say = (...words: unknown[]) => console.log(words.join(" "))

for await (const server of createInterface({ input: process.stdin })) {
	const { api, close } = await connect(server)
	const texts: string[] = []
	let caughtUp = () => {}
	const onMessage = (message: Message) => {
		texts.push(`${message.user}: ${message.text}`)
		if (place) place.seq = message.seq
		else early = message.seq
		if (message.text === "the end") caughtUp()
	}
	const all = new Promise<void>((resolve) => (caughtUp = resolve))
	if (!place) {
		const { epoch, seq } = await api.joinRoom("lobby", onMessage)
		place = { epoch, seq: Math.max(seq, early) }
		for (const call of [() => api.sendMessage("", "lobby"), () => api.sendMessage("Psst!", "secrets"), () => api.getMessages("secrets"),
			() => api.joinRoom("secrets", onMessage), () => api.leaveRoom("secrets")]) {
			say(await call().then(() => "allowed", (error) => error.message))
		}
	} else {
		say("reset", (await api.joinRoom("lobby", onMessage, place)).reset)
	}
	// The second time as if no answer had come before the restart.
	const first = await api.sendMessage("once", "lobby", "id-1")
	say("stored once", first === await api.sendMessage("once", "lobby", "id-1"))
	await api.sendMessage("the end", "lobby")
	await all
	say("heard", texts.join(", "))
	const [newest] = (await api.getMessages("lobby")).slice(-1)
	say("newest", newest!.text, newest!.seq === place.seq, newest!.at instanceof Date)
	await api.leaveRoom("lobby")
	close()
	say("done")
}
