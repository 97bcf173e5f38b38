// The APIs in api.ts and studio-api.ts, as a server of kkrpc 2 has them.
import { shop } from "./shop.ts"
import { type Account, type Bank, Counter, type Studio } from "./studio-api.ts"
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

/** Savings is an account of this side. */
class Savings implements Account {
	balance = 0
	readonly owner: Promise<string>
	constructor(owner: string) {
		this.owner = Promise.resolve(owner)
	}
	async deposit(amount: number) {
		if (amount > 1000) throw new OutOfStock("money", 1000)
		return (this.balance += amount)
	}
	async partner() {
		return null
	}
	async "on-close"(why: string) {
		if (why !== "over") throw new TypeError(why)
	}
}

/** makeAPI returns what a connection exposes. proxy is that of a channel with remote references. */
export const makeAPI = (_: unknown, { proxy }: { proxy?: <T extends object>(value: T) => T }): Shop & Studio & Bank => ({
	...shop,
	open: async (owner, like) => like ?? proxy!(new Savings(owner)),
	async transfer(from, to, amount) {
		await from.deposit(-amount)
		await to.deposit(amount)
	},
	async run(name, approve, log) {
		for (const one of approve) if (!(await one(name, 7))) return `${await log.append(`no ${name}`)}: refused`
		return `${await log.append(name, "approved")}: approved`
	},
	adder: async (n) => ({ add: proxy!(async (m: number) => n + m) }),
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
