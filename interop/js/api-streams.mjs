// The part of the conformance API that makes and takes streams.

let started = 0
let finished = 0

/** produce yields 1 to n, waiting ms before each, and throws what fail returns at the end, if anything. */
async function* produce(n, ms = 0, fail = () => undefined) {
	started++
	try {
		for (let i = 1; i <= n; i++) {
			if (ms) await new Promise((resolve) => setTimeout(resolve, ms))
			yield i
		}
		const error = fail()
		if (error) throw error
	} finally {
		finished++
	}
}

export const streams = {
	countTo: (n) => produce(n),
	countSlow: (n, ms) => produce(n, ms),
	failAfter: (n) => produce(n, 0, () => Object.assign(new Error(`failed after ${n}`), { code: "E_STREAM" })),
	streamStats: () => ({ started, finished }),
	sumStream: async (source) => {
		let sum = 0
		for await (const v of source) sum += v
		return sum
	},
	firstOf: async (source) => {
		for await (const v of source) return v
	}
}
