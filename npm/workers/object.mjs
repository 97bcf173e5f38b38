// The class of Durable Objects whose connections a Go program serves. A connection outlives the program if that hibernates:
// what it needs to be opened again is in the attachment of its socket.
import { DurableObject } from "cloudflare:workers"
import { Durable } from "./durable.mjs"
import { about, createHost } from "./host.mjs"
import { Values } from "./values.mjs"

// How many bytes an attachment may have, and how many of them are not those of its parts.
const ATTACHMENT = 16_384
const OVERHEAD = 200

// The tag of the sockets of this class. An object may have others.
const TAG = "kkrpc"

const VERSION = 1
const RESTART = 1012 // a close code: the peer may connect again
const UNREADABLE = "RPCHibernatedError: what was kept of the connection cannot be read"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * What is kept of a connection. The parts are JSON.
 *
 * @typedef {object} Attachment
 * @property {number} version
 * @property {number} number grows with each connection of the object
 * @property {number} wakes how many programs have served it before
 * @property {Uint8Array} about the request
 * @property {Uint8Array} variables those of Hono, as Values.kept() has them
 * @property {Uint8Array} state by the program
 */

/**
 * Returns the class.
 *
 * @param {() => WebAssembly.Module} load
 * @param {NonNullable<Parameters<typeof createHost>[1]>} options of createHost
 * @returns {typeof import("./index.mjs").GoDurableObject}
 */
