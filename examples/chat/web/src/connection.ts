import { type IoInterface, RPCChannel } from "kkrpc/browser"
import type { ChatAPI } from "./api.gen.ts"

/** How long a call may take, in milliseconds. A connection whose calls take longer is given up. */
const patience = 20_000
/** How often a connection is tried that says nothing, in milliseconds, and how long the answer may take. */
const heartbeat = 25_000
const heartbeatPatience = 10_000

/** The WebSocket of a page, as kkrpc's RPCChannel wants it. Unlike kkrpc's own it tells when it closes. */
class SocketIO implements IoInterface {
	readonly name = "page-websocket-io"
	#queue: string[] = []
	#wake: ((text: string) => void) | undefined

	constructor(readonly socket: WebSocket) {
		socket.addEventListener("message", ({ data }) => {
			if (this.#wake) this.#wake(data)
			else this.#queue.push(data)
			this.#wake = undefined
		})
	}

	/** Does not end when the socket closes: RPCChannel would read again at once, without end. */
	read(): Promise<string> {
		const next = this.#queue.shift()
		return next === undefined ? new Promise((resolve) => (this.#wake = resolve)) : Promise.resolve(next)
	}

	async write(data: string) {
		if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data)
	}
}

/** A connection to a room. Its calls fail when it closes. */
export class Connection {
	readonly api: ChatAPI
	readonly closed: Promise<void>
	open = true
	#socket: WebSocket
	#waiting = new Set<(reason: Error) => void>()
	#timer: ReturnType<typeof setInterval>
	#ended!: () => void

	private constructor(socket: WebSocket) {
		this.#socket = socket
		const channel = new RPCChannel<{}, ChatAPI>(new SocketIO(socket))
		this.api = this.#guarded(channel.getAPI())
		this.closed = new Promise((resolve) => (this.#ended = resolve))
		socket.addEventListener("close", () => this.#end())
		let heard = Date.now()
		socket.addEventListener("message", () => (heard = Date.now()))
		this.#timer = setInterval(() => {
			if (Date.now() - heard >= heartbeat) this.check()
		}, heartbeat / 2)
	}

	/** Connects to a room of this page's server. */
	static connect(room: string): Promise<Connection> {
		return new Promise((resolve, reject) => {
			const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/chat/${room}`)
			const late = setTimeout(() => socket.close(), patience)
			socket.onopen = () => {
				clearTimeout(late)
				resolve(new Connection(socket))
			}
			socket.onclose = () => {
				clearTimeout(late)
				reject(new Error("the server cannot be reached"))
			}
		})
	}

	/** Finds out whether the connection still works, and closes it if not: a network may go without a word. */
	check() {
		if (this.open) void this.#within(this.api.ping(), heartbeatPatience)
	}

	close() {
		this.#socket.close()
		this.#end() // the network may not tell for a while
	}

	/** Has calls fail that get no answer any more. */
	#guarded(api: ChatAPI): ChatAPI {
		return new Proxy(api, {
			get: (target, name: keyof ChatAPI) => (...args: unknown[]) => {
				if (!this.open) return Promise.reject(new Error("the connection is closed"))
				return new Promise((resolve, reject) => {
					this.#waiting.add(reject)
					const call = (target[name] as (...args: unknown[]) => Promise<unknown>)(...args)
					void this.#within(call, patience)
					call.then(resolve, reject).finally(() => this.#waiting.delete(reject))
				})
			}
		})
	}

	async #within(call: Promise<unknown>, time: number) {
		const late = setTimeout(() => this.close(), time)
		await call.catch(() => {})
		clearTimeout(late)
	}

	#end() {
		this.open = false
		clearInterval(this.#timer)
		for (const reject of this.#waiting) reject(new Error("the connection has closed"))
		this.#waiting.clear()
		this.#ended()
	}
}
