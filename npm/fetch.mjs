// The fetch of the runtime for a Go program: package wasm/fetch is the other side. Nothing is read before the program asks for it,
// and nothing is asked of the program before the runtime can send it.

const decoder = new TextDecoder()
const encoder = new TextEncoder()

// What the program is told by kkrpc_fetch(id, event, length). HEAD and FAILED have a text of this length in its buffer.
const HEAD = 1
const FAILED = 2
const READABLE = 3 // what read() waited for is there
const WANTED = 4 // the runtime can send more of the request's body
const LEFT = 5 // the connection has closed whose request this fetch belonged to

// What read() returns in place of a number of bytes.
const WAIT = 0
const DONE = -1

// The kinds of a request's body.
const BYTES = 1
const STREAM = 2

/**
 * @typedef {import("./socket.mjs").Socket} Socket
 * @typedef {Socket | undefined | null} Home the socket to whose request a fetch belongs, where that matters
 */

/**
 * What a program is to its fetches.
 *
 * @typedef {object} Program
 * @property {import("./host.mjs").Contexts} contexts
 * @property {(at: number, length: number) => Uint8Array<ArrayBuffer>} bytes a view of its memory
 * @property {(id: number) => Socket | undefined} socket
 * @property {(socket: Home, f: (exports: import("./host.mjs").Exports) => void) => void} enter lets it run after f, unless it
 *   has ended
 */

/** The fetches of one started program. */
export class Fetches {
	/** @type {Map<number, Fetch>} */
	#running = new Map()

	/** @param {Program} program */
	constructor(program) {
		this.program = program
	}

	/**
	 * The functions that the program imports.
	 *
	 * @returns {import("./host.mjs").Imports}
	 */
	get imports() {
		return {
			fetch: (id, connection, at, length, kind, bodyAt, bodyLength) => this.#start(id, connection, at, length, kind, bodyAt, bodyLength),
			fetch_read: (id, at, length) => this.#running.get(id)?.read(at, length) ?? WAIT, // that it has failed is about to be told
			fetch_write: (id, at, length) => void this.#running.get(id)?.write(at, length),
			fetch_end: (id) => void this.#running.get(id)?.end(),
		}
	}

