/** @typedef {string | Uint8Array<ArrayBuffer>} Sent a text, or a frame */

/**
 * The messages that the peer may not have, in order. Those of a session stay until the peer has acknowledged them, those of
 * a plain connection until they are written.
 */
export class Outbox {
	/** How many messages the peer has acknowledged. */
	acked = 0
	/** How many messages have been written to any socket. */
	sent = 0
	/** Bytes of all messages in here. */
	bytes = 0
	/** @type {{data: Sent, size: number}[]} */
	#kept = [] // the first has the number acked + 1
	#next = 0 // index of the message that the present socket gets next
	#written = 0 // bytes of those before it

	/** @param {number} bound in bytes */
	constructor(bound) {
		this.bound = bound
	}

	/**
	 * Reports whether the peer has to acknowledge messages before this one fits.
	 *
	 * @param {Sent} data
	 */
	full(data) {
		return this.bytes > 0 && this.bytes + sizeOf(data) > this.bound
	}

	/** @param {Sent} data */
	push(data) {
		const size = sizeOf(data)
		this.#kept.push({ data, size })
		this.bytes += size
	}

	/**
	 * Puts texts in place of the frames, before rewind or the first write.
	 *
	 * @param {(frame: Uint8Array<ArrayBuffer>) => string} toText
	 */
	rewrite(toText) {
		for (const message of this.#kept) {
			if (typeof message.data === "string") continue
			message.data = toText(message.data)
			this.bytes -= message.size
			message.size = sizeOf(message.data)
			this.bytes += message.size
		}
	}

	/**
	 * Takes away the messages up to number n. It reports whether the peer may say so.
	 *
	 * @param {number} n
	 */
	acknowledge(n) {
		if (!(n >= this.acked && n <= this.sent)) return false
		const gone = this.#kept.splice(0, n - this.acked)
		this.acked = n
		for (const { size } of gone) {
			this.bytes -= size
			if (this.#next > 0) {
				this.#next--
				this.#written -= size
			}
		}
		return true
	}

	/** Begins again with the first message, for a new socket. */
	rewind() {
		this.#next = this.#written = 0
	}

	/**
	 * Hands write the messages that the present socket has not had, within the bound. It reports whether others wait.
	 *
	 * @param {(data: Sent) => void} write
	 */
	write(write) {
		for (; this.#next < this.#kept.length; this.#next++) {
			const { data, size } = this.#kept[this.#next]
			if (this.#next > 0 && this.#written + size > this.bound) return true
			this.#written += size
			this.sent = this.acked + this.#next + 1 // what was sent before fits again, so that it is never less at the end
			write(data)
		}
		return false
	}

	clear() {
		this.#kept = []
		this.bytes = 0
		this.rewind()
	}
}

const sizeOf = (/** @type {Sent} */ data) => (typeof data === "string" ? utf8Length(data) : data.byteLength)

/**
 * utf8Length is the length of a text in UTF-8, in bytes.
 *
 * @param {string} text
 */
function utf8Length(text) {
	let n = text.length
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i)
		if (unit > 0x7f) n += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1 // half of a pair has two bytes of four
	}
	return n
}
