import { decode, encode, isFrame } from "./bytes.js"
import { Calls } from "./calls.js"
import { ConnectionClosed, SessionLost } from "./errors.js"
import { Outbox } from "./outbox.js"
import { watch } from "./watch.js"

const SESSION = "kkrpc.session.1"
const BYTES = "kkrpc.bytes.1"
const SESSION_BYTES = `${SESSION}+bytes.1`
const DESTROY = "__DESTROY__" // asks for the end of a classic connection

// A receiver acknowledges after so many messages, so many characters, and so many milliseconds.
const ACK_MESSAGES = 64
const ACK_LENGTH = 65_536
const ACK_TIME = 1000

const NO_CLOSE_FRAME = 1006
// Close codes of a server that can be reached again: it shuts down, restarts, or has too much to do.
const PASSING = [NO_CLOSE_FRAME, 1001, 1012, 1013]
// What this side closes with: 1001 and 1002 are not for a browser's WebSocket.
const PROTOCOL_ERROR = 4400
const GIVEN_UP = 4408 // the socket, and not the session

const json = { encode: JSON.stringify, decode: JSON.parse }

/**
 * @typedef {import("./index.js").State} State
 * @typedef {import("./outbox.js").Sent} Sent
 * @typedef {ReturnType<typeof setTimeout> | undefined} Timer
 */

/**
 * Connects to a server. index.d.ts has what it takes and returns.
 *
 * @param {string | URL} url
 * @param {import("./index.js").ConnectOptions} options
 * @returns {import("./index.js").Connection}
 */
