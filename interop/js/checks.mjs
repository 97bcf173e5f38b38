// The conformance checks of a JavaScript client.
import { strict as assert } from "node:assert"
import { callbackChecks } from "./checks-callbacks.mjs"
import { lifeChecks } from "./checks-life.mjs"
import { propertyChecks } from "./checks-properties.mjs"
import { refChecks } from "./checks-refs.mjs"
import { streamChecks } from "./checks-streams.mjs"
import { valueChecks } from "./checks-values.mjs"
import { runtime } from "./runtime.mjs"

// A check is {name, needs?, run(t)}: it runs where the client can do all that it needs, see capabilities.mjs.
// t is a connection and what its version of kkrpc offers, see load there; and version, connect for a further connection.

const basic = [
	{ name: "basic/greet", run: async ({ api }) => assert.equal(await api.greet("World"), "Hello, World!") },
	{ name: "basic/add", run: async ({ api }) => assert.equal(await api.add(5, 3), 8) },
	{ name: "basic/add-fractions", run: async ({ api }) => assert.equal(await api.add(0.1, 0.2), 0.1 + 0.2) },
	{ name: "basic/nested", run: async ({ api }) => assert.equal(await api.math.multiply(4, 6), 24) },
	{ name: "basic/divide", run: async ({ api }) => assert.equal(await api.math.divide(1, 4), 0.25) },
	{
		name: "basic/count",
		run: async ({ api }) => {
			assert.equal(await api.count(), 0)
			assert.equal(await api.count(1, "2", [3], { four: 4 }, null), 5)
		}
	},
	{ name: "basic/nothing", run: async ({ api }) => assert.equal(await api.nothing(), undefined) },
	{ name: "basic/null", run: async ({ api }) => assert.equal(await api.nul(), null) },
	{ name: "basic/missing", run: async ({ api }) => assert.rejects(api.noSuchMethod(1), /not a function/) },
	{ name: "basic/missing-nested", run: async ({ api }) => assert.rejects(api.math.noSuchMethod(1), /not a function/) },
	{ name: "basic/missing-parent", run: async ({ api }) => assert.rejects(api.no.such.method(), Error) },
	{ name: "basic/namespace-is-no-function", run: async ({ api }) => assert.rejects(api.math(), /not a function/) },
	{ name: "basic/value-is-no-function", run: async ({ api }) => assert.rejects(api.version(), /not a function/) },
	// The last two are refused by Go alone: kkrpc itself reaches inherited members and checks no types.
	{ name: "basic/prototype-is-out-of-reach", run: async ({ api }) => assert.rejects(api.greet.constructor("return 1"), Error) },
	{ name: "basic/wrong-type", run: async ({ api }) => assert.rejects(api.add("five", 3), Error) }
]

const echoed = {
	string: "text",
	empty: "",
	unicode: "żółw 🐢 \u2028 \u0000 \"\\/ é",
	"lone-surrogate": "a\ud800b",
	"looks-like-a-frame": '{"json":{"t":"q"}}\n__DESTROY__\n',
	true: true,
	zero: 0,
	negative: -1.5,
	large: 2 ** 53 - 1,
	tiny: 5e-324,
	huge: 1.7976931348623157e308,
	null: null,
	array: [1, "two", [3, [4]], null],
	"empty-array": [],
	"empty-object": {},
	object: { a: { b: { c: [1, { d: null }] } }, "dotted.key": 1, "back\\slash": 2, "": 3 },
	"integer-keys": { 2: "b", 1: "a" },
	"64KiB": "x".repeat(1 << 16),
	"512KiB-array": Array.from({ length: 1 << 16 }, (_, i) => i)
}

const echo = Object.entries(echoed).map(([name, value]) => ({
	name: `echo/${name}`,
	run: async ({ api }) => assert.deepEqual(await api.echo(value), value)
}))

const errors = [
	{
		name: "errors/riskyOperation",
		run: async ({ api }) => assert.rejects(api.riskyOperation(), { message: "Something went wrong!" })
	},
	{ name: "errors/divide", run: async ({ api }) => assert.rejects(api.math.divide(1, 0), { message: "division by zero" }) },
	{ name: "errors/throwTyped", run: async ({ api }) => assert.rejects(api.throwTyped(), { message: "bad type" }) },
	{ name: "errors/throwString", run: async ({ api }) => assert.rejects(api.throwString(), { message: "plain string" }) },
	{ name: "errors/throwDetails", run: async ({ api }) => assert.rejects(api.throwDetails(), { message: "custom failure" }) },
	{
		name: "errors/divide-name-and-code",
		needs: ["errors"],
		run: async ({ api }) => assert.rejects(api.math.divide(1, 0), { name: "DivisionByZero", code: "E_DIV" })
	},
	{ name: "errors/throwTyped-name", needs: ["errors"], run: async ({ api }) => assert.rejects(api.throwTyped(), { name: "TypeError" }) },
	{ name: "errors/throwString-name", needs: ["errors"], run: async ({ api }) => assert.rejects(api.throwString(), { name: "Error" }) },
	{
		name: "errors/throwDetails-fields",
		needs: ["errors"],
		run: async ({ api }) =>
			assert.rejects(api.throwDetails(), { name: "CustomError", code: "E_CUSTOM", details: { field: "name", values: [1, 2] } })
	},
	{
		name: "errors/riskyOperation-cause",
		needs: ["causes"],
		run: async ({ api }) => {
			const err = await api.riskyOperation().catch((err) => err)
			assert.ok(err.cause instanceof Error)
			assert.equal(err.cause.message, "Root cause")
		}
	},
	{
		name: "errors/others-unharmed",
		run: async ({ api }) => {
			const [failed, greeted] = await Promise.allSettled([api.riskyOperation(), api.greet("still here")])
			assert.equal(failed.status, "rejected")
			assert.equal(greeted.value, "Hello, still here!")
		}
	}
]

