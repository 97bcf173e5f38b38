// Checks of streams, as results and as arguments.
import { strict as assert } from "node:assert"
import { bytesOf } from "./api-streams.mjs"

const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1)

async function collect(stream) {
	const items = []
	for await (const v of await stream) items.push(v)
	return items
}

/** readAll collects the bytes of a stream, and checks each by its place. */
async function readAll(stream) {
	let at = 0
	for await (const item of await stream) {
		const chunk = bytesOf(item)
		assert.ok(chunk instanceof Uint8Array && chunk.length > 0 && chunk.length <= 32768, `${chunk?.constructor.name} of ${chunk?.length}`)
		for (const b of chunk) assert.equal(b, at++ % 251)
	}
	return at
}

/** chunks yields n bytes in odd pieces, and calls pulled for each. */
async function* chunks(n, pulled = () => {}, done = () => {}) {
	try {
		for (let at = 0; at < n; at += 997) {
			pulled()
			yield Uint8Array.from({ length: Math.min(997, n - at) }, (_, i) => (at + i) % 251)
		}
	} finally {
		done()
	}
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** settled waits until every producer that the server has started is at its end. */
async function settled(api) {
	for (let i = 0; i < 100; i++) {
		const { started, finished } = await api.streamStats()
		if (started === finished) return started
		await pause(10)
	}
	throw new Error("a producer of the server goes on")
}

/** source yields 1 to n and calls done when it ends or is stopped. */
async function* source(n, done = () => {}) {
	try {
		for (const i of upTo(n)) yield i
	} finally {
		done()
	}
}

async function* failingSource() {
	yield 1
	throw new RangeError("source failed")
}

const results = [
	{ name: "streams/countTo", run: async ({ api }) => assert.deepEqual(await collect(api.countTo(3)), upTo(3)) },
	{ name: "streams/none", run: async ({ api }) => assert.deepEqual(await collect(api.countTo(0)), []) },
	// More than what may be under way, several times over.
	{ name: "streams/thousand", run: async ({ api }) => assert.deepEqual(await collect(api.countTo(1000)), upTo(1000)) },
	{ name: "streams/slow-producer", run: async ({ api }) => assert.deepEqual(await collect(api.countSlow(5, 5)), upTo(5)) },
	{
		name: "streams/slow-consumer",
		run: async ({ api }) => {
			const items = []
			for await (const v of await api.countTo(100)) {
				items.push(v)
				await pause(1)
			}
			assert.deepEqual(items, upTo(100))
		}
	},
	{
		name: "streams/slow-consumer-holds-the-producer",
		needs: ["credit"],
		run: async ({ api }) => {
			await settled(api)
			for await (const v of await api.countTo(100000)) {
				const { started, finished } = await api.streamStats()
				assert.equal(started - finished, 1, `the producer is at its end, the consumer at ${v}`)
				if (v === 20) break
			}
			await settled(api)
		}
	},
	{
		name: "streams/break-stops-the-producer",
		run: async ({ api }) => {
			const before = await settled(api)
			for await (const v of await api.countSlow(1000, 5)) if (v === 3) break
			assert.equal(await settled(api), before + 1)
		}
	},
	{
		name: "streams/throw-stops-the-producer",
		run: async ({ api }) => {
			await assert.rejects(async () => {
				for await (const v of await api.countSlow(1000, 5)) if (v === 2) throw new Error("enough")
			}, /enough/)
			await settled(api)
		}
	},
	...["readBytes", "writeBytes"].flatMap((method) => [
		{
			name: `streams/${method}`,
			run: async ({ api }) => {
				for (const n of [0, 1, 32768, 32769, 200000]) assert.equal(await readAll(api[method](n)), n)
				await settled(api)
			}
		},
		{
			name: `streams/${method}-break-stops-the-producer`,
			needs: ["credit"], // else the producer may be at its end before
			run: async ({ api }) => {
				const before = await settled(api)
				for await (const item of await api[method](1e9)) {
					assert.equal(bytesOf(item)[0], 0)
					const { started, finished } = await api.streamStats()
					assert.deepEqual([started, finished], [before + 1, before], "the producer is at its end")
					break
				}
				assert.equal(await settled(api), before + 1)
			}
		}
	]),
	{
		name: "streams/failAfter",
		run: async ({ api }) => {
			const items = []
			await assert.rejects(async () => {
				for await (const v of await api.failAfter(2)) items.push(v)
			}, /failed after 2$/)
			assert.deepEqual(items, upTo(2))
		}
	},
	{
		name: "streams/failAfter-many",
		run: async ({ api }) => assert.rejects(collect(api.failAfter(40)), /failed after 40$/)
	},
	{ name: "streams/failAfter-none", run: async ({ api }) => assert.rejects(collect(api.failAfter(0)), /failed after 0$/) },
	{
		name: "streams/failAfter-code",
		needs: ["stream-errors"],
		run: async ({ api }) => assert.rejects(collect(api.failAfter(1)), { message: "failed after 1", code: "E_STREAM" })
	},
	{
		name: "streams/concurrent",
		run: async ({ api }) => {
			const [slow, slower, fast, greeting] = await Promise.all([
				collect(api.countSlow(5, 3)), collect(api.countSlow(5, 4)), collect(api.countTo(50)), api.greet("streams")
			])
			assert.deepEqual([slow, slower, fast], [upTo(5), upTo(5), upTo(50)])
			assert.equal(greeting, "Hello, streams!")
		}
	},
	{
		name: "streams/hundred-at-once",
		run: async ({ api }) => {
			const all = await Promise.all(Array.from({ length: 100 }, () => collect(api.countTo(50))))
			for (const items of all) assert.deepEqual(items, upTo(50))
		}
	},
	{
		name: "streams/close-ends-it",
		needs: ["destroy", "time"], // a server does not hear of a session that is closed while it is cut
		run: async ({ api, connect }) => {
			const other = await connect()
			const items = []
			await assert.rejects(async () => {
				for await (const v of await other.api.countSlow(1000, 5)) {
					items.push(v)
					if (v === 2) setTimeout(() => other.close(), 20)
				}
			}, Error)
			assert.ok(items.length >= 2 && items.length < 1000)
			await settled(api)
		}
	}
]

const controls = [
	{
		name: "streams/next-by-hand",
		run: async ({ api }) => {
			const it = (await api.countTo(2))[Symbol.asyncIterator]()
			assert.deepEqual(await it.next(), { done: false, value: 1 })
			assert.deepEqual(await Promise.all([it.next(), it.next()]).then((all) => all.map((r) => r.done)), [false, true])
			assert.equal((await it.next()).done, true)
		}
	},
	{
		name: "streams/return",
		run: async ({ api }) => {
			const it = (await api.countSlow(100, 1))[Symbol.asyncIterator]()
			await it.next()
			assert.equal((await it.return("stopped")).done, true)
			assert.equal((await it.next()).done, true)
			await settled(api)
		}
	},
	{
		name: "streams/return-before-next",
		run: async ({ api }) => {
			const it = (await api.countTo(5))[Symbol.asyncIterator]()
			assert.equal((await it.return()).done, true)
		}
	},
	{
		name: "streams/throw",
		run: async ({ api }) => {
			const it = (await api.countSlow(100, 1))[Symbol.asyncIterator]()
			await it.next()
			await assert.rejects(it.throw(new Error("thrown in")), Error)
			await settled(api)
		}
	}
]

const args = [
	{ name: "streams/sumStream", run: async ({ api }) => assert.equal(await api.sumStream(source(5)), 15) },
	{ name: "streams/sumStream-none", run: async ({ api }) => assert.equal(await api.sumStream(source(0)), 0) },
	{ name: "streams/sumStream-thousand", run: async ({ api }) => assert.equal(await api.sumStream(source(1000)), 500500) },
	{
		name: "streams/sumStream-failing-source",
		run: async ({ api }) => assert.rejects(api.sumStream(failingSource()), /source failed/)
	},
	{
		name: "streams/firstOf-stops-the-source",
		run: async ({ api }) => {
			let stopped = 0
			assert.equal(await api.firstOf(source(1000, () => stopped++)), 1)
			for (let i = 0; i < 100 && !stopped; i++) await pause(10)
			assert.equal(stopped, 1)
		}
	},
	{
		name: "streams/countBytes",
		run: async ({ api }) => {
			for (const n of [0, 1, 200000]) assert.equal(await api.countBytes(chunks(n)), n)
		}
	},
	{
		name: "streams/firstByte-stops-the-source",
		run: async ({ api }) => {
			let pulled = 0
			let stopped = 0
			assert.equal(await api.firstByte(chunks(1e9, () => pulled++, () => stopped++)), 0)
			for (let i = 0; i < 100 && !stopped; i++) await pause(10)
			assert.equal(stopped, 1)
			assert.ok(pulled <= 33, `${pulled} items were made for one that was read`)
		}
	},
	{
		name: "streams/countBytes-of-other-items",
		run: async ({ api }) => assert.rejects(api.countBytes(source(3)), /item: expected Uint8Array, got number/)
	},
	{
		name: "streams/firstOf-object",
		run: async ({ api }) => {
			async function* objects() {
				yield { a: [1, null], b: "two" }
			}
			assert.deepEqual(await api.firstOf(objects()), { a: [1, null], b: "two" })
		}
	},
	{
		name: "streams/arguments-side-by-side",
		run: async ({ api }) => {
			const sums = await Promise.all(upTo(20).map((n) => api.sumStream(source(n * 5))))
			assert.deepEqual(sums, upTo(20).map((n) => (n * 5 * (n * 5 + 1)) / 2))
		}
	}
]

export const streamChecks = [
	...results.map((check) => ({ ...check, needs: ["streams", ...(check.needs ?? [])] })),
	...controls.map((check) => ({ ...check, needs: ["stream-controls"] })),
	...args.map((check) => ({ ...check, needs: ["stream-arguments"] }))
]
