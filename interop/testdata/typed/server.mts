// A server of the API in api.ts with kkrpc 0.2.2: <runtime> server.mts json|superjson. It prints its address.
import { RPCChannel, WebSocketServerIO } from "kkrpc"
import process from "node:process"
import { WebSocketServer } from "ws"
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

const shop: Shop = {
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

const version = process.argv[2] as "json" | "superjson"
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 })
server.on("connection", (socket) => {
	new RPCChannel(new WebSocketServerIO(socket as any), { expose: shop, serialization: { version } })
})
server.on("listening", () => console.log(JSON.stringify({ url: `ws://127.0.0.1:${(server.address() as { port: number }).port}/ws` })))

process.stdin.on("end", () => process.exit(0))
process.stdin.resume()
