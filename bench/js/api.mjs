/** makeAPI returns what the servers of the benchmark offer. Streams are left out where a version has none. */
export function makeAPI() {
	const add = (a, b) => a + b
	return {
		math: { add },
		add,
		echo: (text) => text,
		user: (user) => user,
		bytes: (n) => Uint8Array.from({ length: n }, (_, i) => i & 255),
		echoBytes: (bytes) => bytes,
		async *count(n) {
			for (let i = 0; i < n; i++) yield i
		},
		storm: (n, fn) => {
			for (let i = 0; i < n; i++) fn(i)
			return n
		},
		join: (member) => void members.push(member),
		burst: (n, text) => {
			for (let i = 0; i < n; i++) for (const member of members) member(text)
			return n * members.length
		},
		placeOrder: ({ number, items }) => {
			if (items.length === 0) throw new Error(`order ${number} has no items`)
			let total = 0
			for (const { quantity, price } of items) total += quantity * price
			return { number, items: items.length, total }
		},
		getUsers: () => users,
		getUser: (id) => {
			if (!users[id - 1]) throw new Error(`no user has the id ${id}`)
			return users[id - 1]
		},
		watch: (listener) => void listeners.push(listener),
		tell: (n, text) => {
			for (let number = 0; number < n; number++) {
				const message = { from: "Ada", number, text }
				for (const listener of listeners) listener(message)
			}
			return n * listeners.length
		},
	}
}

const members = []
const listeners = []

const first = ["Ada", "Alan", "Barbara", "Dennis", "Donald", "Edsger", "Frances", "Grace", "John", "Ken"]
const last = ["Allen", "Backus", "Dijkstra", "Hopper", "Knuth", "Liskov", "Lovelace", "Ritchie", "Thompson", "Turing"]
const users = Array.from({ length: 100 }, (_, i) => {
	const name = `${first[i % 10]} ${last[Math.floor(i / 10)]}`
	return {
		id: i + 1,
		name,
		email: `${name.toLowerCase().replace(" ", ".")}@example.com`,
		age: 20 + (i % 50),
		active: i % 3 !== 0,
		role: ["admin", "editor", "reader"][i % 3],
		address: { street: `${i + 1} St James's Square`, city: "London", postcode: `SW1Y ${i % 10}JH` },
		tags: ["mathematics", "compilers", "languages"].slice(0, 1 + (i % 3)),
		createdAt: `2026-01-02T03:04:${String(i % 60).padStart(2, "0")}.000Z`,
	}
})
