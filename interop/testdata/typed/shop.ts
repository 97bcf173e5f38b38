// The API in api.ts, as a server has it.
import type { Article, Shop } from "./api.ts"

const lines: string[] = []
const article: Article = {
	id: "a1" as Article["id"],
	title: "Lamp",
	price: 9.5,
	stock: 9007199254740991,
	size: 2,
	tags: [],
	discount: null,
	added: new Date("2024-02-29T12:00:00Z"),
	type: "article"
}

export const shop: Shop = {
	greet: async (name, greeting = "Hello", times = 1) => `${greeting}, ${name}${"!".repeat(times)}`,
	find: async (id) => (id === article.id ? article : null),
	missing: async () => undefined,
	put: async (article) => ({ items: [article, { ...article, parts: [article] }], next: article.color ?? null }),
	values: async (values) => values,
	rich: async ({ big, map, set, nan }) => ({ big: big + 1n, map: new Map([...map, ["more", 2]]), set: new Set([...set, "more"]), nan }),
	color: async (color) => color ?? "dark-green",
	sum: async (first, ...rest) => rest.reduce((a, b) => a + b, first),
	copy: async (files, progress) => files.forEach((name, i) => (i === 0 ? progress(i + 1, files.length) : progress(i + 1, files.length, name))),
	fail: async (range) => {
		throw new RangeError(`no ${range}`)
	},
	sync: (type) => `type ${type}`,
	note: (line) => void lines.push(line),
	notes: async () => lines.splice(0),
	math: { multiply: (a, b) => a * b, deep: { ping: async () => "pong" } }
}
