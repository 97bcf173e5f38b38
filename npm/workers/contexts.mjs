// Cloudflare Workers tie sockets and timers to the request that made them: code that runs for another request may not use
// them, and they end with it. One Go program for all sockets does both, so that each socket gets a loop in its own request:
// what others have for the socket waits there, and one of the loops, the keeper, keeps the time for Go's timers.

// How late a timer may be before another loop takes over from the keeper, in milliseconds: a request can end without a word.
const LATE = 250

/** @returns the contexts of a plain Worker, for createHost. A Durable Object needs none: it is one context. */
export function requestContexts() {
	const loops = new Map() // of sockets, the oldest first
	const timers = new Map() // of Go programs, by id: { at, go }
	let lastTimer = 0
	let keeper // the loop that waits for timers; undefined while there is no socket
	let current // the socket for whose request Go runs

	class Loop {
		#todo = []
		#over = false
		#wake = () => {}
		#until = Infinity // when it wakes by itself

		later(f) {
			this.#todo.push(f)
			this.#wake()
		}

		end() {
			this.#over = true
			this.#wake()
		}

		keep() {
			keeper = this
			this.#wake()
		}

		/** Is told of a new timer. */
		expect(at) {
			if (at < this.#until) this.#wake()
		}

		async run(socket) {
			for (;;) {
				for (let f = this.#todo.shift(); f !== undefined; f = this.#todo.shift()) f()
				if (keeper === this) fire(socket)
				if (this.#todo.length > 0) continue
				if (this.#over) return
				await this.#pause()
			}
		}

		async #pause() {
			this.#until = keeper === this ? due() : Infinity
			let timeout
			await new Promise((resolve) => {
				this.#wake = resolve
				if (this.#until < Infinity) timeout = setTimeout(resolve, Math.max(this.#until - Date.now(), 0))
			})
			clearTimeout(timeout)
			this.#until = -Infinity // it looks at the timers before it pauses again
		}
	}

	function due() {
		let next = Infinity
		for (const { at } of timers.values()) next = Math.min(next, at)
		return next
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
			keeper ??= loop
			void loop.run(socket)
		},
		end(socket) {
			const loop = loops.get(socket)
			if (loop === undefined) return
			loops.delete(socket)
			loop.end()
			if (keeper !== loop) return
			keeper = undefined
			loops.values().next().value?.keep()
		},
		enter(socket) {
			const before = current
			if (socket !== undefined) current = socket
			return before
		},
		leave(before) {
			const loop = loops.get(current)
			current = before
			if (loop !== undefined && loop !== keeper && due() < Date.now() - LATE) loop.keep()
		},
		may: (socket) => socket === current,
		apart: true,
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
