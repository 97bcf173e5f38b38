// The conformance API as JavaScript functions, for servers that Go clients are tested against.
import { refs } from "./api-refs.mjs"
import { streams } from "./api-streams.mjs"

const settings = { theme: "light" } // of all connections

class Counter {
	constructor(start = 0) {
		this.count = start
	}
}

/**
 * makeAPI returns one connection's API. client() is the API that the peer on that connection exposes, kkrpc what the
 * version of kkrpc offers besides.
 */
export function makeAPI(client, kkrpc) {
	const kept = []
	const api = {
		...streams,
		...refs(kkrpc),
		settings,
		Counter,
		greet: (name) => `Hello, ${name}!`,
		add: (a, b) => a + b,
		math: {
			multiply: (a, b) => a * b,
			divide: (a, b) => {
				if (b === 0) {
					const err = Object.assign(new Error("division by zero"), { code: "E_DIV" })
					err.name = "DivisionByZero"
					throw err
				}
				return a / b
			}
		},
		echo: (v) => v,
		count: (...args) => args.length,
		nothing: () => {},
		nul: () => null,
		getDate: () => new Date("2024-02-29T12:34:56.789Z"),
		getMap: () => new Map([["a", 1], ["b", { c: 2 }]]),
		getSet: () => new Set([1, 2, 3]),
		getBigInt: () => 12345678901234567890n,
		getBytes: (n) => Uint8Array.from({ length: n }, (_, i) => i & 255),
		sumBytes: (bytes) => bytes.reduce((sum, b) => sum + b, 0),
		describe,
		riskyOperation: () => {
			throw new Error("Something went wrong!", { cause: new Error("Root cause") })
		},
		throwTyped: async () => {
			throw new TypeError("bad type")
		},
		throwString: () => {
			throw "plain string"
		},
		throwDetails: () => {
			const err = Object.assign(new Error("custom failure"), {
				code: "E_CUSTOM",
				details: { field: "name", values: [1, 2] }
			})
			err.name = "CustomError"
			throw err
		},
		onProgress: (n, cb) => {
			for (let i = 1; i <= n; i++) cb(i, n)
			return "done"
		},
		twoCallbacks: (a, b) => {
			a("A")
			b("B")
			a("A2")
			return true
		},
		lateCallback: (ms, cb) => {
			setTimeout(() => cb("late"), ms)
			return "scheduled"
		},
		keepCallback: (cb) => {
			kept.push(cb)
			cb("kept")
			return true
		},
		callMe: async (name) => {
			const info = await client().getClientInfo()
			const notified = await client().notify(`hello ${name}`)
			return { info, notified }
		},
		callMeFailing: async () => {
			try {
				await client().fail()
			} catch (err) {
				return `${err.name}: ${err.message}`
			}
			return "did not fail"
		},
		slow: (ms) => after(ms, `slept ${ms}`),
		delayEcho: (ms, v) => after(ms, v)
	}
	return Object.defineProperty(api, "version", { value: "1.0.0", enumerable: true })
}

/** clientAPI is what every client of the conformance API exposes. */
export function clientAPI(version) {
	return {
		getClientInfo: () => ({ name: "ts-client", version }),
		notify: (message) => `received: ${message}`,
		fail: () => {
			const err = new Error("client failure")
			err.name = "ClientError"
			throw err
		}
	}
}

function after(ms, v) {
	return new Promise((resolve) => setTimeout(() => resolve(v), ms))
}

function describe(v) {
	if (v === null) return "null"
	if (v instanceof Date) return `date:${v.toISOString()}`
	if (v instanceof Map) return `map:${v.size}`
	if (v instanceof Set) return `set:${v.size}`
	if (v instanceof Uint8Array) return `bytes:${v.length}`
	if (typeof v === "bigint") return `bigint:${v}`
	if (Array.isArray(v)) return "array"
	return typeof v
}
