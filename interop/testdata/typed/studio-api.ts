import type { Article } from "./api.ts"

/** Settings are data in a property. */
export interface Settings {
	volume: number
	muted?: boolean
}

/** Counter is an instance that crosses as data. */
export class Counter {
	value: number
	names: string[] = []
	constructor(start: number, ...names: string[]) {
		this.value = start
		this.names = names
	}
	increment(): number {
		return ++this.value
	}
}

/** Studio is what kkrpc 2 can do beside what a Shop has. */
export interface Studio {
	/** count yields the numbers from 1, slowly if it never ends. */
	count(to: number): AsyncIterable<number>
	articles(titles: string[]): Promise<AsyncIterable<Article>>
	failAfter(n: number): AsyncGenerator<number>
	total(numbers: AsyncIterable<number>): Promise<number>
	double(numbers: AsyncIterable<number>): AsyncIterable<number>
	firstOf(numbers: AsyncIterable<number>): Promise<number | null>
	/** finished is how many streams have come to their end. */
	finished(): Promise<number>
	/** watch tells the price of each article, and what it is if it has one. */
	watch(onPrice: (id: string, price: number | null, at: Date) => void): Promise<void>
	/** reserve throws an error with fields. */
	reserve(id: string, count?: number): Promise<void>
	theme: string
	settings: Settings
	/** @kkrpc int64 */
	visits: number
	readonly version: string
	Counter: typeof Counter
	nested: {
		level: number
		Counter: new (start: number) => Counter
	}
}

/** Account stays with its owner. */
export interface Account {
	readonly owner: Promise<string>
	/** deposit returns the new balance. */
	deposit(amount: number): Promise<number>
	partner(): Promise<Account | null>
	"on-close"(why: string): Promise<void>
}

/** Bank is what kkrpc 2 can do with remote references. */
export interface Bank {
	open(owner: string, like?: Account): Promise<Account>
	transfer(from: Account, to: Account, amount: number): Promise<void>
	/** run asks all who have to approve, and notes it in the log. */
	run(name: string, approve: Approve[], log: Log): Promise<string>
	adder(n: number): Promise<{ [name: string]: (m: number) => Promise<number> }>
}

/** Approve decides about a job. */
export type Approve = (name: string, amount?: number) => Promise<boolean>

export interface Log {
	append(...lines: string[]): Promise<number>
}
