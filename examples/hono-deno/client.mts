import { RPCChannel, WebSocketClientIO } from "kkrpc"

interface Meeting {
	title: string
	start: Date
	end: Date
	who: string[]
}

interface ServerAPI {
	greet(name: string): Promise<string>
	math: { multiply(a: number, b: number): Promise<number> }
	calendar: {
		book(title: string, start: Date, minutes: number, who: Set<string>): Promise<Meeting>
		busy(): Promise<Map<string, number>>
		export(): Promise<Uint8Array>
		clear(): Promise<void>
	}
	epochNanoseconds(at: Date): Promise<bigint>
}

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<{}, ServerAPI>(io, { serialization: { version: "superjson" } }).getAPI()

console.log(await api.greet("World"))
console.log(await api.math.multiply(4, 6))

const monday = new Date("2026-03-02T09:00:00Z")
const { calendar } = api
await calendar.clear()
const meeting = await calendar.book("Planning", monday, 90, new Set(["Ada", "Eve"]))
console.log(meeting.end.toISOString())
await calendar.book("Review", meeting.end, 30, new Set(["Ada"]))
console.log(await calendar.book("Lunch", monday, 60, new Set()).catch((error) => error.message))
for (const [name, minutes] of await calendar.busy()) console.log(name, minutes)
console.log(new TextDecoder().decode(await calendar.export()).trim())
console.log(String(await api.epochNanoseconds(monday)))

io.destroy()