const bidi = [
	{
		name: "bidi/callMe",
		run: async ({ api, version }) =>
			assert.deepEqual(await api.callMe("Go"), { info: { name: "ts-client", version }, notified: "received: hello Go" })
	},
	{ name: "bidi/callMeFailing", run: async ({ api }) => assert.match(await api.callMeFailing(), /^(Client)?Error: client failure$/) },
	{
		name: "bidi/hundred-at-once",
		run: async ({ api }) => {
			const names = Array.from({ length: 100 }, (_, i) => `n${i}`)
			const results = await Promise.all(names.map((name) => api.callMe(name)))
			assert.deepEqual(results.map((r) => r.notified), names.map((name) => `received: hello ${name}`))
		}
	}
]

const concurrency = [
	{
		name: "concurrency/completion-order",
		needs: ["time"],
		run: async ({ api }) => {
			const order = []
			await Promise.all([
				api.delayEcho(300, "late").then((v) => order.push(v)),
				api.delayEcho(60, "early").then((v) => order.push(v)),
				api.greet("now").then(() => order.push("now"))
			])
			assert.deepEqual(order, ["now", "early", "late"])
		}
	},
	{ name: "concurrency/slow", run: async ({ api }) => assert.equal(await api.slow(20), "slept 20") },
	{
		name: "concurrency/sleepers-side-by-side",
		run: async ({ api }) => {
			const start = Date.now()
			await Promise.all(Array.from({ length: 50 }, () => api.slow(100)))
			assert.ok(Date.now() - start < 2500, "50 sleeps of 100 ms took as long as one after the other")
		}
	},
	{
		name: "concurrency/thousand-calls",
		run: async ({ api }) => {
			const sums = await Promise.all(Array.from({ length: 1000 }, (_, i) => api.add(i, i)))
			assert.deepEqual(sums, sums.map((_, i) => 2 * i))
		}
	}
]

const strayLines = [
	"this is no message\n",
	"{}\n",
	'{"type":"mystery","id":"1","method":"x","args":[]}\n',
	'{"type":"response","id":"nobody-asked","method":"","args":{"result":1}}\n',
	'{"type":"callback","id":"1","method":"unknown-callback","args":[1]}\n',
	'{"json":{"type":"request"},"meta":{"values":{"__proto__":["Date"]}}}\n',
	'{"type":"request","id":"broken","method":\n',
	"\n"
]

const strayFrames = [
	"this is no message",
	"{}",
	'{"t":"zz","id":"1"}',
	'{"t":"r","id":"nobody-asked","v":1}',
	'{"t":"cb","id":"unknown","a":[]}',
	'{"t":"cbr","ids":["unknown"]}',
	'{"t":"cbr","ids":[1]}',
	'{"t":"sr","id":"1","sid":"unknown","d":false,"v":1}',
	'{"t":"sq","id":"1","sid":"unknown","op":"pull","n":1}',
	'{"t":"q","id":"broken","op":"call","a":[]}',
	'{"t":"q","id":"broken","op":"destroy","p":["greet"]}',
	'{"json":{"t":"q"},"meta":{"values":{"__proto__":["Date"]}}}'
]

const stray = (kind, texts) =>
	texts.map((text, i) => ({
		name: `robust/stray-${kind.slice(0, -1)}-${i + 1}`,
		needs: [kind, "raw"],
		run: async ({ api, send }) => {
			await send(text)
			assert.equal(await api.greet("after"), "Hello, after!")
		}
	}))

export const checks = [
	...basic, ...echo, ...errors, ...bidi, ...concurrency, ...callbackChecks, ...valueChecks, ...propertyChecks,
	...streamChecks, ...refChecks, ...stray("lines", strayLines), ...stray("frames", strayFrames), ...lifeChecks
]

/**
 * run gives print a line per check that applies to t, then the totals and who made them, and returns how many failed. It
 * gives up when three checks got no answer.
 */
export async function run(checks, t, print = console.log) {
	let passed = 0
	let failed = 0
	let unanswered = 0
	for (const check of checks) {
		if (check.needs?.some((capability) => !t.can.has(capability))) continue
		if (unanswered === 3) break // the server is gone, and the rest would only take long to say so
		try {
			await within(5000, check.run(t))
			passed++
			print(JSON.stringify({ check: check.name, ok: true }))
		} catch (err) {
			failed++
			if (err instanceof Unanswered) unanswered++
			print(JSON.stringify({ check: check.name, ok: false, error: String(err?.message ?? err) }))
		}
	}
	print(JSON.stringify({ passed, failed, runtime }))
	return failed
}

class Unanswered extends Error {}

function within(ms, promise) {
	let timer
	const timeout = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Unanswered(`no answer within ${ms} ms`)), ms)
	})
	return Promise.race([promise, timeout]).finally(() => clearTimeout(timer))
}
