import { RPCChannel, deserializeMessage } from "kkrpc/browser"

/** A WebSocket as kkrpc reads and writes it. The class of kkrpc 0.2 tells nobody that the connection has closed. */
class Socket {
	name = "websocket"
	opened: Promise<void>
	/** Rejects when the connection has closed, or could not be opened. */
	closed: Promise<never>
	#socket: WebSocket
	#messages: string[] = []
	#reader: ((message: string) => void) | undefined

	constructor(url: string) {
		const socket = (this.#socket = new WebSocket(url))
		this.opened = new Promise((resolve) => (socket.onopen = () => resolve()))
		this.closed = new Promise((_, reject) => (socket.onclose = () => reject(new ConnectionLost())))
		this.closed.catch(() => {}) // perhaps nobody waits
		socket.onmessage = ({ data }) => {
			if (this.#reader) this.#reader(data)
			else this.#messages.push(data)
			this.#reader = undefined
		}
	}

	read(): Promise<string> {
		const next = this.#messages.shift()
		return next !== undefined ? Promise.resolve(next) : new Promise((resolve) => (this.#reader = resolve))
	}

	async write(message: string): Promise<void> {
		await this.opened
		this.#socket.send(message)
	}
}

/** The connection closed before the answer came. The server may have done what it was asked for. */
export class ConnectionLost extends Error {
	override name = "ConnectionLost"
	constructor() {
		super("The connection to the server is lost.")
	}
}

/**
 * Connects to a server, again and again, until the page closes. Each time it calls opened with the API of the server, and
 * then lost when the connection has closed.
 */
export async function keepConnected<Local extends object, Remote extends object>(
	url: string,
	expose: Local,
	{ opened, lost }: { opened: (api: Remote) => void; lost: () => void }
): Promise<never> {
	for (let attempt = 0; ; attempt++) {
		const socket = new Socket(url)
		const channel = new RPCChannel<Local, Remote>(socket, { expose })
		await Promise.race([socket.opened, socket.closed]).then(
			async () => {
				attempt = 0
				opened(typed(channel.getAPI() as Remote, socket.closed))
				await socket.closed.catch(lost)
			},
			() => {}
		)
		await pause(Math.random() * Math.min(10_000, 500 * 2 ** attempt)) // pages that were cut off together come back apart
	}
}

/** Waits, but not while the network comes back or the user comes back to the page. */
function pause(milliseconds: number): Promise<unknown> {
	return new Promise((resolve) => {
		const events = new AbortController()
		events.signal.onabort = resolve
		setTimeout(() => events.abort(), milliseconds)
		addEventListener("online", () => events.abort(), events)
		document.addEventListener("visibilitychange", () => events.abort(), events)
	})
}

/** Has calls fail with whole errors, and when the connection closes. With kkrpc 0.2 they would wait forever then. */
function typed<API extends object>(api: API, closed: Promise<never>): API {
	return new Proxy(api, {
		get(target, name) {
			const call = Reflect.get(target, name) as ((...args: unknown[]) => Promise<unknown>) | undefined
			if (call === undefined) return undefined
			return (...args: unknown[]) =>
				Promise.race([call(...args), closed]).catch(async (error) => {
					throw await whole(error)
				})
		}
	})
}

/** kkrpc 0.2 has nothing of an error but its message. Asked by /ws?errors=text, the server sends the whole error in there. */
async function whole(error: Error): Promise<Error> {
	if (!error.message.startsWith('{"json":')) return error
	const { message, ...details } = (await deserializeMessage(error.message)) as unknown as { message: string }
	return Object.assign(new Error(message), details)
}
