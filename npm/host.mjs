// The host of a Go program that package wasm serves: it starts the program, hands it what arrives, and sends what it
// says. It knows neither the runtime nor Hono's helpers; those pick what they need from handler().

import { Batch } from "./batch.mjs"
import { Fetches } from "./fetch.mjs"
import { memoryOf, Runtime, runGoroutines } from "./runtime.mjs"
import { FAILED, INTERNAL, Socket, TOO_LARGE, Waiting } from "./socket.mjs"
import { processEnvironment, Values } from "./values.mjs"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const FRAME = 0xb1 // the first byte of a binary frame with bytes beside the text, and of no text in UTF-8

// What crosses together, in bytes; kkrpc_messages has the format.
const SCRATCH = 64 << 10
const HEAD = 8

// How many milliseconds a program may take before it is said that it does not serve: nothing else tells of a deadlock.
const LATE = 10_000

// How the console is told of what package wasm/console says, by its level.
const LEVELS = /** @type {const} */ (["debug", "info", "warn", "error"])

/**
 * @typedef {import("./socket.mjs").Message} Message
 * @typedef {ReturnType<typeof setTimeout> | undefined} Timer
 * @typedef {Record<string, (...of: number[]) => number | void>} Imports
 */

/**
 * What the program exports: Go's runtime, wasm/bridge_js.go, and those of wasm/fetch and wasm/durable if it has these.
 *
 * @typedef {object} ProgramExports
 * @property {() => number} kkrpc_scratch
 * @property {() => number} kkrpc_frame
 * @property {(length: number) => number} kkrpc_buffer
 * @property {(id: number, length: number) => void} kkrpc_open
 * @property {(id: number, length: number, text: number) => void} kkrpc_message
 * @property {(used: number) => void} kkrpc_messages
 * @property {(id: number, code: number, length: number) => void} kkrpc_closed
 * @property {(token: number, length: number) => void} kkrpc_answered
 * @property {(length: number) => number} kkrpc_fetch_buffer
 * @property {(id: number, event: number, length: number) => void} kkrpc_fetch
 * @property {(length: number) => number} kkrpc_durable_buffer
 * @property {(token: number) => void} kkrpc_durable_answered
 * @property {() => number} [kkrpc_durable_hibernates]
 * @property {(connections: number) => void} [kkrpc_durable_wake]
 * @property {() => void} kkrpc_durable_rest
 * @property {() => void} kkrpc_durable_sleep
 * @property {(token: number, retries: number) => void} [kkrpc_durable_alarm]
 * @typedef {ProgramExports & import("./runtime.mjs").RuntimeExports} Exports
 */

/**
 * One started Go program. It ends when the program does; its sockets are closed then.
 */
export class Instance {
	/** @type {Runtime | undefined} */
	#runtime
	#exports = /** @type {Exports} */ ({}) // from the start to the end
	/** @type {Map<number, Socket>} */
	#sockets = new Map()
	#inside = false // Go is running, perhaps in one of the functions below
	/** @type {(() => void)[]} */
	#later = [] // what came meanwhile
	#batch // of all sockets, where they have none of their own
	/** @type {Socket[]} */
	#outbox = [] // sockets that have something to send when Go is left
	#scratch = 0 // where the program reads messages
	/** @type {Uint8Array | undefined} */
	#answer // what the program has asked for and takes next
	#fetches
	/** @type {DurableSide | undefined} */
	durable // the Durable Object, if there is one
	#log
	#contexts
	maxMessage = 0 // in bytes
	dead = false

	/**
	 * @param {(...what: unknown[]) => void} log
	 * @param {Contexts} contexts
	 * @param {(program: import("./fetch.mjs").Program) => DurableSide} [durable]
	 */
	constructor(log, contexts, durable) {
		this.#log = log
		this.#contexts = contexts
		this.#batch = this.#newBatch()
		const program = this.#program()
		this.#fetches = new Fetches(program)
		this.durable = durable?.(program)
	}

