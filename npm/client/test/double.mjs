// A WebSocket whose server is the test, and timers that the test moves.
import { mock } from "node:test"
import { connect } from "../index.js"

/** ID is that of the session that a server begins. */
export const ID = "Zk3vQ0123456789abcdefghijklmnopqrstuvwxyzAB"

/** The sockets of one test, in the order in which they were made. */
export let sockets = []

export class Double {
	protocol = ""
	sent = []
	closed = undefined

	constructor(url, protocols) {
		this.url = String(url)
		this.offers = protocols
		sockets.push(this)
	}

	send(text) {
		this.sent.push(text)
	}

	close(code) {
		this.closed = { code }
	}

	/** The server accepts the connection. */
	accept(protocol = "kkrpc.session.1") {
		this.protocol = protocol
		this.onopen?.({})
	}

	/** The server sends texts. */
	says(...texts) {
		for (const data of texts) this.onmessage?.({ data })
	}

	/** The socket ends, with a close frame unless the code is 1006. */
	ends(code = 1006, reason = "") {
		this.onclose?.({ code, reason })
	}

	/** What was sent since it was asked last. */
	take() {
		return this.sent.splice(0)
	}
}

/** settle waits for what runs without a timer. */
export const settle = () => new Promise((resolve) => setImmediate(resolve))

/** begin connects with timers that stand still and with random numbers of one half. */
export async function begin(options = {}, url = "ws://server/ws") {
	sockets = []
	mock.timers.reset()
	mock.timers.enable({ apis: ["setTimeout", "Date"] })
	mock.restoreAll()
	mock.method(Math, "random", () => 0.5)
	const connection = connect(url, { WebSocket: Double, heartbeat: { interval: 0 }, ...options })
	const states = []
	connection.onState((state) => states.push(state))
	const messages = []
	const reasons = []
	if (!options.dialect?.startsWith("classic")) {
		connection.subscribe((message) => messages.push(message))
		connection.onClose((reason) => reasons.push(reason))
	}
	await settle()
	return { connection, states, messages, reasons }
}

/** beginSession is begin with a session that is open, on sockets[0]. */
export async function beginSession(options) {
	const t = await begin(options)
	sockets[0].accept()
	sockets[0].says(`#session ${ID} 30000 1048576`)
	sockets[0].take()
	return t
}

/** tick lets time pass, and what follows from it. */
export async function tick(ms) {
	while (ms-- > 0) mock.timers.tick(1) // a timer that sets another one does so at its own time
	await settle()
}
