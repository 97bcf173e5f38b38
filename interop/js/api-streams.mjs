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

/** bytes yields n bytes in chunks. The byte at each place is the place modulo 251. */
async function* bytes(n) {
	started++
	try {
		for (let at = 0; at < n; at += 20000) yield Uint8Array.from({ length: Math.min(20000, n - at) }, (_, i) => (at + i) % 251)
	} finally {
		finished++
	}
}

/** bytesOf is an item as kkrpc 2 gets it with the codec json: as base64 text. */
export const bytesOf = (item) => (typeof item === "string" ? Uint8Array.from(atob(item), (c) => c.charCodeAt(0)) : item)

export const streams = {
	readBytes: (n) => bytes(n),
	writeBytes: (n) => bytes(n),
	countBytes: async (source) => {
		let count = 0
		for await (const item of source) {
			if (!(bytesOf(item) instanceof Uint8Array)) throw new TypeError(`item: expected Uint8Array, got ${typeof item}`)
			count += bytesOf(item).length
		}
		return count
	},
	firstByte: async (source) => {
		for await (const item of source) return bytesOf(item)[0]
	},
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
