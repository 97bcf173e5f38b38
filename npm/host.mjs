// The host of a Go program that package wasm serves: it starts the program, hands it what arrives, and sends what it
// says. It knows neither the runtime nor Hono's helpers; those pick what they need from handler().

import { Batch } from "./batch.mjs"
import { Fetches } from "./fetch.mjs"
import { FAILED, INTERNAL, Socket, TOO_LARGE, Waiting } from "./socket.mjs"
import { processEnvironment, Values } from "./values.mjs"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

// What crosses together, in bytes; kkrpc_messages has the format.
const SCRATCH = 64 << 10
const HEAD = 8

// How the console is told of what package wasm/console says, by its level.
const LEVELS = ["debug", "info", "warn", "error"]

/**
 * One started Go program. It ends when the program does; its sockets are closed then.
 */
class Instance {
	#go
	#exports
	#sockets = new Map()
	#inside = false // Go is running, perhaps in one of the functions below
	#later = [] // what came meanwhile
	#batch // of all sockets, where they have none of their own
	#outbox = [] // sockets that have something to send when Go is left
	#scratch = 0 // where the program reads messages
	#answer // what the program has asked for and takes next
	#fetches
	#log
	#contexts
	maxMessage // in bytes
	dead = false

	/** Starts the program and resolves when it serves. */
	static async start(Go, module, log, contexts) {
		const instance = new Instance()
		instance.#log = log
		instance.#contexts = contexts
		instance.#batch = instance.#newBatch()
		instance.#fetches = instance.#newFetches()
		const go = new Go()
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
				value: (id, kind, at, length, most) => instance.#ask(id, kind, instance.#text(at, length), most),
				take: (at) => instance.#take(at),
				ask: (id, token, at, length, from, size, most) =>
					instance.#call(id, token, instance.#text(at, length), instance.#bytes(from, size).slice(), most),
				print: (level, at, length) => console[LEVELS[level]](instance.#text(at, length)),
				...instance.#fetches.imports,
			}
		})
		const resume = go._resume.bind(go)
		go._resume = () => (instance.#inside ? instance.#callBack(resume) : instance.#enter(undefined, resume))
		contexts.adopt(go)
		// At once: a Worker's request may end before a promise of it is settled.
		const wasm = new WebAssembly.Instance(module, go.importObject)
		instance.#exports = wasm.exports
		const ended = go.run(wasm)
		ended.catch((reason) => instance.#die(reason))
		await Promise.race([ready, ended.then(() => ready)])
		instance.#scratch = wasm.exports.kkrpc_scratch()
		instance.maxMessage = wasm.exports.kkrpc_frame()
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
			if (this.dead) this.#free()
			for (let next = this.#outbox.pop(); next !== undefined; next = this.#outbox.pop()) next.flush()
			this.#contexts.leave(before)
		}
	}

	/** Runs a js.Func that JavaScript calls which Go has called: both wait for what it returns. */
	#callBack(resume) {
		try {
			resume()
		} catch (error) {
			this.#die(error)
			// wasm_exec.js gives errors of JavaScript to the Go that has called, which would go on with a broken stack. Without the
			// instance, as after an exit, that fails too.
			delete this.#go._inst
			throw error
		}
	}

	/** Lets go of the memory of a program that has ended: its sockets may stay with the runtime for a while. */
	#free() {
		this.#go = undefined
		this.#exports = undefined
	}

	/** Lets the program's goroutines run until all of them wait. */
	#run() {
		if (!this.dead) this.#exports.resume()
	}

	open(socket, about) {
		this.#sockets.set(socket.id, socket)
		this.#enter(socket, () => {
			const data = encoder.encode(about)
			if (!this.#copy(data)) return socket.shut(TOO_LARGE, "the request is too large")
			this.#exports.kkrpc_open(socket.id, data.byteLength)
			this.#run()
		})
	}

	/** Takes a message: a string, or bytes. What comes in one moment crosses together. */
	message(socket, data) {
		if (this.dead) return
		const batch = this.#contexts.apart ? (socket.batch ??= this.#newBatch()) : this.#batch
		batch.add(socket, data)
	}

	#newBatch() {
		return new Batch(this.#contexts, (sockets) => this.#deliver(sockets))
	}

	#newFetches() {
		return new Fetches({
			contexts: this.#contexts,
			bytes: (at, length) => this.#bytes(at, length),
			socket: (id) => this.#sockets.get(id),
			enter: (socket, f) => {
				if (this.dead) return
				this.#enter(socket, () => {
					f(this.#exports)
					this.#run()
				})
			},
		})
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
			if (used > 0 && !this.dead) this.#exports.kkrpc_messages(used)
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
			if (this.dead) return 0
			used = 0
		}
		if (most(data) <= SCRATCH) return used + this.#put(used, socket.id, data, text)
		if (!this.#copy(data)) {
			socket.shut(TOO_LARGE, "the message is over the limit (Limits.Frame)")
		} else {
			this.#exports.kkrpc_message(socket.id, data.byteLength, text ? 1 : 0)
			this.#run()
		}
		return used
	}

	/** Writes bytes where the program looks for them with its next call. @returns false if it does not want so many. */
	#copy(data) {
		const at = this.#exports.kkrpc_buffer(data.byteLength)
		if (at !== 0) this.#bytes(at, data.byteLength).set(data)
		return at !== 0
	}

	/** A view of the program's memory, which ends when that grows. Addresses have no sign in Go. */
	#bytes(at, length) {
		return new Uint8Array(this.#exports.mem.buffer, at >>> 0, length)
	}

	/** Writes a message behind used others, and returns how many bytes that took. */
	#put(used, id, data, text) {
		const at = this.#scratch + used
		const body = this.#bytes(at + HEAD, SCRATCH - used - HEAD)
		let length
		if (typeof data === "string") length = encoder.encodeInto(data, body).written
		else body.set(data), (length = data.byteLength)
		const head = new DataView(this.#exports.mem.buffer, at, HEAD)
		head.setInt32(0, id, true)
		head.setInt32(4, text ? length : ~length, true)
		return HEAD + length
	}

	/** Tells the program that a socket has closed. reason says why this side has closed it, and is undefined for the peer. */
	closed(socket, code, reason = "") {
		socket.batch?.drop()
		if (socket.inbox.length > 0) this.#deliver([socket]) // what it said before
		if (!this.#sockets.delete(socket.id)) return
		if (this.#contexts.apart) this.#fetches.left(socket)
		this.#enter(socket, () => {
			const data = encoder.encode(reason)
			if (data.byteLength > 0) this.#copy(data)
			this.#exports.kkrpc_closed(socket.id, code, data.byteLength)
			this.#run()
		})
	}

	#text(at, length) {
		return decoder.decode(this.#bytes(at, length))
	}

	#send(id, at, length) {
		const socket = this.#sockets.get(id)
		if (socket === undefined) return 0
		if (socket.push(this.#text(at, length)) && this.#contexts.may(socket)) this.#outbox.push(socket)
		return socket.buffered()
	}

	/** Finds a value of a connection. @returns how many bytes #take writes, 0 if the connection has ended. */
	#ask(id, kind, name, most) {
		this.#answer = this.#sockets.get(id)?.values?.answer(kind, name, most)
		return this.#answer?.byteLength ?? 0
	}

	/** Runs calls of a binding in the request of a connection. @returns 0 if that has ended. */
	#call(id, token, text, blob, most) {
		const socket = this.#sockets.get(id)
		const values = socket?.values
		if (values === undefined) return 0
		const run = async () => {
			const answer = await values.run(text, blob, most)
			this.#enter(socket, () => {
				this.#answer = answer
				this.#exports.kkrpc_answered(token, answer.byteLength)
				this.#answer = undefined // nobody has waited for it
				this.#run()
			})
		}
		if (this.#contexts.may(socket)) void run()
		else this.#contexts.later(socket, run)
		return 1
	}

	#take(at) {
		this.#bytes(at, this.#answer.byteLength).set(this.#answer)
		this.#answer = undefined
	}

	#die(reason) {
		if (this.dead) return
		this.dead = true
		this.#contexts.abandon(this.#go)
		this.#later.length = 0
		this.#fetches.drop()
		this.#log("kkrpc:", reason)
		const sockets = [...this.#sockets.values()]
		this.#sockets.clear()
		for (const socket of sockets) socket.shut(INTERNAL, FAILED)
		if (!this.#inside) this.#free()
	}
}