export function durableObjectOf(load, options) {
	return class GoDurableObject extends DurableObject {
		#host
		/** @type {Map<WebSocket, {socket: import("./socket.mjs").Socket, context: import("./socket.mjs").WSContext}>} */
		#sockets = new Map()
		/** @type {Map<number, {ws: WebSocket, attachment: Attachment}>} */
		#kept = new Map() // by the id of the socket
		#last = 0 // number of a connection
		#awake // when the connections from before have been opened

		/**
		 * @param {DurableObjectState} ctx
		 * @param {any} env
		 */
		constructor(ctx, env) {
			super(ctx, env)
			const sockets = {
				save: (/** @type {number} */ id, /** @type {Uint8Array} */ state, /** @type {number} */ reserve) => this.#save(id, state, reserve),
				broken: (/** @type {number} */ id) => {
					const kept = this.#kept.get(id)
					if (kept !== undefined) this.#sockets.get(kept.ws)?.socket.shut(RESTART, UNREADABLE)
				},
			}
			this.#host = createHost(load, { ...options, durable: (program) => new Durable(program, ctx.storage, sockets) })
			this.#awake = this.#wake(ctx.getWebSockets(TAG))
		}

		/** @param {import("hono").Context} c */
		async upgrade(c) {
			if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return c.text("expected a WebSocket", 426)
			await this.#awake
			const hibernates = await this.#host.running().then(
				(instance) => instance.durable?.hibernates,
				() => false, // the socket is closed for it
			)
			const request = about(c.req)
			let values = this.#host.values(c)
			const { 0: client, 1: server } = new WebSocketPair()
			/** @type {Attachment | undefined} */
			let attachment
			if (hibernates) {
				attachment = {
					version: VERSION,
					number: ++this.#last,
					wakes: 0,
					about: encoder.encode(request),
					variables: encoder.encode(JSON.stringify(values.kept())),
					state: new Uint8Array(),
				}
				const over = excess(attachment)
				if (over > 0) {
					const what = `the request and its variables are ${over} bytes too large for a connection that hibernates`
					return c.text(`${what}: a Durable Object keeps ${ATTACHMENT} bytes of each`, 431)
				}
				values = this.#values(attachment)
				server.serializeAttachment(attachment)
				this.ctx.acceptWebSocket(server, [TAG])
			} else {
				server.accept()
				server.addEventListener("message", ({ data }) => void this.webSocketMessage(server, data))
				server.addEventListener("close", ({ code, reason }) => void this.webSocketClose(server, code, reason, true))
				server.addEventListener("error", (event) => void this.webSocketError(server, /** @type {ErrorEvent} */ (event).error ?? event))
			}
			this.#open(server, request, values, attachment)
			return new Response(null, { status: 101, webSocket: client })
		}

		/** @returns {Promise<void>} */
		start() {
			return this.#host.start()
		}

		/** @param {Attachment} attachment */
		#values({ variables }) {
			return Values.of(JSON.parse(decoder.decode(variables)), options.environment?.(this.env))
		}

		/**
		 * @param {WebSocket} ws
		 * @param {string} request
		 * @param {Values} values
		 * @param {Attachment} [attachment]
		 */
		#open(ws, request, values, attachment) {
			const object = attachment && { wakes: attachment.wakes, state: decoder.decode(attachment.state) }
			const told = JSON.stringify({ ...JSON.parse(request), object })
			const socket = this.#host.connect(told, values)
			const context = this.#context(ws, socket)
			this.#sockets.set(ws, { socket, context })
			if (attachment !== undefined) this.#kept.set(socket.id, { ws, attachment })
			socket.open(context)
		}

		/**
		 * The socket as Hono has it.
		 *
		 * @param {WebSocket} ws
		 * @param {import("./socket.mjs").Socket} socket
		 */
		#context(ws, socket) {
			const close = (/** @type {number} */ code, /** @type {string} */ reason) => {
				this.#sockets.delete(ws)
				if (this.#kept.delete(socket.id)) ws.serializeAttachment(null) // it stays listed until the peer answers
				ws.close(code, reason)
			}
			return /** @type {import("./socket.mjs").WSContext} */ (
				/** @type {unknown} */ ({ raw: ws, send: (/** @type {string} */ text) => ws.send(text), close })
			)
		}

		/**
		 * Opens the connections that an earlier program has served.
		 *
		 * @param {WebSocket[]} sockets
		 */
		async #wake(sockets) {
			/** @type {[WebSocket, Attachment][]} */
			const known = []
			for (const ws of sockets) {
				const attachment = attachmentOf(ws)
				if (attachment === null) continue // it was closed
				if (attachment === undefined) ws.close(RESTART, UNREADABLE)
				else known.push([ws, attachment])
			}
			if (known.length === 0) return
			known.sort(([, a], [, b]) => a.number - b.number)
			const started = this.#host.running().then(
				(instance) => instance.durable?.wake(known.filter(([ws]) => this.#sockets.has(ws)).length), // before they are opened
				() => {}, // the sockets are closed for it
			)
			for (const [ws, attachment] of known) {
				attachment.wakes++
				ws.serializeAttachment(attachment) // now: this program may end without a word
				this.#last = Math.max(this.#last, attachment.number)
				this.#open(ws, decoder.decode(attachment.about), this.#values(attachment), attachment)
			}
			await started
		}

		/**
		 * Keeps the state of a connection. With a reserve it only tells whether the state would fit with so many bytes more.
		 *
		 * @param {number} id
		 * @param {Uint8Array} state
		 * @param {number} reserve
		 * @returns by how many bytes it is too large
		 */
		#save(id, state, reserve) {
			const kept = this.#kept.get(id)
			if (kept === undefined) return 0
			const attachment = { ...kept.attachment, state }
			const over = excess(attachment) + reserve
			if (over > 0) return over
			if (reserve > 0) return 0
			kept.ws.serializeAttachment(attachment)
			kept.attachment = attachment
			return 0
		}

		/**
		 * @param {WebSocket} ws
		 * @param {string | ArrayBuffer} message
		 */
		webSocketMessage(ws, message) {
			const known = this.#sockets.get(ws)
			known?.socket.message(message, known.context)
		}

		/**
		 * @param {WebSocket} ws
		 * @param {number} code
		 * @param {string} reason
		 * @param {boolean} _wasClean
		 */
		async webSocketClose(ws, code, reason, _wasClean) {
			await this.#awake
			this.#sockets.get(ws)?.socket.closed(code, reason)
			this.#sockets.delete(ws)
		}

		/**
		 * @param {WebSocket} ws
		 * @param {any} error
		 */
		async webSocketError(ws, error) {
			await this.#awake
			this.#sockets.get(ws)?.socket.failed(String(error?.message ?? error))
			this.#sockets.delete(ws)
		}

		/** @param {{retryCount: number}} [info] */
		async alarm(info) {
			await this.#awake
			const { durable } = await this.#host.running()
			await durable?.alarm(info?.retryCount ?? 0)
		}
	}
}

/**
 * @param {Attachment} attachment
 * @returns by how many bytes it is too large, negative if it is not
 */
function excess({ about, variables, state }) {
	return about.byteLength + variables.byteLength + state.byteLength + OVERHEAD - ATTACHMENT
}

/**
 * @param {WebSocket} ws
 * @returns {Attachment | null | undefined} null for a socket that was closed, undefined for what cannot be read
 */
function attachmentOf(ws) {
	try {
		const attachment = ws.deserializeAttachment()
		return attachment === null || attachment.version === VERSION ? attachment : undefined
	} catch {
		return undefined
	}
}
