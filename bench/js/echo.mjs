// What Bun itself can do: every message comes back as it is. Every connection is also in a room: a call of burst(n, text) or
// tell(n, text) as kkrpc 2 would send it publishes n callbacks to all of them, the caller too. Those of tell have an object.
import { ready, tls } from "./listen.mjs"

const room = "room"
const server = Bun.serve({
	hostname: "127.0.0.1",
	port: 0,
	tls,
	fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("upgrade", { status: 426 })),
	websocket: {
		open: (ws) => ws.subscribe(room),
		message: (ws, text) => {
			const tell = text.includes('"p":["tell')
			if (!tell && !text.includes('"p":["burst"]')) return ws.send(text)
			const { id, a } = JSON.parse(text)
			const [n, value] = a.map((arg) => arg.v)
			const message = (v) => JSON.stringify({ t: "cb", id: "member", a: [{ __kkrpc_next_arg__: "value", v }] })
			const same = message(value)
			for (let i = 0; i < n; i++) server.publish(room, tell ? message({ from: "Ada", number: i, text: value }) : same)
			ws.send(JSON.stringify({ t: "r", id, v: n * server.subscriberCount(room) }))
		},
	},
})
ready(server.port)
