// Checks of functions passed as arguments.
import assert from "node:assert/strict"

/** next returns a callback and a promise of what it is first called with. */
function next() {
	let callback
	const called = new Promise((resolve) => (callback = (...args) => resolve(args)))
	return { callback, called }
}

export const callbackChecks = [
	{
		name: "callbacks/onProgress",
		run: async ({ api }) => {
			const seen = []
			assert.equal(await api.onProgress(25, (i, n) => seen.push([i, n])), "done")
			// All of them arrive before the answer, in order.
			assert.deepEqual(seen, Array.from({ length: 25 }, (_, i) => [i + 1, 25]))
		}
	},
	{
		name: "callbacks/two",
		run: async ({ api }) => {
			const seen = []
			assert.equal(await api.twoCallbacks((s) => seen.push(`a:${s}`), (s) => seen.push(`b:${s}`)), true)
			assert.deepEqual(seen, ["a:A", "b:B", "a:A2"])
		}
	},
	{
		name: "callbacks/same-function-twice",
		run: async ({ api }) => {
			const seen = []
			const record = (s) => seen.push(s)
			assert.equal(await api.twoCallbacks(record, record), true)
			assert.deepEqual(seen, ["A", "B", "A2"])
		}
	},
	{
		name: "callbacks/late",
		run: async ({ api }) => {
			const { callback, called } = next()
			assert.equal(await api.lateCallback(30, callback), "scheduled")
			assert.deepEqual(await called, ["late"])
		}
	},
	{
		name: "callbacks/keep",
		run: async ({ api }) => {
			const { callback, called } = next()
			assert.equal(await api.keepCallback(callback), true)
			assert.deepEqual(await called, ["kept"])
		}
	},
	{
		name: "callbacks/call-from-callback",
		run: async ({ api }) => {
			let answer
			assert.equal(await api.onProgress(1, () => (answer = api.greet("from a callback"))), "done")
			assert.equal(await answer, "Hello, from a callback!")
		}
	}
]
