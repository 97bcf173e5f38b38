import { RPCChannel, WebSocketClientIO } from "kkrpc"
import { WebSocket } from "ws"

globalThis.WebSocket ??= WebSocket as any // Node 20 has none of its own

interface Book {
	title: string
	year: number
	tags?: string[]
}

interface API {
	greet(name: string, greeting?: string): Promise<string>
	math: {
		multiply(a: number, b: number): Promise<number>
		sum(...numbers: number[]): Promise<number>
	}
	books: {
		add(book: Book): Promise<number>
		findByID(id: number): Promise<Book | null>
	}
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<{}, API>(io).getAPI()

console.log(await api.greet("World"))
console.log(await api.greet("World", "Good morning"))
console.log(await api.math.multiply(4, 6), await api.math.sum(1, 2, 3))

const id = await api.books.add({ title: "Dune", year: 1965 })
const book = await api.books.findByID(id)
console.log(book?.title, book?.year, await api.books.findByID(99))

io.destroy()
