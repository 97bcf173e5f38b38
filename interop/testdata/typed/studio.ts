// The APIs in api.ts and studio-api.ts, as a server of kkrpc 2 has them.
import { shop } from "./shop.ts"
import { Counter, type Studio } from "./studio-api.ts"
import type { Article, Shop } from "./api.ts"

let finished = 0

async function* numbers(to: number) {
	try {
		for (let i = 1; i <= to; i++) yield i
	} finally {
		finished++
	}
}

async function* named(titles: string[]) {
	const lamp = (await shop.find("a1")) as Article
	for (const title of titles) yield { ...lamp, title }
}

class OutOfStock extends Error {
	override name = "OutOfStock"
	constructor(
		readonly id: string,
		readonly left: number
	) {
		super(`only ${left} of ${id} left`)
	}
}

/** makeAPI returns what a connection exposes. */
export const makeAPI = (): Shop & Studio => ({
	...shop,
	count: numbers,
	articles: async (titles) => named(titles),
	async *failAfter(n) {
		yield* numbers(n)
		throw new RangeError(`failed after ${n}`)
	},
	async total(source) {
		let sum = 0
		for await (const n of source) sum += n
		return sum
	},
	async *double(source) {
		for await (const n of source) yield 2 * n
	},
	async firstOf(source) {
		for await (const n of source) return n
		return null
	},
	finished: async () => finished,
	async watch(onPrice) {
		onPrice("a1", 9.5, new Date("2024-02-29T12:00:00Z"))
		onPrice("a2", null, new Date(0))
	},
	async reserve(id, count = 1) {
		if (count > 2) throw new OutOfStock(id, 2)
	},
	theme: "light",
	settings: { volume: 5 },
	visits: 9007199254740991,
	version: "2.1",
	Counter,
	nested: { level: 1, Counter }
})
