import { serve, upgradeWebSocket } from "@hono/node-server"
import { Hono } from "hono"
import { RPCChannel } from "kkrpc"
import { WebSocketServer } from "ws"

interface Note {
	id: number
	text: string
}

const notes: Note[] = []
const watchers = new Set<(note: Note) => void>()

const api = {
	greet: (name: string) => `Hello, ${name}!`,
	notes: {
		add(text: string) {
			const note = { id: notes.length + 1, text }
			notes.push(note)
			for (const onNote of watchers) onNote(note)
			return note
		},
		list: () => notes,
		watch: (onNote: (note: Note) => void) => void watchers.add(onNote)
	}
}

/** A WebSocket of Hono as kkrpc 0.2 reads and writes it. */
class HonoIO {
	name = "hono"
	#texts: string[] = []
	#reader: ((text: string) => void) | undefined

	constructor(private send: (text: string) => void) {}

	take(text: string) {
		if (this.#reader) this.#reader(text)
		else this.#texts.push(text)
		this.#reader = undefined
	}
	read() {
		const text = this.#texts.shift()
		return text !== undefined ? Promise.resolve(text) : new Promise<string>((resolve) => (this.#reader = resolve))
	}
	write = async (text: string) => this.send(text)
}

const app = new Hono()
app.get("/health", (c) => c.text("ok"))
app.get(
	"/ws",
	upgradeWebSocket(() => {
		let io: HonoIO
		return {
			onOpen: (_, ws) => {
				io = new HonoIO((text) => ws.send(text))
				new RPCChannel(io, { expose: api })
			},
			onMessage: ({ data }) => io.take(String(data))
		}
	})
)
const websocket = { server: new WebSocketServer({ noServer: true }) }
const server = serve({ fetch: app.fetch, hostname: "localhost", port: 8787, websocket })
server.on("listening", () => console.error("serving ws://localhost:8787/ws"))