	/**
	 * Starts the program and resolves when it serves.
	 *
	 * @param {new () => import("./runtime.mjs").Go} Go
	 * @param {WebAssembly.Module} module
	 * @param {(...what: unknown[]) => void} log
	 * @param {Contexts} contexts
	 * @param {(program: import("./fetch.mjs").Program) => DurableSide} [durable]
	 */
	static async start(Go, module, log, contexts, durable) {
		const instance = new Instance(log, contexts, durable)
		const runtime = new Runtime(Go)
		const { go } = runtime
		instance.#runtime = runtime
		/** @type {Promise<void>} */
		const ready = new Promise((resolve, reject) => {
			go.exit = (code) => {
				const why = code === 0 ? "main has returned, which wasm.Serve does not, or os.Exit was called" : "its output says why"
				const reason = new Error(`the Go program has ended with exit code ${code}: ${why}`)
				reject(reason)
				instance.#die(reason)
			}
			go.importObject.kkrpc = instance.#imports(resolve)
		})
		runtime.wrapResume((resume) => (instance.#inside ? instance.#callBack(resume) : instance.#enter(undefined, resume)))
		contexts.adopt(runtime)
		// At once: a Worker's request may end before a promise of it is settled.
		const wasm = new WebAssembly.Instance(module, go.importObject)
		const exports = /** @type {Exports} */ (/** @type {unknown} */ (wasm.exports))
		instance.#exports = exports
		const ended = go.run(wasm)
		ended.catch((reason) => instance.#die(reason))
		const late = setTimeout(() => log("kkrpc: the Go program has not called wasm.Serve for 10 s; its connections wait for that"), LATE)
		try {
			await Promise.race([ready, ended.then(() => ready)])
		} finally {
			clearTimeout(late)
		}
		instance.#scratch = exports.kkrpc_scratch()
		instance.maxMessage = exports.kkrpc_frame()
		instance.durable?.started(exports)
		return instance
	}

	/**
	 * The functions that the program imports.
	 *
	 * @param {() => void} ready
	 * @returns {Imports}
	 */
	#imports(ready) {
		return {
			ready,
			send: (id, at, length) => this.#send(id, at, length),
			buffered: (id) => this.#sockets.get(id)?.buffered() ?? 0,
			close: (id, code, at, length) => this.#sockets.get(id)?.shut(code, this.#text(at, length)),
			value: (id, kind, at, length, most) => this.#ask(id, kind, this.#text(at, length), most),
			take: (at) => this.#take(at),
			ask: (id, token, at, length, from, size, most) =>
				this.#call(id, token, this.#text(at, length), this.#bytes(from, size).slice(), most),
			print: (level, at, length) => console[LEVELS[level]](this.#text(at, length)),
			...this.#fetches.imports,
			...(this.durable?.imports ?? noObject),
		}
	}

	/**
	 * Runs f, which calls into Go because of what the socket said, now or as soon as Go is left.
	 *
	 * @param {Socket | null | undefined} socket
	 * @param {() => void} f
	 */
	#enter(socket, f) {
		if (this.#inside) {
			this.#later.push(f)
			return
		}
		this.#inside = true
		const before = this.#contexts.enter(socket)
		try {
			for (let next = /** @type {(() => void) | undefined} */ (f); next !== undefined && !this.dead; next = this.#later.shift()) next()
		} catch (error) {
			this.#die(error)
		} finally {
			this.#inside = false
			if (this.dead) this.#free()
			for (let next = this.#outbox.pop(); next !== undefined; next = this.#outbox.pop()) next.flush()
			this.#contexts.leave(before)
			if (!this.dead) this.durable?.left()
		}
	}

	/**
	 * Runs a js.Func that JavaScript calls which Go has called: both wait for what it returns.
	 *
	 * @param {() => void} resume
	 */
	#callBack(resume) {
		try {
			resume()
		} catch (error) {
			this.#die(error)
			this.#runtime?.cutOff()
			throw error
		}
	}

	/** Lets go of the memory of a program that has ended: its sockets may stay with the runtime for a while. */
	#free() {
		this.#runtime = undefined
		this.#exports = /** @type {Exports} */ ({})
	}

	/** Lets the program's goroutines run until all of them wait. */
	#run() {
		if (!this.dead) runGoroutines(this.#exports)
	}

	/**
	 * @param {Socket} socket
	 * @param {string} about
	 */
	open(socket, about) {
		this.#sockets.set(socket.id, socket)
		this.#enter(socket, () => {
			const data = encoder.encode(about)
			if (!this.#copy(data)) return socket.shut(TOO_LARGE, "the request is too large")
			this.#exports.kkrpc_open(socket.id, data.byteLength)
			this.#run()
		})
	}

	/**
	 * Takes a message. What comes in one moment crosses together.
	 *
	 * @param {Socket} socket
	 * @param {Message} data
	 */
	message(socket, data) {
		if (this.dead) return
		const batch = this.#contexts.apart ? (socket.batch ??= this.#newBatch()) : this.#batch
		batch.add(socket, data)
	}

	#newBatch() {
		return new Batch(this.#contexts, (sockets) => this.#deliver(sockets))
	}

	/** @returns {import("./fetch.mjs").Program} */
	#program() {
		return {
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
		}
	}

