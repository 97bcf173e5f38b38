// Cloudflare Workers tie sockets and timers to the request that made them: code that runs for another request may not use
// them, and they end with it. One Go program for all sockets does both, so that each socket gets a loop in its own request:
// what others have for the socket waits there, and one of the loops, the keeper, keeps the time for Go's timers.
//
// A request can end without a word, as after ctx.abort: its loop never goes on, and nothing tells. So another one, the deputy,
// looks after the timers LATE milliseconds later, and takes over if they are still there; so does who calls Go.
const LATE = 250

// How many milliseconds pass until a loop looks for itself: a request that ends takes with it that it has woken others.
const LOOK = 1000

/** @returns the contexts of a plain Worker, for createHost. A Durable Object needs none: it is one context. */
export function requestContexts() {
	const loops = new Map() // of sockets, the oldest first
	const timers = new Map() // of Go programs, by id: { at, go }
	let lastTimer = 0
	let keeper // the loop that waits for timers; undefined while there is none that may be alive
	let deputy // another one, if there is one
	let current // the socket for whose request Go runs

	class Loop {
		#todo = []
		#over = false
		#wake = () => {}
		#until = Infinity // when it wakes by itself
		lost = false // it has let timers go by: perhaps its request has ended

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

		/** Is told of a new timer. */
		expect(at) {
			if (at < this.#until) this.#wake()
		}

		async run(socket) {
			for (;;) {
				if (this.lost) found(this)
				for (let f = this.#todo.shift(); f !== undefined; f = this.#todo.shift()) f()
				if (deputy === this && late()) takeOver(socket)
				if (keeper === this) fire(socket)
				if (this.#todo.length > 0) continue
				if (this.#over) return
				await this.#pause()
			}
		}

		async #pause() {
			this.#until = keeper === this ? due() : deputy === this ? due() + LATE : Infinity
			// Two promises, since one that another request has resolved, and then ended, may stay as it is for ever.
			let timeout
			const wait = Math.max(Math.min(this.#until - Date.now(), LOOK), 0)
			const timer = new Promise((resolve) => (timeout = setTimeout(resolve, wait)))
			await Promise.race([timer, new Promise((resolve) => (this.#wake = resolve))])
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

	/** @returns the oldest loop beside this one that is not lost. */
	function another(loop) {
		for (const other of loops.values()) if (other !== loop && !other.lost) return other
	}

	function keep(loop) {
		keeper = loop
		deputy = another(loop)
		keeper?.wake()
		deputy?.wake()
	}

	/** Is told of a loop that may be of use, if there are not enough of them. */
	function found(loop) {
		loop.lost = false
		if (keeper === undefined || deputy === undefined) keep(keeper ?? loop)
	}

	/** Makes the socket's loop the keeper in place of one that is late, and perhaps of its deputy, which is so too. */
	function takeOver(socket) {
		const loop = loops.get(socket)
		for (const other of [keeper, deputy]) if (other !== undefined) other.lost = true
		loop.lost = false
		keep(loop)
	}

	/** Runs the programs whose time has come, in the socket's request. */
	function fire(socket) {
		const now = Date.now()
		for (const [id, timer] of timers) {
			if (timer.at > now) continue
			const before = contexts.enter(socket)
			timer.go._resume()
			contexts.leave(before)
			if (timers.get(id) === timer) timer.at = now + 1 // Go found that it was too early by its own clock
		}
	}

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
			if (socket === undefined) return before
			current = socket
			const loop = loops.get(socket)
			if (loop !== undefined && loop !== keeper && late()) takeOver(socket) // before Go arms its timer anew
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
		adopt(go) {
			Object.assign(go.importObject.gojs, {
				// func scheduleTimeoutEvent(delay int64) int32
				"runtime.scheduleTimeoutEvent": (sp) => {
					sp >>>= 0
					const at = Date.now() + Number(go.mem.getBigInt64(sp + 8, true))
					const id = (lastTimer = (lastTimer + 1) & 0x7fffffff)
					timers.set(id, { at, go })
					go.mem.setInt32(sp + 16, id, true)
					keeper?.expect(at)
					deputy?.expect(at + LATE)
				},
				// func clearTimeoutEvent(id int32)
				"runtime.clearTimeoutEvent": (sp) => timers.delete(go.mem.getInt32((sp >>> 0) + 8, true)),
			})
		},
		abandon(go) {
			for (const [id, timer] of timers) if (timer.go === go) timers.delete(id)
		},
	}
	return contexts
}
