/** ArticleID is a text with a brand. */
export type ArticleID = string & { readonly brand: "ArticleID" }

/** Color is one of three. */
export type Color = "red" | "dark-green" | "blue"

export enum Size {
	Small = 1,
	Large
}

export interface Article {
	id: ArticleID
	title: string
	/** what it costs */
	price: number
	/**
	 * how many there are
	 * @kkrpc int64
	 */
	stock: number
	color?: Color
	size: Size
	tags: string[]
	/** null for none */
	discount: number | null
	parts?: Article[]
	added: Date
	type: "article"
}

export interface Page<T> {
	items: T[]
	next: string | null
}

export interface Values {
	flag: boolean
	bytes: Uint8Array
	counts: Record<string, number>
	pair: [number, number]
	nested: { deep: { list: (string | null)[] } }
	anything: unknown
}

/** Rich are values that JSON lacks. */
export interface Rich {
	big: bigint
	map: Map<string, number>
	set: Set<string>
	nan: number
}

/** Shop is what the server exposes. */
export interface Shop {
	/** greet has a default for what is left out. */
	greet(name: string, greeting?: string, times?: number): Promise<string>
	find(id: string): Promise<Article | null>
	missing(): Promise<Article | undefined>
	put(article: Article): Promise<Page<Article>>
	values(values: Values): Promise<Values>
	rich(rich: Rich): Promise<Rich>
	color(color: Color | null): Promise<Color>
	/** @kkrpc int64 */
	sum(first: number, ...rest: number[]): Promise<number>
	copy(files: string[], progress: (done: number, total: number, name?: string) => void): Promise<void>
	fail(range: string): Promise<void>
	sync(type: string): string
	/** note notes a line. @kkrpc notify */
	note(line: string): void
	notes(): Promise<string[]>
	math: {
		multiply(a: number, b: number): number
		deep: { ping(): Promise<string> }
	}
}