	/**
	 * Gives the program what these sockets have received.
	 *
	 * @param {Socket[]} sockets
	 */
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

	/**
	 * Gives the program a message, or writes it behind others of used bytes, and returns what is written now.
	 *
	 * @param {number} used
	 * @param {Socket} socket
	 * @param {Message} data
	 */
	#give(used, socket, data) {
		if (this.dead || !this.#sockets.has(socket.id)) return used
		const text = typeof data === "string"
		if (most(data) > SCRATCH && typeof data === "string") data = encoder.encode(data)
		if (used > 0 && used + most(data) > SCRATCH) {
			this.#exports.kkrpc_messages(used)
			this.#run() // so that what it takes at once is bounded
			if (this.dead) return 0
			used = 0
		}
		if (most(data) <= SCRATCH) return used + this.#put(used, socket.id, data, text)
		const bytes = /** @type {Uint8Array} */ (data) // a text of this size has become bytes
		if (!this.#copy(bytes)) {
			socket.shut(TOO_LARGE, "the message is over the limit (Limits.Frame)")
		} else {
			this.#exports.kkrpc_message(socket.id, bytes.byteLength, text ? 1 : 0)
			this.#run()
		}
		return used
	}

	/**
	 * Writes bytes where the program looks for them with its next call.
	 *
	 * @param {Uint8Array} data
	 * @returns false if it does not want so many
	 */
	#copy(data) {
		const at = this.#exports.kkrpc_buffer(data.byteLength)
		if (at !== 0) this.#bytes(at, data.byteLength).set(data)
		return at !== 0
	}

	/**
	 * A view of the program's memory, which ends when that grows. Addresses have no sign in Go.
	 *
	 * @param {number} at
	 * @param {number} length
	 */
	#bytes(at, length) {
		return new Uint8Array(memoryOf(this.#exports), at >>> 0, length)
	}

	/**
	 * Writes a message behind used others, and returns how many bytes that took.
	 *
	 * @param {number} used
	 * @param {number} id
	 * @param {Message} data
	 * @param {boolean} text
	 */
	#put(used, id, data, text) {
		const at = this.#scratch + used
		const body = this.#bytes(at + HEAD, SCRATCH - used - HEAD)
		let length
		if (typeof data === "string") length = encoder.encodeInto(data, body).written
		else body.set(data), (length = data.byteLength)
		const head = new DataView(memoryOf(this.#exports), at, HEAD)
		head.setInt32(0, id, true)
		head.setInt32(4, text ? length : ~length, true)
		return HEAD + length
	}

	/**
	 * Tells the program that a socket has closed. reason says why this side has closed it, and is undefined for the peer.
	 *
	 * @param {Socket} socket
	 * @param {number} code
	 */
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

	/**
	 * @param {number} at
	 * @param {number} length
	 */
	#text(at, length) {
		return decoder.decode(this.#bytes(at, length))
	}

	/**
	 * @param {number} id
	 * @param {number} at
	 * @param {number} length
	 */
	#send(id, at, length) {
		const socket = this.#sockets.get(id)
		if (socket === undefined) return 0
		const bytes = this.#bytes(at, length)
		const data = bytes[0] === FRAME ? bytes.slice() : decoder.decode(bytes)
		if (socket.push(data) && this.#contexts.may(socket)) this.#outbox.push(socket)
		return socket.buffered()
	}

	/**
	 * Finds a value of a connection.
	 *
	 * @param {number} id
	 * @param {number} kind
	 * @param {string} name
	 * @param {number} most
	 * @returns how many bytes #take writes, 0 if the connection has ended
	 */
	#ask(id, kind, name, most) {
		this.#answer = this.#sockets.get(id)?.values?.answer(kind, name, most)
		return this.#answer?.byteLength ?? 0
	}

	/**
	 * Runs calls of a binding in the request of a connection.
	 *
	 * @param {number} id
	 * @param {number} token
	 * @param {string} text
	 * @param {Uint8Array} blob
	 * @param {number} most
	 * @returns 0 if that has ended
	 */
	#call(id, token, text, blob, most) {
		const socket = this.#sockets.get(id)
		const values = socket?.values
		if (socket === undefined || values === undefined) return 0
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

	/** @param {number} at */
	#take(at) {
		if (this.#answer === undefined) return
		this.#bytes(at, this.#answer.byteLength).set(this.#answer)
		this.#answer = undefined
	}

	/** @param {unknown} reason */
	#die(reason) {
		if (this.dead) return
		this.dead = true
		if (this.#runtime !== undefined) this.#contexts.abandon(this.#runtime)
		this.#later.length = 0
		this.#fetches.drop()
		this.durable?.drop()
		this.#log("kkrpc:", reason)
		const sockets = [...this.#sockets.values()]
		this.#sockets.clear()
		for (const socket of sockets) socket.shut(INTERNAL, FAILED)
		if (!this.#inside) this.#free()
	}
}

/**
 * How many bytes a message takes at most: a character is up to three of UTF-8.
 *
 * @param {Message} data
 */
function most(data) {
	return HEAD + (typeof data === "string" ? 3 * data.length : data.byteLength)
}

/**
 * The Durable Object around a program, see workers/durable.mjs.
 *
 * @typedef {object} DurableSide
 * @property {Imports} imports
 * @property {boolean} hibernates
 * @property {(exports: Exports) => void} started
 * @property {() => void} left All goroutines of the program wait.
 * @property {() => void} drop The program has ended.
 * @property {(connections: number) => void} wake So many connections of an earlier program are about to be opened.
 * @property {(retries: number) => Promise<void>} alarm
 */

/**
 * The imports of wasm/durable where there is no Durable Object.
 *
 * @type {Imports}
 */
const noObject = { durable: () => 0, durable_save: () => 0, durable_rested() {}, durable_alarmed() {}, durable_broken() {} }

/**
 * What may be done where.
 *
 * @typedef {object} Contexts
 * @property {(socket: Socket) => void} begin The socket has had its first event, in its request.
 * @property {(socket: Socket) => void} end The socket has closed.
 * @property {(socket: Socket | null | undefined) => Socket | undefined} enter Go is called for the socket; for undefined, a
 *   timer, or a socket that called before. leave() is given the answer.
 * @property {(before: Socket | undefined) => void} leave
 * @property {(socket: Socket | null | undefined) => boolean} may Whether the socket may be used now; if not, it may be in
 *   later's f.
 * @property {(socket: Socket | undefined) => Socket | null | undefined} home The socket in whose request a fetch for it has to
 *   run, or null if there is none; undefined where that does not matter.
 * @property {boolean} apart Whether a socket's messages are delivered in its request, and not together with those of others.
 * @property {boolean} early Whether a batch need not wait for soon, which returns a timer then.
 * @property {(f: () => void) => any} soon Calls f, which delivers messages, when others of this moment have come too.
 * @property {(socket: Socket | null | undefined, f: () => void) => void} later
 * @property {(runtime: Runtime) => void} adopt Sees to the timers of a program that is about to start.
 * @property {(runtime: Runtime) => void} abandon Drops those of a program that has ended.
 */

/**
 * In most runtimes, anything may be done anywhere: whoever calls into Go may use every socket, and a timer belongs to nobody.
 * requestContexts in contexts.mjs is for those where it is not so.
 *
 * @type {Contexts}
 */
const anywhere = {
	begin() {},
	end() {},
	enter: () => undefined,
	leave() {},
	may: () => true,
	home: () => undefined,
	apart: false,
	early: false,
	soon: globalThis.setImmediate === undefined ? (f) => setTimeout(f, 0) : (f) => setImmediate(f),
	later(_socket, f) {
		f()
	},
	adopt() {},
	abandon: (runtime) => runtime.clearTimers(),
}

/**
 * Runs a Go program for as many connections as come, and starts it again after it has failed.
 *
 * @param {() => WebAssembly.Module | Promise<WebAssembly.Module>} load returns the compiled program; it is called
 *   once, and again after it has failed.
 * @param {{log?: (...what: unknown[]) => void, contexts?: Contexts, most?: number, environment?: import("./values.mjs").Environment,
 *   passed?: (c: import("hono").Context) => Record<string, string> | undefined,
 *   durable?: (program: import("./fetch.mjs").Program) => DurableSide}} [options] log is told of a program that ends or
 *   cannot start; console.error by default. most is the size in bytes of the largest message that the runtime takes. environment
 *   finds a variable of the environment, and passed the JSON of variables that another context has had. durable makes what a
 *   program in a Durable Object needs besides.
 */
export function createHost(
	load,
	{ log = console.error, contexts = anywhere, most = Infinity, environment = processEnvironment, passed = () => undefined, durable } = {},
) {
	const { Go } = globalThis // now: another bundle may bring that of another version of Go
	/** @type {Promise<WebAssembly.Module> | undefined} */
	let module
	/** @type {Instance | undefined} */
	let instance
	/** @type {Promise<Instance> | undefined} */
	let starting // the next instance

	async function start() {
		try {
			if (Go === undefined) throw new Error("import wasm_exec.js, of the Go that has built the program, before createHost is called")
			module ??= Promise.resolve(load())
			module.catch(() => (module = undefined)) // the next connection tries again
			instance = await Instance.start(Go, await module, log, contexts, durable)
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

	/** @type {import("./socket.mjs").Host} */
	const host = {
		contexts,
		log,
		waiting: new Waiting(),
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

		running: host.running,

		/** @param {import("hono").Context} [c] */
		values: (c) => new Values(c, environment, passed),

		/**
		 * A connection, for a server that tells its events itself.
		 *
		 * @param {string} about as about() below
		 * @param {Values} values
		 */
		connect: (about, values) => new Socket(host, about, values),

		/**
		 * The events of one connection for Hono's upgradeWebSocket.
		 *
		 * @param {import("hono").Context} [c] what the program is told of the request, as its wasm.Request, and what it may ask
		 *   for by wasm.Var.
		 * @returns {Required<import("hono/ws").WSEvents>}
		 */
		handler(c) {
			const socket = new Socket(host, c === undefined ? "" : about(c.req), new Values(c, environment, passed))
			return {
				onOpen: (_event, ws) => socket.open(ws),
				onMessage: (event, ws) => socket.message(event.data, ws),
				onClose: (event, ws) => socket.owns(ws) && socket.closed(event?.code ?? 0, event?.reason),
				onError: (/** @type {any} */ event, ws) => socket.owns(ws) && socket.failed(event?.error?.message || event?.message),
			}
		},
	}
}

/**
 * What the program is told of a request, as JSON.
 *
 * @param {import("hono").HonoRequest} request
 */
export function about(request) {
	if (typeof request?.param !== "function") {
		throw new TypeError(
			"createHonoWebSocketHandler takes Hono's context, as in upgradeWebSocket((c) => createHonoWebSocketHandler(c)): " +
				"what is exposed, the Go program says by wasm.Serve",
		)
	}
	const header = Object.fromEntries(Object.entries(request.header()).map(([name, value]) => [name, field(value)]))
	return JSON.stringify({ url: request.url, params: request.param(), header })
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * A field of a header. Bun, Deno and Node.js make a character of each byte, and workerd reads UTF-8, as the program expects it.
 *
 * @param {string} value
 */
function field(value) {
	if (globalThis.WebSocketPair !== undefined || !/[\x80-\xff]/.test(value) || /[^\0-\xff]/.test(value)) return value
	try {
		return strict.decode(Uint8Array.from(value, (character) => character.charCodeAt(0)))
	} catch {
		return value // Latin-1
	}
}
