/** makeAPI returns what the servers of the benchmark offer. Streams are left out where a version has none. */
export function makeAPI() {
	const add = (a, b) => a + b
	return {
		math: { add },
		add,
		echo: (text) => text,
		user: (user) => user,
		bytes: (n) => Uint8Array.from({ length: n }, (_, i) => i & 255),
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
		}
	}
}

const members = []
