// The host of a Go program that package wasm serves: it starts the program, hands it what arrives, and sends what it
// says. It knows neither the runtime nor Hono's helpers; those pick what they need from handler().

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const UNSUPPORTED = 1003
const TOO_LARGE = 1009
const INTERNAL = 1011
const TRY_LATER = 1013

const FAILED = "the server has failed"

// What crosses together, in bytes; kkrpc_messages has the format.
const SCRATCH = 64 << 10
const HEAD = 8

// How many messages may wait for a program that is starting.
const MAX_WAITING = 1000

/**
 * One started Go program. It ends when the program does; its sockets are closed then.
 */
class Instance {
	#go
	#exports
	#sockets = new Map()
	#inside = false // Go is running, perhaps in one of the functions below
	#later = [] // what came meanwhile
	#full = [] // sockets whose inbox is about to be delivered
	#outbox = [] // sockets that have something to send when Go is left
	#scratch = 0 // where the program reads messages
	#log
	#contexts
	dead = false

	/** Starts the program and resolves when it serves. */
	static async start(module, log, contexts) {
		const instance = new Instance()
		instance.#log = log
		instance.#contexts = contexts
		const go = new globalThis.Go()
		instance.#go = go
		const ready = new Promise((resolve, reject) => {
			go.exit = (code) => {
				const why = code === 0 ? "main has returned, which wasm.Serve does not, or os.Exit was called" : "its output says why"
				const reason = new Error(`the Go program has ended with exit code ${code}: ${why}`)
				reject(reason)
				instance.#die(reason)
			}
			go.importObject.kkrpc = {
				ready: resolve,
				send: (id, at, length) => instance.#send(id, at, length),
				buffered: (id) => instance.#sockets.get(id)?.buffered() ?? 0,
				close: (id, code, at, length) => instance.#sockets.get(id)?.shut(code, instance.#text(at, length)),
			}
		})
		const resume = go._resume.bind(go)
		go._resume = () => instance.#enter(undefined, resume)
		contexts.adopt(go)
		// At once: a Worker's request may end before a promise of it is settled.
		const wasm = new WebAssembly.Instance(module, go.importObject)
		instance.#exports = wasm.exports
		const ended = go.run(wasm)
		ended.catch((reason) => instance.#die(reason))
		await Promise.race([ready, ended.then(() => ready)])
		instance.#scratch = wasm.exports.kkrpc_scratch()
		return instance
	}

	/** Runs f, which calls into Go because of what the socket said, now or as soon as Go is left. */
	#enter(socket, f) {
		if (this.#inside) {
			this.#later.push(f)
			return
		}
		this.#inside = true
		const before = this.#contexts.enter(socket)
		try {
			for (let next = f; next !== undefined && !this.dead; next = this.#later.shift()) next()
		} catch (error) {
			this.#die(error)
		} finally {
			this.#inside = false
			for (let next = this.#outbox.pop(); next !== undefined; next = this.#outbox.pop()) next.flush()
			this.#contexts.leave(before)
		}
	}

	/** Lets the program's goroutines run until all of them wait. */
	#run() {
		if (!this.dead) this.#exports.resume()
	}

	open(socket, about) {
		this.#sockets.set(socket.id, socket)
		this.#enter(socket, () => {
			const data = encoder.encode(about)
			const at = this.#exports.kkrpc_buffer(data.byteLength)
			if (at === 0) return socket.shut(TOO_LARGE, "the request is too large")
			new Uint8Array(this.#exports.mem.buffer, at, data.byteLength).set(data)
			this.#exports.kkrpc_open(socket.id, data.byteLength)
			this.#run()
		})
	}

