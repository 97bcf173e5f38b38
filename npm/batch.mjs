// What comes in one moment is given to the program together: a call of it for each message costs several times as much. On Workers
// each message comes by itself, and only a timer, of at least a millisecond, comes behind those of a moment. So in a plain Worker
// the program is called as soon as there are as many messages as usual, unless another socket's wait as well: then a processor that
// has nothing to do meanwhile is not the trouble. (Where sockets share a batch, as in a Durable Object, that was slower.)

// How often a batch is as large as usual before it is tried whether more come by now. The number doubles with each try in vain,
// which costs the batch a millisecond: so a client that waits for each answer hardly ever waits for a timer.
const PATIENCE = 8
const MOST_PATIENCE = 1024

/**
 * @typedef {import("./socket.mjs").Socket} Socket
 * @typedef {import("./host.mjs").Timer} Timer
 */

/** Messages that are given to the program together. */
export class Batch {
	static #waiting = 0 // how many batches have messages

	#contexts
	#deliver
	/** @type {Socket[]} */
	#sockets = [] // that have messages
	#size = 0 // how many those are
	#usual = 1 // how many are not waited for
	#full = 0 // how many batches were that large since
	#patience = PATIENCE
	/** @type {Timer} */
	#timer

	/**
	 * @param {Pick<import("./host.mjs").Contexts, "early" | "soon">} contexts
	 * @param {(sockets: Socket[]) => void} deliver gives the program what is in the inboxes of these sockets
	 */
	constructor(contexts, deliver) {
		this.#contexts = contexts
		this.#deliver = deliver
	}

	/**
	 * Puts a message into the socket's inbox, and has it delivered.
	 *
	 * @param {Socket} socket
	 * @param {import("./socket.mjs").Message} data
	 */
	add(socket, data) {
		if (socket.inbox.push(data) === 1) this.#sockets.push(socket)
		if (++this.#size === 1) Batch.#waiting++
		if (this.#contexts.early && this.#size >= this.#usual && Batch.#waiting === 1) this.#early()
		else if (this.#size === 1) this.#timer = this.#contexts.soon(() => this.#late())
	}

	#early() {
		if (++this.#full >= this.#patience) {
			this.#full = 0
			this.#usual = Math.ceil(1.25 * this.#usual)
		}
		this.#end()
	}

	#late() {
		this.#full = 0
		this.#patience = this.#size < this.#usual ? Math.min(2 * this.#patience, MOST_PATIENCE) : PATIENCE
		this.#usual = Math.max(this.#size, this.#usual >> 1) // a single small one says little
		this.#end()
	}

	#end() {
		const sockets = this.#sockets
		this.drop()
		this.#deliver(sockets)
	}

	/** Is told that what there is will be delivered otherwise. A timer would end with its request. */
	drop() {
		if (this.#size === 0) return
		clearTimeout(this.#timer)
		this.#sockets = []
		this.#size = 0
		Batch.#waiting--
	}
}
