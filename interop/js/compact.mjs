// A minimal peer of the compact protocol, written for the tests from docs/protocol.md: calls, properties, callbacks, errors,
// metadata and streams, in both directions, with either codec. It runs in every runtime. Each message that it writes has to
// have the shape of one that kkrpc 2.1 was recorded writing, so it has none of this module's extensions.
import superjson from "superjson"
import { remote } from "./compact-remote.mjs"
import { Consumer, isStream, Producer } from "./compact-streams.mjs"

// objects is for a connection that has a codec of its own.
const codecs = { json: JSON, superjson, objects: { stringify: (message) => message, parse: (message) => message } }

const ARGUMENT = "__kkrpc_next_arg__"
const STREAM = "__kkrpc_next_stream__"

/** Peer is one end of a connection. write sends a text, expose is the API for the other end. */
export class Peer {
	#write
	#expose
	#codec
	#pending = new Map() // requests and stream controls that wait for an answer
	#callbacks = new Map() // our functions by id
	#callbackIds = new Map() // and back
	#remoteCallbacks = new Map() // functions that stand for those of the other end
	#producers = new Map()
	#consumers = new Map()
	#ended

	metadata

	constructor(write, expose, codec) {
		this.#write = write
		this.#expose = expose
		this.#codec = codecs[codec]
		this.api = remote(this)
	}

	/** end fails what waits and stops what produces. */
	end(error) {
		if (this.#ended) return
		this.#ended = error
		for (const { reject } of this.#pending.values()) reject(error)
		for (const consumer of this.#consumers.values()) consumer.fail(error)
		for (const producer of this.#producers.values()) producer.stop()
	}

	send(message) {
		if (!this.#ended) this.#write(this.#codec.stringify(message))
	}

	/** ask sends a message that is answered, and forgets it when the caller gives up; nothing says so to the other end. */
	ask(message, { timeout, signal } = {}) {
		if (this.#ended) return Promise.reject(this.#ended)
		return new Promise((resolve, reject) => {
			let timer
			const settle = (how) => (value) => {
				clearTimeout(timer)
				this.#pending.delete(message.id)
				how(value)
			}
			const waiting = { resolve: settle(resolve), reject: settle(reject) }
			if (timeout) timer = setTimeout(() => waiting.reject(new Error(`request ${message.id} timed out after ${timeout} ms`)), timeout)
			signal?.addEventListener("abort", () => waiting.reject(signal.reason))
			this.#pending.set(message.id, waiting)
			try {
				this.send(message)
			} catch (err) {
				waiting.reject(err) // it cannot be encoded
			}
		})
	}

	/** request is ask for a request; rest are the members behind its path. */
	request(op, path, rest, options) {
		const meta = this.metadata ? { meta: this.metadata } : {}
		return this.ask({ t: "q", id: crypto.randomUUID(), op, p: path, ...rest, ...meta }, options)
	}

	receive(text) {
		let message
		try {
			message = this.#codec.parse(text)
		} catch {
			return
		}
		switch (message?.t) {
			case "q":
				return void this.#serve(message)
			case "r":
				return this.#answered(message)
			case "cb":
				return void this.#callbacks.get(message.id)?.(...message.a.map((arg) => this.#decodeArgument(arg)))
			case "cbr":
				return message.ids.forEach((id) => {
					this.#callbackIds.delete(this.#callbacks.get(id))
					this.#callbacks.delete(id)
				})
			case "sq":
				return void this.#control(message)
			case "sr":
				return this.#item(message)
		}
	}

	#answered({ id, v, e }) {
		const waiting = this.#pending.get(id)
		if (e) waiting?.reject(decodeError(e))
		else waiting?.resolve(this.decode(v))
	}

	async #serve({ id, op, p, a = [], v }) {
		try {
			const result = await this.#perform(op, p, a, v)
			this.send({ t: "r", id, v: this.encode(result) })
		} catch (err) {
			this.send({ t: "r", id, e: encodeError(err) })
		}
	}

	#perform(op, path, args, value) {
		const parent = reach(this.#expose, path.slice(0, -1))
		const name = path.at(-1)
		const member = reach(parent, path.slice(-1))
		switch (op) {
			case "get":
				return member
			case "set":
				return Reflect.set(parent, name, this.decode(value)) || true // one that cannot be written is not said
			case "call":
				if (typeof member !== "function") throw new Error(`${path.join(".")} is not a function`)
				return member.apply(parent, args.map((arg) => this.#decodeArgument(arg)))
			case "new":
				if (typeof member !== "function") throw new Error(`${path.join(".")} is not a constructor`)
				return new member(...args.map((arg) => this.#decodeArgument(arg)))
		}
		throw new Error(`unknown operation ${op}`)
	}

	/** encode is for whole values: a stream inside of one is not recognised. */
	encode(value) {
		if (!isStream(value)) return value
		const id = crypto.randomUUID()
		this.#producers.set(id, new Producer(value[Symbol.asyncIterator](), id, this, () => this.#producers.delete(id)))
		return { [STREAM]: "async-iterable", id }
	}

	decode(value) {
		if (value?.[STREAM] !== "async-iterable") return value
		const { id } = value
		const consumer = new Consumer(id, this, () => this.#consumers.delete(id))
		this.#consumers.set(id, consumer)
		return consumer
	}

	encodeArgument(value) {
		if (typeof value !== "function") return { [ARGUMENT]: "value", v: this.encode(value) }
		let id = this.#callbackIds.get(value)
		if (!id) {
			id = crypto.randomUUID()
			this.#callbackIds.set(value, id)
			this.#callbacks.set(id, value)
		}
		return { [ARGUMENT]: "callback", id }
	}

	#decodeArgument(arg) {
		if (arg?.[ARGUMENT] === "value") return this.decode(arg.v)
		if (arg?.[ARGUMENT] !== "callback") return arg
		let fn = this.#remoteCallbacks.get(arg.id)
		if (!fn) {
			fn = (...args) => this.send({ t: "cb", id: arg.id, a: args.map((a) => this.encodeArgument(a)) })
			this.#remoteCallbacks.set(arg.id, fn)
		}
		return fn
	}

	async #control({ id, sid, op, n, v }) {
		const producer = this.#producers.get(sid)
		if (producer) return producer.control(id, op, n, v)
		const end = op === "return" ? { d: true, v } : { e: { n: "Error", m: `Unknown RPC stream ${sid}` } }
		this.send({ t: "sr", id, sid, ...end })
	}

	#item({ id, sid, d, v, e }) {
		const control = this.#pending.get(id)
		if (!control) return this.#consumers.get(sid)?.take({ d, v, e: e && decodeError(e) })
		if (e) control.reject(decodeError(e))
		else control.resolve(v)
	}
}

/** reach walks own properties only. */
function reach(value, path) {
	for (const name of path) {
		if (value === undefined || value === null) throw new Error(`Cannot access ${name} on ${value}`)
		value = Object.hasOwn(value, name) ? value[name] : undefined
	}
	return value
}

function encodeError(err) {
	if (!(err instanceof Error)) return { n: "Error", m: String(err) }
	const { name, message, stack, ...fields } = err
	return { n: err.name, m: err.message, s: err.stack, ...fields }
}

function decodeError({ n, m, s, ...fields }) {
	const err = new Error(m)
	// name would be seen by those who compare errors if it could be enumerated.
	return Object.assign(Object.defineProperty(err, "name", { value: n, configurable: true, writable: true }), fields)
}