/** How many bytes a message takes at most: a character is up to three of UTF-8. */
function most(data) {
	return HEAD + (typeof data === "string" ? 3 * data.length : data.byteLength)
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
	/** The socket in whose request a fetch for it has to run, or null if there is none; undefined where that does not matter. */
	home(_socket) {},
	/** Whether a socket's messages are delivered in its request, and not together with those of others. */
	apart: false,
	/** Whether a batch need not wait for soon, which returns a timer then. */
	early: false,
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
 * @param {() => WebAssembly.Module | Promise<WebAssembly.Module>} load returns the compiled program; it is called
 *   once, and again after it has failed.
 * @param {{log?: (...what: unknown[]) => void, most?: number, environment?: typeof processEnvironment,
 *   passed?: (c: import("hono").Context) => Record<string, string> | undefined}} [options] log is told of a program that ends or
 *   cannot start; console.error by default. most is the size in bytes of the largest message that the runtime takes. environment
 *   finds a variable of the environment, and passed the JSON of variables that another context has had.
 */
export function createHost(
	load,
	{ log = console.error, contexts = anywhere, most = Infinity, environment = processEnvironment, passed = () => undefined } = {},
) {
	const { Go } = globalThis // now: another bundle may bring that of another version of Go
	let module // a promise of it
	let instance
	let starting // a promise of the next instance

	async function start() {
		try {
			if (Go === undefined) throw new Error("import wasm_exec.js, of the Go that has built the program, before createHost is called")
			module ??= Promise.resolve(load())
			module.catch(() => (module = undefined)) // the next connection tries again
			instance = await Instance.start(Go, await module, log, contexts)
			if (instance.maxMessage > most) {
				log(`kkrpc: Limits.Frame is ${instance.maxMessage} bytes, but this runtime takes messages of up to ${most}`)
			}
			return instance
		} catch (error) {
			log("kkrpc: cannot start the Go program:", error)
			throw error
		} finally {
			starting = undefined
		}
	}

	const host = {
		contexts,
		log,
		waiting: new Waiting(),
		/** Resolves to the instance that runs. It may have ended when whoever asked gets to see it. */
		running() {
			if (instance !== undefined && !instance.dead) return Promise.resolve(instance)
			return (starting ??= start())
		},
	}

	return {
		/** Starts the program now instead of with the first connection. */
		start: () => host.running().then(() => {}),

		/** Starts the program, and resolves to the size in bytes of the largest message that it takes, its Limits.Frame. */
		maxMessage: () => host.running().then((instance) => instance.maxMessage),

		/**
		 * The events of one connection for Hono's upgradeWebSocket.
		 *
		 * @param {import("hono").Context} [c] what the program is told of the request, as its wasm.Request, and what it may ask
		 *   for by wasm.Var.
		 */
		handler(c) {
			const socket = new Socket(host, c === undefined ? "" : about(c.req), new Values(c, environment, passed))
			return {
				onOpen: (_event, ws) => socket.open(ws),
				onMessage: (event, ws) => socket.message(event.data, ws),
				onClose: (event, ws) => socket.owns(ws) && socket.closed(event?.code ?? 0, event?.reason),
				onError: (event, ws) => socket.owns(ws) && socket.failed(event?.error?.message || event?.message),
			}
		},
	}
}

function about(request) {
	if (typeof request?.param !== "function") {
		throw new TypeError(
			"createHonoWebSocketHandler takes Hono's context, as in upgradeWebSocket((c) => createHonoWebSocketHandler(c)): " +
				"what is exposed, the Go program says by wasm.Serve",
		)
	}
	return JSON.stringify({ url: request.url, params: request.param(), header: request.header() })
}