	/** Takes a message: a string, or bytes. What comes in one moment crosses together. */
	message(socket, data) {
		if (this.dead || socket.inbox.push(data) > 1) return
		const contexts = this.#contexts
		if (contexts.apart) contexts.soon(() => this.#deliver([socket]))
		else if (this.#full.push(socket) === 1) contexts.soon(() => this.#deliverAll())
	}

	#deliverAll() {
		const sockets = this.#full
		this.#full = []
		this.#deliver(sockets)
	}

	/** Gives the program what these sockets have received. */
	#deliver(sockets) {
		this.#enter(sockets[0], () => {
			let used = 0
			for (const socket of sockets) {
				const inbox = socket.inbox
				socket.inbox = []
				for (const data of inbox) used = this.#give(used, socket, data)
			}
			if (used > 0) this.#exports.kkrpc_messages(used)
			this.#run()
		})
	}

	/** Gives the program a message, or writes it behind others of used bytes, and returns what is written now. */
	#give(used, socket, data) {
		if (this.dead || !this.#sockets.has(socket.id)) return used
		const text = typeof data === "string"
		if (most(data) > SCRATCH && text) data = encoder.encode(data)
		if (used > 0 && used + most(data) > SCRATCH) {
			this.#exports.kkrpc_messages(used)
			this.#run() // so that what it takes at once is bounded
			used = 0
		}
		if (most(data) <= SCRATCH) return used + this.#put(used, socket.id, data, text)
		const at = this.#exports.kkrpc_buffer(data.byteLength)
		if (at === 0) {
			socket.shut(TOO_LARGE, "the message is over the limit (Limits.Frame)")
		} else {
			new Uint8Array(this.#exports.mem.buffer, at, data.byteLength).set(data)
			this.#exports.kkrpc_message(socket.id, data.byteLength, text ? 1 : 0)
			this.#run()
		}
		return used
	}

	/** Writes a message behind used others, and returns how many bytes that took. */
	#put(used, id, data, text) {
		const at = this.#scratch + used
		// Views are made anew each time: the memory that they show is another one after it has grown.
		const body = new Uint8Array(this.#exports.mem.buffer, at + HEAD, SCRATCH - used - HEAD)
		let length
		if (typeof data === "string") length = encoder.encodeInto(data, body).written
		else body.set(data), (length = data.byteLength)
		const head = new DataView(this.#exports.mem.buffer, at, HEAD)
		head.setInt32(0, id, true)
		head.setInt32(4, text ? length : ~length, true)
		return HEAD + length
	}

	closed(socket, code) {
		if (socket.inbox.length > 0) this.#deliver([socket]) // what it said before
		if (!this.#sockets.delete(socket.id)) return
		this.#enter(socket, () => {
			this.#exports.kkrpc_closed(socket.id, code)
			this.#run()
		})
	}

	#text(at, length) {
		return decoder.decode(new Uint8Array(this.#exports.mem.buffer, at, length))
	}

	#send(id, at, length) {
		const socket = this.#sockets.get(id)
		if (socket === undefined) return 0
		if (socket.push(this.#text(at, length)) && this.#contexts.may(socket)) this.#outbox.push(socket)
		return socket.buffered()
	}

	#die(reason) {
		if (this.dead) return
		this.dead = true
		this.#contexts.abandon(this.#go)
		this.#later.length = 0
		this.#log("kkrpc:", reason)
		const sockets = [...this.#sockets.values()]
		this.#sockets.clear()
		for (const socket of sockets) socket.shut(INTERNAL, FAILED)
	}
}

/**
 * A WebSocket of the runtime, from its first event to its last.
 */
class Socket {
	static #last = 0

	id = (Socket.#last = (Socket.#last + 1) & 0x7fffffff)
	#host
	#about
	#ws // Hono's WSContext
	#instance // once it has started
	#waiting = [] // messages that came before that, or behind one that is still being read
	inbox = [] // messages that the program has not been given yet
	#out = [] // what is to be sent
	#unsent = 0 // how long that is
	#over = false

	constructor(host, about) {
		this.#host = host
		this.#about = about
	}

	/** Takes the socket at the first event that brings it; Hono's helper for Workers has no onOpen. */
	open(ws) {
		if (this.#ws !== undefined) return
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
	}

	message(data, ws) {
		this.open(ws)
		if (this.#over) return
		if (this.#instance !== undefined && this.#waiting.length === 0 && !isBlob(data)) {
			this.#deliver(data)
			return
		}
		if (this.#waiting.length >= MAX_WAITING) return this.shut(TRY_LATER, "the server is still starting")
		this.#waiting.push(data)
		if (this.#instance !== undefined && this.#waiting.length === 1) return this.#flush()
	}

	/** Delivers what waits, in order: a Blob has to be read first. */
	async #flush() {
		for (; this.#waiting.length > 0 && !this.#over; this.#waiting.shift()) {
			let data = this.#waiting[0]
			try {
				if (isBlob(data)) data = await data.arrayBuffer()
			} catch {
				return this.shut(UNSUPPORTED, "the message cannot be read")
			}
			if (!this.#over) this.#deliver(data)
		}
		this.#waiting.length = 0
	}

	#deliver(data) {
		if (typeof data === "string") this.#instance.message(this, data)
		else if (data instanceof ArrayBuffer) this.#instance.message(this, new Uint8Array(data))
		else if (ArrayBuffer.isView(data)) this.#instance.message(this, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
		else this.shut(UNSUPPORTED, "the message is neither text nor bytes")
	}

	/** Takes text to send. @returns whether flush() has to follow; if the socket may not be used now, it does by itself. */
	push(text) {
		if (this.#over) return false
		this.#unsent += text.length
		if (this.#out.push(text) > 1) return false
		if (!this.#host.contexts.may(this)) this.#host.contexts.later(this, () => this.flush())
		return true
	}

	/** Sends what was pushed, in one go where the runtime has a way. */
	flush() {
		const out = this.#out
		if (out.length === 0) return
		this.#out = []
		this.#unsent = 0
		const raw = this.#ws.raw
		const send = () => {
			try {
				for (const text of out) this.#ws.send(text)
			} catch {
				// It is closing; its close event follows.
			}
		}
		if (out.length === 1) return send()
		if (raw?.cork !== undefined) return raw.cork(send) // Bun
		raw?._socket?.cork?.() // ws, in Node
		send()
		raw?._socket?.uncork?.()
	}

	/** About how many bytes wait here and in the runtime, as far as that tells. */
	buffered() {
		if (!this.#host.contexts.may(this)) return this.#unsent
		const raw = this.#ws.raw
		return this.#unsent + (raw?.bufferedAmount ?? raw?.getBufferedAmount?.() ?? 0)
	}

	/** Closes the socket from this side. */
	shut(code, reason) {
		if (this.#over) return
		this.#over = true
		if (this.#host.contexts.may(this)) this.#close(code, reason)
		else this.#host.contexts.later(this, () => this.#close(code, reason))
		this.#end(code)
	}

	#close(code, reason) {
		this.flush()
		try {
			this.#ws?.close(code, reason)
		} catch {
			// It has closed, in a way that has no event.
		}
	}

	/** Is told that the socket has closed. */
	closed(code) {
		if (this.#over) return
		this.#over = true
		this.#end(code)
	}

	#end(code) {
		this.#waiting.length = 0
		this.#instance?.closed(this, code)
		this.#host.contexts.end(this)
	}
}

/** How many bytes a message takes at most: a character is up to three of UTF-8. */
function most(data) {
	return HEAD + (typeof data === "string" ? 3 * data.length : data.byteLength)
}

function isBlob(data) {
	return typeof Blob !== "undefined" && data instanceof Blob
}

/**
 * What may be done where. In most runtimes, anything anywhere: whoever calls into Go may use every socket, and a timer
 * belongs to nobody. requestContexts in contexts.mjs is for those where it is not so.
 */
const anywhere = {
	/** The socket has had its first event, in its request. */
	begin(_socket) {},
	/** The socket has closed. */
	end(_socket) {},
	/** Go is called for the socket; for undefined, a timer, or a socket that called before. leave() is given the answer. */
	enter(_socket) {},
	leave(_before) {},
	/** Whether the socket may be used now; if not, it may be in later's f. */
	may: (_socket) => true,
	/** Whether a socket's messages are delivered in its request, and not together with those of others. */
	apart: false,
	/** Calls f, which delivers messages, when others of this moment have come too. */
	soon: globalThis.setImmediate === undefined ? (f) => setTimeout(f, 0) : (f) => setImmediate(f),
	later(_socket, f) {
		f()
	},
	/** Sees to the timers of a program that is about to start. */
	adopt(_go) {},
	/** Drops those of a program that has ended: left armed, they would call into it. */
	abandon(go) {
		for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer)
		go._scheduledTimeouts.clear()
	},
}

/**
 * Runs a Go program for as many connections as come, and starts it again after it has failed.
 *
 * @param {() => WebAssembly.Module | Promise<WebAssembly.Module>} load returns the compiled program; it is called once.
 * @param {{log?: (...what: unknown[]) => void}} [options] log is told of a program that ends or cannot start;
 *   console.error by default.
 */
export function createHost(load, { log = console.error, contexts = anywhere } = {}) {
	let module // a promise of it
	let instance
	let starting // a promise of the next instance

	async function start() {
		try {
			module ??= Promise.resolve(load())
			return (instance = await Instance.start(await module, log, contexts))
		} catch (error) {
			log("kkrpc: cannot start the Go program:", error)
			throw error
		} finally {
			starting = undefined
		}
	}

	const host = {
		contexts,
		/** Resolves to the instance that runs. It may have ended when whoever asked gets to see it. */
		running() {
			if (instance !== undefined && !instance.dead) return Promise.resolve(instance)
			return (starting ??= start())
		},
	}

	return {
		/** Starts the program now instead of with the first connection. */
		start: () => host.running().then(() => {}),

		/**
		 * The events of one connection for Hono's upgradeWebSocket.
		 *
		 * @param {import("hono").Context} [c] what the program is told of the request, as its wasm.Request.
		 */
		handler(c) {
			const socket = new Socket(host, c === undefined ? "" : about(c.req))
			return {
				onOpen: (_event, ws) => socket.open(ws),
				onMessage: (event, ws) => socket.message(event.data, ws),
				onClose: (event) => socket.closed(event?.code ?? 0),
				onError: () => socket.closed(0),
			}
		},
	}
}

function about(request) {
	if (typeof request?.param !== "function") {
		throw new TypeError("createHonoWebSocketHandler takes Hono's context, as in upgradeWebSocket((c) => createHonoWebSocketHandler(c)): " +
			"what is exposed, the Go program says by wasm.Serve")
	}
	return JSON.stringify({ url: request.url, params: request.param(), header: request.header() })
}

