// The streams of the compact protocol: who consumes one grants credit, who produces it spends one for each step.

const WINDOW = 32

export const isStream = (value) => typeof value?.[Symbol.asyncIterator] === "function"

/** Producer answers the controls of one stream. forget takes it out of the peer's table. */
export class Producer {
	#iterator
	#sid
	#peer
	#forget
	#credit = 0
	#running = false
	#gone = false

	constructor(iterator, sid, peer, forget) {
		this.#iterator = iterator
		this.#sid = sid
		this.#peer = peer
		this.#forget = forget
	}

	control(id, op, n, value) {
		if (op === "pull") {
			this.#credit += n >= 1 ? Math.floor(n) : 1
			return this.#run()
		}
		return this.#end(id, op, value)
	}

	stop() {
		this.#leave()
		this.#iterator.return?.()?.catch(() => {})
	}

	#leave() {
		this.#gone = true
		this.#forget()
	}

	async #run() {
		if (this.#running) return
		this.#running = true
		try {
			while (this.#credit > 0 && !this.#gone) {
				this.#credit--
				const { done, value } = await this.#iterator.next()
				if (this.#gone) return
				if (done) this.#leave()
				this.#send(crypto.randomUUID(), { d: Boolean(done), v: value })
			}
		} catch (err) {
			if (!this.#gone) this.#fail(crypto.randomUUID(), err)
		} finally {
			this.#running = false
		}
	}

	async #end(id, op, value) {
		this.#leave()
		try {
			if (op === "return") {
				const result = await this.#iterator.return?.(value)
				return this.#send(id, { d: true, v: result?.value })
			}
			if (!this.#iterator.throw) throw value
			await this.#iterator.throw(value)
			this.#send(id, { d: true, v: undefined })
		} catch (err) {
			this.#fail(id, err)
		}
	}

	#fail(id, err) {
		this.#leave()
		this.#send(id, { e: { n: "Error", m: String(err) } })
	}

	#send(id, rest) {
		this.#peer.send({ t: "sr", id, sid: this.#sid, ...rest })
	}
}

/** Consumer is a stream of the other end, to be iterated once. */
export class Consumer {
	#sid
	#peer
	#forget
	#items = []
	#waiting = []
	#credit = 0 // what was granted and is not given to the application yet
	#ended = false

	constructor(sid, peer, forget) {
		this.#sid = sid
		this.#peer = peer
		this.#forget = forget
	}

	[Symbol.asyncIterator]() {
		return this
	}

	next() {
		if (this.#items.length > 0) return this.#deliver(this.#items.shift())
		if (this.#ended) return Promise.resolve({ done: true, value: undefined })
		if (this.#credit === 0) this.#pull(WINDOW)
		return new Promise((resolve) => this.#waiting.push(resolve))
	}

	return(value) {
		return this.#leave("return", value)
	}

	throw(err) {
		return this.#leave("throw", err)
	}

	/** take is called with each item, with the end, and with the failure. */
	take(item) {
		if (item.d || item.e) this.#end()
		const wake = this.#waiting.shift()
		if (wake) wake(this.#deliver(item))
		else this.#items.push(item)
		if (this.#ended) for (const rest of this.#waiting.splice(0)) rest({ done: true, value: undefined })
	}

	fail(error) {
		this.take({ e: error })
	}

	async #deliver({ d, v, e }) {
		if (e) throw e
		if (d) return { done: true, value: v }
		if (--this.#credit <= WINDOW / 2 && !this.#ended) this.#pull(WINDOW / 2)
		return { done: false, value: v }
	}

	#pull(n) {
		this.#credit += n
		this.#peer.send({ t: "sq", id: crypto.randomUUID(), sid: this.#sid, op: "pull", n })
	}

	#end() {
		this.#ended = true
		this.#forget()
	}

	async #leave(op, value) {
		if (this.#ended) {
			this.#items = []
			if (op === "throw") throw value
			return { done: true, value }
		}
		this.#end()
		this.#items = []
		for (const rest of this.#waiting.splice(0)) rest({ done: true, value: undefined })
		const answer = await this.#peer.ask({ t: "sq", id: crypto.randomUUID(), sid: this.#sid, op, v: value })
		return { done: true, value: answer }
	}
}
