// Checks of remote references.
import { strict as assert } from "node:assert"

export const refChecks = [
	{
		name: "refs/object",
		run: async ({ api }) => {
			const counter = await api.openCounter(5)
			assert.equal(await counter.value, 5)
			assert.equal(await counter.increment(), 6)
			assert.equal(await counter.increment(4), 10)
			counter.value = 100
			assert.equal(await counter.value, 100)
		}
	},
	{
		name: "refs/objects-are-separate",
		run: async ({ api }) => {
			const [a, b] = [await api.openCounter(1), await api.openCounter(2)]
			await a.increment()
			assert.equal(await b.value, 2)
		}
	},
	{
		name: "refs/function",
		run: async ({ api }) => {
			const add = await api.makeAdder(10)
			assert.equal(await add(5), 15)
		}
	},
	{ name: "refs/own-function", run: async ({ api, proxy }) => assert.equal(await api.applyTwice(proxy((x) => x * 3), 2), 18) },
	{
		name: "refs/passed-back",
		run: async ({ api }) => assert.equal(await api.applyTwice(await api.makeAdder(10), 1), 21)
	},
	{
		name: "refs/throws",
		run: async ({ api, proxy }) => {
			const fail = proxy(() => {
				throw new RangeError("not that far")
			})
			await assert.rejects(api.applyTwice(fail, 1), /not that far/)
		}
	},
	{
		name: "refs/released",
		run: async ({ api, releaseProxy }) => {
			const add = await api.makeAdder(1)
			await releaseProxy(add)
			await assert.rejects(async () => add(1), /released/)
		}
	}
].map((check) => ({ ...check, needs: ["refs"] }))