export function connect(url, options = {}) {
	// What the URL says to a server that selects no subprotocol.
	const [named, layer] = new URLSearchParams(`${url}`.replace(/^[^?]*|#.*/g, "")).get("kkrpc")?.split(",") ?? []
	const agreedBytes = layer === "bytes.1"
	const { dialect = named ?? "compact-json", protocols = [], session = !named, bytes = true } = options
	const { token, tokenParameter, signal, codec = json } = options
	const { replayBuffer = 1 << 20, connectTimeout = 10_000, WebSocket = globalThis.WebSocket } = options
	const { min = 500, max = 30_000 } = options.backoff ?? {}
	const { interval = 25_000, timeout = 10_000, probe: probePlain } = options.heartbeat ?? {}
	if (named && dialect && dialect !== named) throw new TypeError(`connect: the URL names ${named}, and the option dialect ${dialect}`)
	if (agreedBytes && named?.startsWith("classic")) throw new TypeError("connect: kkrpc 0.x takes no bytes, and the URL asks for them")
	const offersBytes = bytes && !named && (dialect?.startsWith("compact") ?? false)
	if (!WebSocket) {
		throw new TypeError("connect: this runtime has no WebSocket: set the option WebSocket, for instance to that of package ws")
	}

	// The connection, whatever socket it is on.
	/** @type {State} */
	let state = { phase: "connecting" }
	const outbox = new Outbox(replayBuffer)
	/** @type {Sent[]} */
	const inbox = [] // texts and frames that nobody has taken
	/** @type {Set<(message: any) => void>} */
	const listeners = new Set() // of messages, in kkrpc 2
	/** @type {((text: any) => void)[]} */
	const readers = [] // calls of read, in kkrpc 0.x
	const calls = new Calls() // in kkrpc 0.x
	/** @type {Set<(state: State) => void>} */
	const stateListeners = new Set()
	/** @type {Set<(reason?: Error) => void>} */
	const closeListeners = new Set()

	// The session; without an id there is none yet, or the connection is a plain one.
	/** @type {string | undefined} */
	let id
	let keep = 0 // how long the server keeps it without a socket, in milliseconds
	/** @type {number | undefined} */
	let lostAt // when its socket ended; undefined while there is one
	let received = 0
	let unacked = 0
	let unackedLength = 0
	/** @type {Timer} */
	let ackTimer

	// The present socket, or the time until the next one.
	/** @type {import("./index.js").WebSocketLike | undefined} */
	let socket
	let live = false // its handshake is done
	let waiting = false // there is none, and timer is for the next attempt
	let resumable = false // it carries a session
	let binary = offersBytes || agreedBytes // it takes frames, or is expected to
	let attempt = 0 // counts all of them
	let failures = 0 // since the server has last sent a message
	let heard = false // since the last beat
	let asked = false // for an acknowledgement, since the last one
	/** @type {Timer} */
	let timer // for the next attempt, or the patience of the present one
	/** @type {Timer} */
	let beatTimer
	/** @type {Timer} */
	let probeTimer

	/**
	 * @param {State["phase"]} phase
	 * @param {Error} [reason]
	 */
	const setState = (phase, reason) => {
		state = /** @type {State} */ (reason ? { phase, reason } : { phase })
		tell(stateListeners, state)
	}

	async function open() {
		const mine = ++attempt
		waiting = false
		clearTimeout(timer)
		timer = setTimeout(() => lose(new Error(`no connection within ${connectTimeout} ms`)), connectTimeout)
		const offers = dialect && (session || !named) ? [`kkrpc.${dialect}`, ...protocols] : [...protocols]
		if (session && offersBytes) offers.push(SESSION_BYTES)
		if (session) offers.push(SESSION)
		if (offersBytes) offers.push(BYTES)
		/** @type {string | undefined} */
		let parameter
		if (token) {
			let value
			try {
				value = await token()
			} catch (/** @type {any} */ err) {
				if (mine === attempt) lose(err)
				return
			}
			if (mine !== attempt) return
			if (tokenParameter) {
				parameter = value
			} else if (/^[\w!#$%&'*+.^`|~-]+$/.test(value)) {
				offers.push(`kkrpc.token.${value}`)
			} else {
				const problem = "the token is empty or has characters that a subprotocol cannot have: encode it, for instance as base64url"
				return finish(new TypeError(`connect: ${problem}`))
			}
		}
		/** @type {import("./index.js").WebSocketLike} */
		let made
		try {
			made = new WebSocket(parameter === undefined ? url : withParameter(url, /** @type {string} */ (tokenParameter), parameter), offers)
		} catch (/** @type {any} */ err) {
			return finish(err) // the URL or a subprotocol is malformed, or the page may not connect there
		}
		socket = made
		let failure = ""
		let opened = false
		made.binaryType = "arraybuffer"
		made.onopen = () => {
			opened = true
			resumable = session && [SESSION, SESSION_BYTES].includes(made.protocol)
			binary = agreedBytes || (offersBytes && [BYTES, SESSION_BYTES].includes(made.protocol))
			if (resumable) made.send(id ? `#resume ${id} ${received}` : "#open")
			else if (id) finish(new SessionLost("unsupported", "the server that answers has no sessions"))
			else ready()
		}
		made.onmessage = ({ data }) => receive(typeof data === "string" || (binary && isFrame(data)) ? data : new TextDecoder().decode(data))
		made.onerror = (event) => (failure = event.message ?? "") // a browser has none
		made.onclose = ({ code: given, reason }) => {
			const code = given || NO_CLOSE_FRAME // Deno says 0
			const err = new ConnectionClosed(code, reason || failure)
			if (!opened || (PASSING.includes(code) && (resumable || !live))) lose(err)
			else finish(err)
		}
	}

	/** The handshake is done. */
	function ready() {
		if (!binary) {
			try {
				// As if bytes had never been offered, but that a Buffer is the Uint8Array that it was in the frame.
				outbox.rewrite((frame) => codec.encode(decode(frame.buffer, codec)))
			} catch (/** @type {any} */ err) {
				return finish(new SessionLost("unsupported", `the server that answers takes no bytes: ${err.message}`))
			}
		}
		live = true
		lostAt = undefined
		clearTimeout(timer)
		unacked = unackedLength = 0
		heard = true
		beat()
		setState("open")
		flush()
	}

	function flush() {
		if (!live) return
		const waits = outbox.write((data) => socket?.send(data))
		if (!resumable) outbox.acknowledge(outbox.sent)
		else if (waits && !asked) {
			asked = true
			socket?.send("#ping") // the server may have a second left until it acknowledges
		}
	}

	/** @param {Sent} data */
	function post(data) {
		if (state.phase === "closed") throw state.reason ?? new ConnectionClosed(1000, "")
		if (!live && outbox.full(data)) {
			finish(new SessionLost("buffer", `more than ${outbox.bound} bytes wait to be sent, see replayBuffer`))
			throw state.reason
		}
		outbox.push(data)
		flush()
	}

	/** @param {any} data a text or a frame */
	function receive(data) {
		heard = true
		clearTimeout(probeTimer)
		probeTimer = undefined
		if (live) failures = 0
		if (!resumable) return deliver(data)
		if (data[0] === "#") return control(data)
		if (!live) return unexpected(data)
		received++
		unackedLength += data.byteLength ?? data.length
		if (++unacked >= ACK_MESSAGES || unackedLength >= ACK_LENGTH) acknowledge()
		else ackTimer ??= setTimeout(acknowledge, ACK_TIME)
		deliver(data)
	}

	/** @param {string} text */
	function control(text) {
		const [kind, ...fields] = text.split(" ")
		const [first, time, bytes] = fields
		if (kind === "#session" && !live && !id && /^[\w-]{43}$/.test(first) && isCount(time) && isCount(bytes)) {
			id = first
			keep = +time
			outbox.bound = Math.min(outbox.bound, +bytes)
			ready()
		} else if (kind === "#resumed" && !live && id && isCount(first) && outbox.acknowledge(+first)) {
			outbox.rewind()
			ready()
		} else if (kind === "#refused" && !live && first) {
			finish(new SessionLost(first, fields.slice(1).join(" ")))
		} else if (kind === "#ack" && live && isCount(first) && outbox.acknowledge(+first)) {
			asked = false
			flush()
		} else if (text === "#ping" && live) {
			acknowledge()
		} else {
			unexpected(text)
		}
	}

	const unexpected = (/** @type {unknown} */ data) =>
		violated(typeof data === "string" ? JSON.stringify(data.slice(0, 80)) : "bytes too early")
	const violated = (/** @type {string} */ what) => finish(new SessionLost("protocol", `the server sent ${what}`), PROTOCOL_ERROR)

	function acknowledge() {
		clearTimeout(ackTimer)
		ackTimer = undefined
		unacked = unackedLength = 0
		if (live) socket?.send(`#ack ${received}`)
	}

	/** @param {any} data */
	function deliver(data) {
		if (typeof data === "string") calls.end(data)
		if (data === DESTROY) finish(new ConnectionClosed(1000, "the server has destroyed its channel"))
		else if (readers.length > 0) readers.shift()?.(data)
		else if (listeners.size > 0 && inbox.length === 0) hand(data)
		else inbox.push(data)
	}

	/** @param {any} data */
	function hand(data) {
		let message
		try {
			message = typeof data === "string" ? codec.decode(data) : decode(data, codec)
		} catch (/** @type {any} */ err) {
			// A text may be no message of kkrpc, a frame is always meant to be one.
			if (typeof data !== "string") violated(`a malformed frame: ${err.message}`)
			return
		}
		for (const listener of [...listeners]) listener(message)
	}

	/** The silence of a server is looked into, and a socket that stays silent is given up. */
	function beat() {
		clearTimeout(beatTimer)
		if (!(interval > 0)) return
		if (!heard) probe()
		heard = false
		beatTimer = setTimeout(beat, interval)
	}

	function probe() {
		if (!live || probeTimer || !(resumable || probePlain)) return
		const err = new ConnectionClosed(NO_CLOSE_FRAME, `the server has sent nothing for ${timeout} ms`)
		probeTimer = setTimeout(() => (resumable ? lose : finish)(err), timeout)
		if (resumable) socket?.send("#ping")
		else probePlain?.()
	}

	/**
	 * The present socket or attempt has failed, and another one follows.
	 *
	 * @param {Error} reason
	 */
	function lose(reason) {
		abandon(GIVEN_UP)
		lostAt ??= Date.now()
		const longest = id && Date.now() - lostAt < keep ? keep / 4 : max // attempts remain after an outage
		const bound = Math.min(longest, max, min * 2 ** failures++)
		timer = setTimeout(open, Math.random() * bound)
		waiting = true
		setState(id ? "paused" : "connecting", reason)
	}

	/**
	 * The connection has ended. Without a reason this side has closed it.
	 *
	 * @param {any} [reason]
	 */
	function finish(reason, code = 1000) {
		if (state.phase === "closed") return
		abandon(code)
		unwatch()
		signal?.removeEventListener("abort", abort)
		outbox.clear()
		refuse(reason)
		setState("closed", reason)
		if (reason) tell(closeListeners, forKkrpc(reason))
		closeListeners.clear()
	}

	/**
	 * The waiting calls of kkrpc 0.x are rejected.
	 *
	 * @param {any} reason
	 */
	function refuse(reason) {
		calls.refuse(reason?.message ?? "the connection is closed").forEach(deliver)
	}

	/** @param {number} code */
	function abandon(code) {
		attempt++ // what awaits a token sees that it is late
		for (const t of [timer, ackTimer, beatTimer, probeTimer]) clearTimeout(t)
		ackTimer = probeTimer = undefined
		live = resumable = waiting = asked = false
		if (!socket) return
		socket.onopen = socket.onmessage = socket.onclose = null
		socket.onerror = () => {} // package ws tells of an error when a socket is closed that is not open yet
		socket.close(code)
		socket = undefined
	}

	const abort = () => finish(signal?.reason)
	const unwatch = watch({
		wake: () => (live ? probe() : waiting && open()),
		doubt: probe,
		rest: () => live && resumable && lose(new Error("the page is in the back/forward cache")),
		leave: () => finish(),
	})

	/** @type {import("./index.js").Connection} */
	const connection = {
		capabilities: { objectMode: false, transfer: false, remoteRefs: true },
		get state() {
			return state
		},
		onState(listener) {
			stateListeners.add(listener)
			return () => void stateListeners.delete(listener)
		},

		send: (message) => post(binary ? encode(message, codec, codec !== json) : codec.encode(message)),
		subscribe(listener) {
			speaks("compact", "2")
			listeners.add(listener)
			// Not at once: the constructor that subscribes has not returned.
			queueMicrotask(() => {
				while (listeners.size > 0 && inbox.length > 0) hand(inbox.shift())
			})
			return () => void listeners.delete(listener)
		},
		onClose(listener) {
			const { phase, reason } = state
			if (phase !== "closed") closeListeners.add(listener)
			else if (reason) queueMicrotask(() => listener(forKkrpc(reason)))
			return () => void closeListeners.delete(listener)
		},
		close: () => finish(),

		name: "kkrpc-go-client",
		read() {
			speaks("classic", "0.x")
			// After the end and its answers this waits for ever: kkrpc 0.2 would ask again at once for whatever it gets instead.
			if (inbox.length === 0) return new Promise((resolve) => readers.push(resolve))
			return Promise.resolve(/** @type {string} */ (inbox.shift()))
		},
		async write(text) {
			calls.begin(text)
			try {
				post(text)
			} catch {
				// kkrpc 0.2 awaits no write, so that a rejection would end the program.
				refuse(state.reason)
			}
		},
		destroy: () => finish(),
		signalDestroy: () => void connection.write(DESTROY),
	}

	/**
	 * @param {string} generation
	 * @param {string} version
	 */
	function speaks(generation, version) {
		if (!dialect || dialect.startsWith(generation)) return
		throw new TypeError(
			`connect: kkrpc ${version} does not speak ${dialect}: set the option dialect to ${generation}-json or ${generation}-superjson`,
		)
	}

	if (signal?.aborted) abort()
	else {
		signal?.addEventListener("abort", abort)
		queueMicrotask(() => state.phase === "connecting" && open())
	}
	return connection
}

/**
 * @param {string | URL} url
 * @param {string} name
 * @param {string} value
 */
function withParameter(url, name, value) {
	const target = new URL(url, globalThis.location?.href)
	target.searchParams.set(name, value)
	return target
}

/**
 * An error of one listener is reported and does not keep the others from being told.
 *
 * @template Value
 * @param {Set<(value: Value) => void>} listeners
 * @param {Value} value
 */
function tell(listeners, value) {
	for (const listener of [...listeners]) {
		try {
			listener(value)
		} catch (err) {
			queueMicrotask(() => {
				throw err
			})
		}
	}
}

/** A clean end of the server has no reason in kkrpc. */
const forKkrpc = (/** @type {any} */ reason) => (reason.code === 1000 ? undefined : reason)

const isCount = (/** @type {string} */ text) => /^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(+text)
