// A connection as createHost in host.mjs has it: the events of Hono on one side, what Go and the runtime want of the socket on
// the other.

const OPEN = 1 // a readyState

const NORMAL = 1000
const UNSUPPORTED = 1003
export const TOO_LARGE = 1009
export const INTERNAL = 1011
const TRY_LATER = 1013

const NO_CODE = [0, 1005, 1006] // of closes that had none

export const FAILED = "the server has failed"
const LATER = "the server is still starting"

// What runtimes say when they close a socket because of the size of a message: ws in Node, Bun, Deno and workerd.
const TOO_BIG = /max payload size|too (big|large)/i

// How many bytes of a socket's messages, and of those of all sockets, may wait for a program that is starting, or behind a
// Blob that is being read; one message may be larger. OVERHEAD is what each counts for besides.
const MAX_WAITING = 4 << 20
const MAX_WAITING_ALL = 64 << 20
const OVERHEAD = 64

// How many milliseconds pass until a message is sent again that Bun did not take, and how many until a close waits no more.
const AGAIN = 10
const PATIENCE = 30_000

/**
 * @typedef {string | Uint8Array} Message as the program takes and gives it
 * @typedef {import("hono/ws").WSContext<any>} WSContext
 * @typedef {import("./host.mjs").Instance} Instance
 */

/**
 * What sockets have of createHost.
 *
 * @typedef {object} Host
 * @property {import("./host.mjs").Contexts} contexts
 * @property {(...what: unknown[]) => void} log
 * @property {Waiting} waiting
 * @property {() => Promise<Instance>} running resolves to the instance that runs, which may have ended meanwhile
 */

/** How many bytes wait in all sockets of a host. */
export class Waiting {
	/** @type {Map<Socket, number>} */
	#sockets = new Map() // to what the messages of each cost
	#size = 0

	/**
	 * @param {Socket} socket
	 * @param {number} size in bytes
	 */
	set(socket, size) {
		this.#size += size - (this.#sockets.get(socket) ?? 0)
		if (size > 0) this.#sockets.set(socket, size)
		else this.#sockets.delete(socket)
	}

