// Checks of functions passed as arguments.
import { strict as assert } from "node:assert"

/** next returns a function and a promise of what it is first called with. */
function next() {
	let fn
	const called = new Promise((resolve) => (fn = (...args) => resolve(args)))
	return { fn, called }
}

export const callbackChecks = [
	{
		name: "callbacks/onProgress",
		run: async ({ api, callback }) => {
			const seen = []
			assert.equal(await api.onProgress(25, callback((i, n) => void seen.push([i, n]))), "done")
			// All of them arrive before the answer, in order.
			assert.deepEqual(seen, Array.from({ length: 25 }, (_, i) => [i + 1, 25]))
		}
	},
	{
		name: "callbacks/two",
		run: async ({ api, callback }) => {
			const seen = []
			assert.equal(await api.twoCallbacks(callback((s) => void seen.push(`a:${s}`)), callback((s) => void seen.push(`b:${s}`))), true)
			assert.deepEqual(seen, ["a:A", "b:B", "a:A2"])
		}
	},
	{
		name: "callbacks/same-function-twice",
		run: async ({ api, callback }) => {
			const seen = []
			const record = callback((s) => void seen.push(s))
			assert.equal(await api.twoCallbacks(record, record), true)
			assert.deepEqual(seen, ["A", "B", "A2"])
		}
	},
	{
		name: "callbacks/late",
		run: async ({ api, callback }) => {
			const { fn, called } = next()
			assert.equal(await api.lateCallback(30, callback(fn)), "scheduled")
			assert.deepEqual(await called, ["late"])
		}
	},
	{
		name: "callbacks/keep",
		run: async ({ api, callback }) => {
			const { fn, called } = next()
			assert.equal(await api.keepCallback(callback(fn)), true)
			assert.deepEqual(await called, ["kept"])
		}
	},
	{
		name: "callbacks/call-from-callback",
		run: async ({ api, callback }) => {
			let answer
			assert.equal(await api.onProgress(1, callback(() => void (answer = api.greet("from a callback")))), "done")
			assert.equal(await answer, "Hello, from a callback!")
		}
	}
]
