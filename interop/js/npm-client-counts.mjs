// A kkrpc client over npm/client that counts what happens while its connections are cut:
//   <runtime> npm-client-counts.mjs URL json|superjson [0.2.2|2.1.0 [base|streaming|remote-refs]]
// It prints what client.mjs prints.
import { strict as assert } from "node:assert"
import process from "node:process"
import { capabilities } from "./capabilities.mjs"
import { run } from "./checks.mjs"
import { loadOverNpmClient } from "./npm-client-load.mjs"

const [url, codec, version = "0.2.2", channel = "base"] = process.argv.slice(2)
const upTo = (n, from = 1) => Array.from({ length: n }, (_, i) => from + i)

const ticks = []
const { callback, connect } = await loadOverNpmClient(version, channel, codec)
const connection = await connect(url, { tick: (n) => ticks.push(n) })

const checks = [
	{
		name: "counts/one-after-the-other",
		run: async ({ api }) => {
			for (let n = 1; n <= 300; n++) assert.equal(await api.next(), n)
		}
	},
	{
		name: "counts/side-by-side",
		run: async ({ api }) => {
			const numbers = await Promise.all(upTo(300).map(() => api.next()))
			assert.deepEqual(numbers.sort((a, b) => a - b), upTo(300, 301))
		}
	},
	{
		name: "counts/callbacks",
		run: async ({ api }) => {
			const reported = []
			await api.progress(1000, callback((n) => reported.push(n)))
			assert.deepEqual(reported, upTo(1000))
		}
	},
	{
		name: "counts/calls-of-the-client",
		run: async ({ api }) => {
			assert.equal(await api.drive(300), 300)
			assert.deepEqual(ticks, upTo(300))
		}
	},
	{
		name: "counts/stream",
		needs: ["streams"],
		run: async ({ api }) => {
			const items = []
			for await (const n of await api.numbers(3000)) items.push(n)
			assert.deepEqual(items, upTo(3000))
		}
	},
	{
		name: "counts/stream-argument",
		needs: ["stream-arguments"],
		run: async ({ api }) => assert.equal(await api.inOrder((async function* () { yield* upTo(3000) })()), 3000)
	}
]
const failed = await run(checks, { ...connection, can: capabilities(version, channel, codec) })
process.exit(failed === 0 ? 0 : 1)