	/** @returns the socket whose messages cost most if there are too many, and of more than one socket. */
	worst() {
		if (this.#size <= MAX_WAITING_ALL || this.#sockets.size < 2) return
		return [...this.#sockets].reduce((a, b) => (b[1] > a[1] ? b : a))[0]
	}
}

/**
 * A WebSocket of the runtime, from its first event to its last.
 */
export class Socket {
	static #last = 0

	id = (Socket.#last = (Socket.#last + 1) & 0x7fffffff)
	#host
	#about
	/** @type {import("./values.mjs").Values | undefined} */
	values // what the program may ask for
	/** @type {WSContext | undefined} */
	#ws
	/** @type {Instance | undefined} */
	#instance // once it has started
	/** @type {any[]} */
	#waiting = [] // messages that came before that, or behind one that is still being read
	#size = 0 // what they cost
	/** @type {number | undefined} */
	#left // the code of a close that came behind them
	/** @type {Message[]} */
	inbox = [] // messages that the program has not been given yet
	/** @type {import("./batch.mjs").Batch | undefined} */
	batch // of these, where each socket has its own
	/** @type {Message[]} */
	#out = [] // what is to be sent
	#unsent = 0 // how long that is
	/** @type {import("./host.mjs").Timer} */
	#again // a timer: Bun has not taken all of it
	/** @type {{code: number, reason: string, until: number} | undefined} */
	#shut // a close that waits for that, and until when
	#over = false

	/**
	 * @param {Host} host
	 * @param {string} about what the program is told of the request, as JSON
	 * @param {import("./values.mjs").Values} values
	 */
	constructor(host, about, values) {
		this.#host = host
		this.#about = about
		this.values = values
	}

	/**
	 * Takes the socket at the first event that brings it; Hono's helper for Workers has no onOpen.
	 *
	 * @param {WSContext} ws
	 * @returns whether it is this one
	 */
	open(ws) {
		if (!this.owns(ws)) return this.#refuse(ws)
		if (this.#ws !== undefined) return true
		if (this.#over) return false
		this.#ws = ws
		// A Blob has to be read first. What Bun and ws have by default does as well, and Hono's helper for Bun needs it.
		if (ws.raw?.binaryType === "blob") ws.raw.binaryType = "arraybuffer"
		this.#host.contexts.begin(this)
		this.#host.running().then(
			(instance) => {
				if (this.#over) return
				if (instance.dead) return this.shut(INTERNAL, FAILED)
				this.#instance = instance
				instance.open(this, this.#about)
				return this.#flush()
			},
			() => this.shut(INTERNAL, "the server cannot start"),
		)
		return true
	}

	/**
	 * Whether an event is of this socket, and not of another one to which the application has given the same handlers.
	 *
	 * @param {WSContext | undefined} ws
	 */
	owns(ws) {
		return this.#ws === undefined || ws === undefined || this.#ws.raw === ws.raw
	}

	/**
	 * Closes another socket: its messages would be taken for those of this one.
	 *
	 * @param {WSContext} ws
	 */
	#refuse(ws) {
		this.#host.log("kkrpc: createHonoWebSocketHandler has to be called for each connection; two were given the same handlers")
		ws.close(INTERNAL, FAILED)
		return false
	}

	/**
	 * @param {any} data what the runtime has received
	 * @param {WSContext} ws
	 */
	message(data, ws) {
		if (!this.open(ws) || this.#over || this.#left !== undefined) return
		if (this.#instance !== undefined && this.#waiting.length === 0 && !isBlob(data)) {
			this.#deliver(data)
			return
		}
		const size = this.#size + cost(data)
		if (this.#waiting.length > 0 && size > MAX_WAITING) return this.shut(TRY_LATER, LATER)
		this.#wait(size)
		this.#waiting.push(data)
		for (let worst = this.#host.waiting.worst(); worst !== undefined; worst = this.#host.waiting.worst()) worst.shut(TRY_LATER, LATER)
		if (this.#over) return
		if (this.#instance !== undefined && this.#waiting.length === 1) return this.#flush()
	}

	/**
	 * Is told what the messages that wait cost.
	 *
	 * @param {number} size
	 */
	#wait(size) {
		this.#size = size
		this.#host.waiting.set(this, size)
	}

	/** Delivers what waits, in order: a Blob has to be read first. */
	async #flush() {
		for (; this.#waiting.length > 0 && !this.#over; this.#waiting.shift()) {
			let data = this.#waiting[0]
			const size = cost(data)
			try {
				if (isBlob(data)) data = await data.arrayBuffer()
			} catch {
				return this.shut(UNSUPPORTED, "the message cannot be read")
			}
			if (!this.#over) this.#deliver(data)
			if (!this.#over) this.#wait(this.#size - size)
		}
		this.#waiting.length = 0
		this.#wait(0)
		if (this.#left !== undefined) this.#end(this.#left)
	}

	/** @param {any} data */
	#deliver(data) {
		const instance = /** @type {Instance} */ (this.#instance)
		if (typeof data === "string") instance.message(this, data)
		else if (data instanceof ArrayBuffer) instance.message(this, new Uint8Array(data))
		else if (ArrayBuffer.isView(data)) instance.message(this, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
		else if (isSharedBuffer(data)) instance.message(this, new Uint8Array(data))
		else this.shut(UNSUPPORTED, "the message is neither text nor bytes")
	}

	/**
	 * Takes a message to send.
	 *
	 * @param {Message} data
	 * @returns whether flush() has to follow; if the socket may not be used now, it does by itself
	 */
	push(data) {
		if (this.#over) return false
		this.#unsent += data.length
		if (this.#out.push(data) > 1) return false
		if (!this.#host.contexts.may(this)) this.#host.contexts.later(this, () => this.flush())
		return true
	}

	/** Sends what was pushed, in one go where the runtime has a way. */
	flush() {
		const out = this.#out
		if (out.length === 0 || this.#again !== undefined) return
		this.#out = []
		this.#unsent = 0
		const raw = this.#ws?.raw
		let sent = 0
		const send = () => {
			while (sent < out.length && this.#take(raw, out[sent])) sent++
		}
		try {
			if (out.length === 1) {
				send()
			} else if (raw?.cork !== undefined) {
				raw.cork(send) // Bun
			} else {
				raw?._socket?.cork?.() // ws, in Node
				send()
			}
			if (sent < out.length) this.#keep(out.slice(sent))
		} catch {
			// It is closing; its close event follows.
		} finally {
			if (out.length > 1) raw?._socket?.uncork?.()
		}
	}

	/**
	 * Sends a message.
	 *
	 * @param {any} raw the socket of the runtime
	 * @param {Message} data
	 * @returns false if Bun has not taken it, because of its backpressureLimit
	 */
	#take(raw, data) {
		if (raw?.cork === undefined) {
			this.#ws?.send(/** @type {string | Uint8Array<ArrayBuffer>} */ (data))
			return true
		}
		return raw.send(data) !== 0 || raw.readyState !== OPEN // else it was dropped
	}

	/**
	 * Keeps what Bun has not taken, and sends it later.
	 *
	 * @param {Message[]} out
	 */
	#keep(out) {
		this.#out = out
		this.#unsent = out.reduce((size, data) => size + data.length, 0)
		this.#again = setTimeout(() => {
			this.#again = undefined
			this.flush()
			const shut = this.#shut
			if (shut !== undefined && (this.#again === undefined || Date.now() > shut.until)) this.#close(shut.code, shut.reason)
		}, AGAIN)
	}

	/**
	 * About how many bytes wait here and in the runtime, as far as that tells.
	 *
	 * @returns {number}
	 */
	buffered() {
		if (!this.#host.contexts.may(this)) return this.#unsent
		const raw = this.#ws?.raw
		return this.#unsent + (raw?.bufferedAmount ?? raw?.getBufferedAmount?.() ?? 0)
	}

	/**
	 * Closes the socket from this side.
	 *
	 * @param {number} code
	 * @param {string} reason
	 */
	shut(code, reason) {
		if (this.#over) return
		this.#over = true
		if (this.#host.contexts.may(this)) this.#close(code, reason)
		else this.#host.contexts.later(this, () => this.#close(code, reason))
		this.#end(code, reason)
	}

	/**
	 * @param {number} code
	 * @param {string} reason
	 */
	#close(code, reason) {
		this.flush()
		if (this.#again !== undefined) {
			this.#shut ??= { code, reason, until: Date.now() + PATIENCE }
			if (Date.now() <= this.#shut.until) return
		}
		clearTimeout(this.#again)
		try {
			this.#ws?.close(code, reason)
		} catch {
			// It has closed, in a way that has no event.
		}
	}

	/**
	 * Is told, in its own request, that the socket has closed. Where there was no close frame, reason is the runtime's.
	 *
	 * @param {number} code
	 * @param {string} reason
	 */
	closed(code, reason) {
		if (this.#over || this.#left !== undefined) return
		if (code === 1006 && TOO_BIG.test(reason)) return this.#refused(reason)
		this.#close(NO_CODE.includes(code) ? NORMAL : code, "") // Workers do not answer a close before compatibility date 2026-04-07
		if (this.#waiting.length > 0 && !this.#host.contexts.apart) {
			this.#left = code // what it said before comes first; a request would end meanwhile
			return
		}
		this.#over = true
		this.#end(code)
	}

	/**
	 * Is told, in its own request, that the socket has failed, or the application's code for it.
	 *
	 * @param {string} reason
	 */
	failed(reason) {
		if (this.#over) return
		if (TOO_BIG.test(reason)) return this.#refused(reason)
		this.#over = true
		this.#close(INTERNAL, FAILED)
		this.#end(0, reason)
	}

	/**
	 * Is told that the runtime has closed the socket because of the size of a message.
	 *
	 * @param {string} reason
	 */
	#refused(reason) {
		this.shut(TOO_LARGE, `the message is too large for the JavaScript server: ${reason}`)
	}

	/**
	 * @param {number} code
	 * @param {string} [reason]
	 */
	#end(code, reason) {
		this.#over = true
		this.#waiting.length = 0
		this.#wait(0)
		this.#instance?.closed(this, code, reason)
		this.values = undefined // the runtime may keep the socket for longer
		this.#host.contexts.end(this)
	}
}

/**
 * What a message that waits counts for, in bytes.
 *
 * @param {any} data
 */
function cost(data) {
	return OVERHEAD + (data.size ?? data.byteLength ?? data.length)
}

/** @param {any} data */
function isSharedBuffer(data) {
	return data?.byteLength !== undefined // the class is not global everywhere
}

/** @param {unknown} data */
function isBlob(data) {
	return typeof Blob !== "undefined" && data instanceof Blob
}
