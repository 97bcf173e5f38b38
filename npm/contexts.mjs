// Cloudflare Workers tie sockets and timers to the request that made them: code that runs for another request may not use
// them, and they end with it. One Go program for all sockets does both, so that each socket gets a loop in its own request:
// what others have for it waits there, and one of the loops keeps the time for all.

/** @returns the contexts of a plain Worker, for createHost. A Durable Object needs none: it is one context. */
export function requestContexts() {
	const loops = new Map() // of Socket
	const timers = new Map() // id to { at, go }
	let lastTimer = 0
	let current // the socket for whose request Go runs

	/** The loop that waits for timers: that of the oldest socket. */
	const keeper = () => loops.values().next().value

	const due = () => {
		let next = Infinity
		for (const { at } of timers.values()) next = Math.min(next, at)
		return next
	}

	async function loop(socket, self) {
		while (loops.get(socket) === self || self.todo.length > 0) {
			for (let f = self.todo.shift(); f !== undefined; f = self.todo.shift()) f()
			if (keeper() === self) fire(socket)
			if (self.todo.length > 0 || loops.get(socket) !== self) continue
			const wait = keeper() === self ? due() - Date.now() : Infinity
			let timeout
			await new Promise((resolve) => {
				self.wake = resolve
				if (wait < Infinity) timeout = setTimeout(resolve, Math.max(wait, 0))
			})
			clearTimeout(timeout)
		}
	}

	/** Runs the programs whose time has come. */
	function fire(socket) {
		const now = Date.now()
		for (const [id, timer] of timers) {
			if (timer.at > now) continue
			contexts.run(socket, () => timer.go._resume())
			if (timers.get(id) === timer) timer.at = now + 1 // Go found that it was too early by its own clock
		}
	}

	const wake = (self) => self?.wake?.()

	const contexts = {
		begin(socket) {
			const self = { todo: [], wake: undefined }
			loops.set(socket, self)
			void loop(socket, self)
		},
		end(socket) {
			const self = loops.get(socket)
			loops.delete(socket)
			wake(self)
			wake(keeper())
		},
		run(socket, f) {
			const before = current
			current = socket ?? before
			try {
				f()
			} finally {
				current = before
			}
		},
		use(socket, f) {
			const self = loops.get(socket)
			if (socket === current || self === undefined) return f()
			self.todo.push(f)
			wake(self)
		},
		adopt(go) {
			Object.assign(go.importObject.gojs, {
				// func scheduleTimeoutEvent(delay int64) int32
				"runtime.scheduleTimeoutEvent": (sp) => {
					sp >>>= 0
					const id = (lastTimer = (lastTimer + 1) & 0x7fffffff)
					timers.set(id, { at: Date.now() + Number(go.mem.getBigInt64(sp + 8, true)), go })
					go.mem.setInt32(sp + 16, id, true)
					wake(keeper())
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
