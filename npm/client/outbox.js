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
	#kept = [] // the first has the number acked + 1
	#next = 0 // index of the message that the present socket gets next
	#written = 0 // bytes of those before it

	constructor(bound) {
		this.bound = bound
	}

	/** Reports whether the peer has to acknowledge messages before this one fits. */
	full(text) {
		return this.bytes > 0 && this.bytes + utf8Length(text) > this.bound
	}

	push(text) {
		const size = utf8Length(text)
		this.#kept.push({ text, size })
		this.bytes += size
	}

	/** Takes away the messages up to number n. It reports whether the peer may say so. */
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

	/** Hands write the messages that the present socket has not had, within the bound. */
	write(write) {
		for (; this.#next < this.#kept.length; this.#next++) {
			const { text, size } = this.#kept[this.#next]
			if (this.#next > 0 && this.#written + size > this.bound) return
			this.#written += size
			this.sent = this.acked + this.#next + 1 // what was sent before fits again, so that it is never less at the end
			write(text)
		}
	}

	clear() {
		this.#kept = []
		this.bytes = 0
		this.rewind()
	}
}

/** utf8Length is the length of a text in UTF-8, in bytes. */
export function utf8Length(text) {
	let n = text.length
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i)
		if (unit > 0x7f) n += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1 // half of a pair has two bytes of four
	}
	return n
}
