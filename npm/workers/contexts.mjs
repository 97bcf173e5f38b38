// Cloudflare Workers tie sockets and timers to the request that made them: code that runs for another request may not use
// them, and they end with it. One Go program for all sockets does both, so that each socket gets a loop in its own request:
// what others have for the socket waits there, and one of the loops, the keeper, keeps the time for Go's timers.
//
// A request can end without a word, as after ctx.abort: its loop never goes on, and nothing tells. So another one, the deputy,
// looks after the timers LATE milliseconds later, and takes over if they are still there; so does who calls Go.
const LATE = 250

// How many milliseconds pass until a loop looks for itself: a request that ends takes with it that it has woken others.
const LOOK = 1000

/**
 * @typedef {import("./socket.mjs").Socket} Socket
 * @typedef {import("./runtime.mjs").Runtime} Runtime
 */

/** @returns the contexts of a plain Worker, for createHost. A Durable Object needs none: it is one context. */
export function requestContexts() {
	/** @type {Map<Socket | null | undefined, Loop>} */
	const loops = new Map() // of sockets, the oldest first
	/** @type {Map<number, {at: number, runtime: Runtime}>} */
	const timers = new Map() // of Go programs, by id
	let lastTimer = 0
	/** @type {Loop | undefined} */
	let keeper // the loop that waits for timers; undefined while there is none that may be alive
	/** @type {Loop | undefined} */
	let deputy // another one, if there is one
	/** @type {Socket | undefined} */
	let current // the socket for whose request Go runs

	class Loop {
		/** @type {(() => void)[]} */
		#todo = []
		#over = false
		#wake = () => {}
		#until = Infinity // when it wakes by itself
		lost = false // it has let timers go by: perhaps its request has ended

		/** @param {() => void} f */
		later(f) {
			this.#todo.push(f)
			this.#wake()
		}

		end() {
			this.#over = true
			this.#wake()
		}

		wake() {
			this.#wake()
		}

		/**
		 * Is told of a new timer.
		 *
		 * @param {number} at
		 */
		expect(at) {
			if (at < this.#until) this.#wake()
		}

		/** @param {Socket} socket */
		async run(socket) {
			for (;;) {
				if (this.lost) found(this)
				for (let f = this.#todo.shift(); f !== undefined; f = this.#todo.shift()) f()
				if (deputy === this && late()) takeOver(this)
				if (keeper === this) fire(socket)
				if (this.#todo.length > 0) continue
				if (this.#over) return
				await this.#pause()
			}
		}

		async #pause() {
			this.#until = keeper === this ? due() : deputy === this ? due() + LATE : Infinity
			// Two promises, since one that another request has resolved, and then ended, may stay as it is for ever.
			/** @type {import("./host.mjs").Timer} */
			let timeout
			const wait = Math.max(Math.min(this.#until - Date.now(), LOOK), 0)
			const timer = new Promise((resolve) => (timeout = setTimeout(resolve, wait)))
			await Promise.race([timer, new Promise((resolve) => (this.#wake = () => resolve(undefined)))])
			clearTimeout(timeout)
			this.#until = -Infinity // it looks at the timers before it pauses again
		}
	}

	function due() {
		let next = Infinity
		for (const { at } of timers.values()) next = Math.min(next, at)
		return next
	}

	function late() {
		return due() <= Date.now() - LATE
	}

	/**
	 * @param {Loop} [loop]
	 * @returns the oldest loop beside this one that is not lost
	 */
	function another(loop) {
		for (const other of loops.values()) if (other !== loop && !other.lost) return other
	}

	/** @param {Loop | undefined} loop */
	function keep(loop) {
		keeper = loop
		deputy = another(loop)
		keeper?.wake()
		deputy?.wake()
	}

	/**
	 * Is told of a loop that may be of use, if there are not enough of them.
	 *
	 * @param {Loop} loop
	 */
	function found(loop) {
		loop.lost = false
		if (keeper === undefined || deputy === undefined) keep(keeper ?? loop)
	}

	/**
	 * Makes a loop the keeper in place of one that is late, and perhaps of its deputy, which is so too.
	 *
	 * @param {Loop} loop
	 */
	function takeOver(loop) {
		for (const other of [keeper, deputy]) if (other !== undefined) other.lost = true
		loop.lost = false
		keep(loop)
	}

	/**
	 * Runs the programs whose time has come, in the socket's request.
	 *
	 * @param {Socket} socket
	 */
	function fire(socket) {
		const now = Date.now()
		for (const [id, timer] of timers) {
			if (timer.at > now) continue
			const before = contexts.enter(socket)
			timer.runtime.wake()
			contexts.leave(before)
			if (timers.get(id) === timer) timer.at = now + 1 // Go found that it was too early by its own clock
		}
	}

	/** @type {import("./host.mjs").Contexts} */
	const contexts = {
		begin(socket) {
			const loop = new Loop()
			loops.set(socket, loop)
			found(loop)
			void loop.run(socket)
		},
		end(socket) {
			const loop = loops.get(socket)
			if (loop === undefined) return
			loops.delete(socket)
			loop.end()
			if (keeper === loop) keep(another())
			else if (deputy === loop) keep(keeper)
		},
		enter(socket) {
			const before = current
			if (socket === undefined || socket === null) return before
			current = socket
			const loop = loops.get(socket)
			if (loop !== undefined && loop !== keeper && late()) takeOver(loop) // before Go arms its timer anew
			return before
		},
		leave(before) {
			current = before
		},
		may: (socket) => socket === current,
		home(socket) {
			if (loops.has(socket)) return socket
			if (loops.has(current)) return current
			for (const [other, loop] of loops) if (!loop.lost) return other
			return null
		},
		apart: true,
		early: true, // the timer is of at least a millisecond
		soon: (f) => setTimeout(f, 0),
		later(socket, f) {
			const loop = loops.get(socket)
			if (loop === undefined) f()
			else loop.later(f)
		},
		adopt(runtime) {
			const schedule = (/** @type {number} */ delay) => {
				const at = Date.now() + delay
				const id = (lastTimer = (lastTimer + 1) & 0x7fffffff)
				timers.set(id, { at, runtime })
				keeper?.expect(at)
				deputy?.expect(at + LATE)
				return id
			}
			runtime.replaceTimers(schedule, (id) => timers.delete(id))
		},
		abandon(runtime) {
			for (const [id, timer] of timers) if (timer.runtime === runtime) timers.delete(id)
		},
	}
	return contexts
}