	/**
	 * Starts a request of the connection, 0 for none. The text has method, URL, redirect, and names and values of the header, with
	 * a NUL between them.
	 *
	 * @param {number} id
	 * @param {number} connection
	 * @param {number} at
	 * @param {number} length
	 * @param {number} kind
	 * @param {number} bodyAt
	 * @param {number} bodyLength
	 * @returns 0 if there is no request of the server to which the fetch could belong.
	 */
	#start(id, connection, at, length, kind, bodyAt, bodyLength) {
		const { contexts } = this.program
		const home = contexts.home(this.program.socket(connection))
		if (home === null) return 0
		const [method, url, redirect, ...header] = decoder.decode(this.program.bytes(at, length)).split("\0")
		/** @type {[string, string][]} */
		const headers = []
		for (let i = 0; i + 1 < header.length; i += 2) headers.push([header[i], header[i + 1]])
		/** @type {RequestInit} */
		const init = { method, redirect: /** @type {RequestRedirect} */ (redirect), headers }
		// Bytes would be gone after a redirect in Node 20.
		if (kind === BYTES) init.body = new Blob([this.program.bytes(bodyAt, bodyLength)])
		const started = new Fetch(this, id, home)
		this.#running.set(id, started)
		started.do(() => started.send(url, init, kind === STREAM))
		return 1
	}

	/** @param {number} id */
	forget(id) {
		this.#running.delete(id)
	}

	/**
	 * Is told that a socket has closed. What belonged to its request ends with that.
	 *
	 * @param {Socket} socket
	 */
	left(socket) {
		for (const each of [...this.#running.values()]) if (each.home === socket) each.leave()
	}

	/** Ends all, for a program that has ended. */
	drop() {
		for (const each of [...this.#running.values()]) each.end()
	}
}

class Fetch {
	#all
	#id
	#over = false // the program wants to know no more
	/** @type {AbortController | undefined} */
	#abort
	/** @type {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined} */
	#reader // of the response's body
	/** @type {Uint8Array | undefined} */
	#chunk // what was read of it, and not by the program
	#reading = false
	#done = false // all of it was read
	/** @type {ReadableStreamDefaultController | undefined} */
	#upload // the controller of the request's body
	/** @type {((nothing?: undefined) => void) | undefined} */
	#taken // is called when the program has given what was asked for
	home

	/**
	 * @param {Fetches} all
	 * @param {number} id
	 * @param {Home} home
	 */
	constructor(all, id, home) {
		this.#all = all
		this.#id = id
		this.home = home
	}

	/**
	 * Runs f where this fetch may be used.
	 *
	 * @param {() => void} f
	 */
	do(f) {
		const { contexts } = this.#all.program
		if (contexts.may(this.home)) f()
		else contexts.later(this.home, f)
	}

	/**
	 * @param {string} url
	 * @param {RequestInit} init
	 * @param {boolean} streams
	 */
	async send(url, init, streams) {
		if (this.#over) return
		try {
			this.#abort = new AbortController()
			init.signal = this.#abort.signal
			if (streams) {
				init.body = this.#body()
				init.duplex = "half"
			}
			const response = await fetch(url, init)
			if (this.#over) return
			this.#reader = response.body?.getReader()
			/** @type {unknown[]} */
			const head = [response.status, response.statusText, response.url, response.redirected ? 1 : "", this.#reader ? 1 : ""]
			for (const [name, value] of response.headers) head.push(name, value)
			this.#tell(HEAD, head.join("\0"))
		} catch (error) {
			this.#fail(error)
		}
	}

	/** The request's body, of which each part is asked of the program. */
	#body() {
		return new ReadableStream(
			{
				start: (controller) => void (this.#upload = controller),
				pull: () => {
					const taken = new Promise((resolve) => (this.#taken = resolve))
					this.#tell(WANTED)
					return taken
				},
				cancel: () => void (this.#upload = undefined), // the runtime needs no more
			},
			{ highWaterMark: 0 },
		)
	}

	/**
	 * Takes a part of the request's body, or its end if length is 0.
	 *
	 * @param {number} at
	 * @param {number} length
	 */
	write(at, length) {
		const part = this.#all.program.bytes(at, length).slice() // the memory is the program's
		this.do(() => {
			if (this.#over) return
			try {
				if (length > 0) this.#upload?.enqueue(part)
				else this.#upload?.close()
			} catch {
				// The runtime has given it up, and says so by the response.
			}
			this.#taken?.()
		})
	}

	/**
	 * Writes some of the response's body to the program's memory.
	 *
	 * @param {number} at
	 * @param {number} length
	 * @returns how many bytes, WAIT or DONE
	 */
	read(at, length) {
		if (this.#chunk !== undefined) {
			const n = Math.min(length, this.#chunk.byteLength)
			this.#all.program.bytes(at, n).set(this.#chunk.subarray(0, n))
			this.#chunk = n < this.#chunk.byteLength ? this.#chunk.subarray(n) : undefined
			return n
		}
		const reader = this.#reader
		if (this.#done || reader === undefined) return DONE
		if (!this.#reading) {
			this.#reading = true
			this.do(() => this.#next(reader))
		}
		return WAIT
	}

	/** @param {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} reader */
	async #next(reader) {
		try {
			for (;;) {
				const { done, value } = await reader.read()
				if (this.#over) return
				if (done) this.#done = true
				else if (value.byteLength === 0) continue
				else this.#chunk = value
				break
			}
			this.#reading = false
			this.#tell(READABLE)
		} catch (error) {
			this.#fail(error)
		}
	}

	/** Ends the fetch because the program says so. */
	end() {
		if (this.#over) return
		this.#over = true
		this.#all.forget(this.#id)
		this.#chunk = undefined
		this.do(() => this.#stop())
	}

	/**
	 * Ends the fetch because of what the runtime says.
	 *
	 * @param {unknown} error
	 */
	#fail(error) {
		if (this.#over) return
		this.end()
		this.#tell(FAILED, explained(error))
	}

	/** Ends the fetch because its request does. */
	leave() {
		this.end()
		this.#tell(LEFT)
	}

	#stop() {
		try {
			this.#abort?.abort() // first: workerd takes a body that ends otherwise for complete
			this.#taken?.()
			this.#reader?.cancel().catch(() => {}) // the signal has ended it
		} catch {
			// Its request has ended, and the fetch with it.
		}
	}

	/** @param {number} event */
	#tell(event, text = "") {
		this.#all.program.enter(this.home, (exports) => {
			const data = encoder.encode(text)
			if (data.byteLength > 0) this.#all.program.bytes(exports.kkrpc_fetch_buffer(data.byteLength), data.byteLength).set(data)
			exports.kkrpc_fetch(this.#id, event, data.byteLength)
		})
	}
}

// How many characters of an error the program is told: workerd lists each URL of a loop of redirects.
const MOST_SAID = 500

/**
 * What an error says, and those behind it. Deno and Bun name the URL, whose query and user may be secrets.
 *
 * @param {any} error
 */
function explained(error) {
	/** @type {string[]} */
	const said = []
	for (let next = error; next !== undefined && next !== null && said.length < 4; next = next.cause) {
		const text = next.message || next.errors?.[0]?.message || next.code || String(next)
		if (!said.some((before) => before.includes(text))) said.push(text)
	}
	return said
		.join(": ")
		.replace(/(https?:\/\/)(?:[^\s/?#@"']*@)?([^\s?#"')]*)(?:[?#][^\s"')]*)?/gi, "$1$2")
		.slice(0, MOST_SAID)
}
