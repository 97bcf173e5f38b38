// Servers of the conformance API in Hono, for any of its runtimes: /0.2.2/json, /0.2.2/superjson, /compact/json and
// /compact/superjson. GET /runtime says which runtime it is.
import { Hono } from "hono"
import * as kkrpc from "kkrpc"
import { makeAPI } from "./api.mjs"
import { classic } from "./classic.mjs"
import { compact } from "./compact-sockets.mjs"
import { runtime } from "./runtime.mjs"

/** honoApp takes the runtime's upgradeWebSocket. */
export function honoApp(upgradeWebSocket) {
	const app = new Hono()
	app.get("/runtime", (c) => c.text(runtime))
	for (const codec of ["json", "superjson"]) {
		app.get(`/0.2.2/${codec}`, upgradeWebSocket(() => handler(classic(kkrpc, codec))))
		app.get(`/compact/${codec}`, upgradeWebSocket(() => handler(compact(codec))))
	}
	return app
}

/** handler turns Hono's events into the socket that a peer wants, with slots for onmessage and onclose. */
function handler(peer) {
	let socket
	const open = (ws) => {
		if (socket) return
		socket = { send: (text) => ws.send(text), close: () => ws.close() }
		const client = peer.accept(socket, makeAPI(() => client))
	}
	return {
		onOpen: (_, ws) => open(ws),
		onMessage: ({ data }, ws) => {
			open(ws) // Hono for Workers has no onOpen
			socket.onmessage?.({ data })
		},
		onClose: ({ code }) => socket?.onclose?.({ code })
	}
}
