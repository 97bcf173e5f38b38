// Checks of values that plain JSON cannot hold, and of the form they have when it has to.
import { strict as assert } from "node:assert"

const date = new Date("2024-02-29T12:34:56.789Z")

const echoed = {
	date,
	"old-date": new Date(-62135596800000),
	map: new Map([["a", 1], ["b", { c: date }]]),
	"map-with-object-keys": new Map([[{ k: 1 }, "v"], [date, 2]]),
	set: new Set([1, "two", { three: 3 }]),
	nested: { list: [new Map([["s", new Set([1n])]])] },
	bigint: 12345678901234567890n,
	"negative-bigint": -1n,
	nan: NaN,
	infinity: Infinity,
	"minus-infinity": -Infinity,
	"minus-zero": -0,
	undefined: undefined,
	"undefined-inside": { a: undefined, b: [undefined, 1] },
	regexp: /a\/b"c/giu,
	url: new URL("https://example.com/path?q=1#f"),
	"escaped-keys": { "a.b": date, "c\\d": new Set([1]), "": 1n },
	bytes: Uint8Array.from([0, 1, 127, 128, 255]),
	"no-bytes": new Uint8Array(0),
	int32: Int32Array.from([-1, 2 ** 31 - 1]),
	float64: Float64Array.from([0.1, -1.5])
}

const described = [
	["null", null],
	["date:2024-02-29T12:34:56.789Z", date],
	["map:2", new Map([[1, 2], [3, 4]])],
	["set:3", new Set([1, 2, 3])],
	["bytes:4", new Uint8Array(4)],
	["bigint:-12345678901234567890", -12345678901234567890n],
	["array", [1, 2]],
	["undefined", undefined],
	["number", NaN],
	["number", 1],
	["string", "s"],
	["boolean", false],
	["object", { a: 1 }]
]

const superjson = [
	...Object.entries(echoed).map(([name, value]) => ({
		name: `values/echo-${name}`,
		run: async ({ api }) => assert.deepEqual(await api.echo(value), value)
	})),
	...described.map(([want, value]) => ({
		name: `values/describe-${want}`,
		run: async ({ api }) => assert.equal(await api.describe(value), want)
	})),
	{
		name: "values/error",
		run: async ({ api }) => {
			const got = await api.echo(new RangeError("out of range"))
			assert.ok(got instanceof Error)
			assert.equal(got.name, "RangeError")
			assert.equal(got.message, "out of range")
		}
	},
	{
		name: "values/shared-reference",
		run: async ({ api }) => {
			const shared = { at: date }
			const got = await api.echo({ a: shared, b: [shared] })
			assert.deepEqual(got, { a: shared, b: [shared] })
			assert.equal(got.a, got.b[0])
		}
	},
	{
		name: "values/cycle",
		run: async ({ api }) => {
			const loop = { name: "loop", children: [] }
			loop.children.push(loop)
			const got = await api.echo(loop)
			assert.equal(got.name, "loop")
			assert.equal(got.children[0], got)
		}
	},
	{
		name: "values/getDate",
		run: async ({ api }) => assert.deepEqual(await api.getDate(), date)
	},
	{
		name: "values/getMap",
		run: async ({ api }) => assert.deepEqual([...(await api.getMap())], [["a", 1], ["b", { c: 2 }]])
	},
	{ name: "values/getSet", run: async ({ api }) => assert.deepEqual(await api.getSet(), new Set([1, 2, 3])) },
	{ name: "values/getBigInt", run: async ({ api }) => assert.equal(await api.getBigInt(), 12345678901234567890n) }
]

const json = [
	{ name: "values/getDate", run: async ({ api }) => assert.equal(await api.getDate(), date.toISOString()) },
	{ name: "values/getMap", run: async ({ api }) => assert.deepEqual(await api.getMap(), {}) },
	{ name: "values/getSet", run: async ({ api }) => assert.deepEqual(await api.getSet(), {}) },
	{
		name: "values/echo-bytes",
		needs: ["json", "bytes"],
		run: async ({ api }) => assert.deepEqual(await api.echo({ b: Uint8Array.from([1, 255]) }), { b: Uint8Array.from([1, 255]) })
	}
]

const bytes = [
	{
		name: "values/getBytes",
		run: async ({ api }) => assert.deepEqual(await api.getBytes(300), Uint8Array.from({ length: 300 }, (_, i) => i & 255))
	},
	{ name: "values/getBytes-none", run: async ({ api }) => assert.deepEqual(await api.getBytes(0), new Uint8Array(0)) },
	{ name: "values/sumBytes", run: async ({ api }) => assert.equal(await api.sumBytes(Uint8Array.from([1, 2, 253])), 256) }
]

const indexed = {
	name: "values/getBytes-indexed",
	needs: ["json", "frames"],
	run: async ({ api }) => assert.deepEqual(await api.getBytes(3), { 0: 0, 1: 1, 2: 2 })
}

export const valueChecks = [
	...superjson.map((check) => ({ ...check, needs: ["superjson"] })),
	...json.map((check) => ({ needs: ["json"], ...check })),
	...bytes.map((check) => ({ ...check, needs: ["bytes"] })),
	indexed
]
