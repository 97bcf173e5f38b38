import { RPCChannel, WebSocketClientIO } from "kkrpc"
import type { API } from "./api.gen.ts"

const io = new WebSocketClientIO({ url: "ws://localhost:3000/ws" })
const api = new RPCChannel<{}, API>(io, { serialization: { version: "superjson" } }).getAPI()

console.log(await api.greet("World"))
console.log(await api.math.multiply(4, 6))

const monday = new Date("2026-03-02T09:00:00Z")
const { calendar } = api
await calendar.clear()
const meeting = await calendar.book("Planning", monday, 90, new Set(["Ada", "Eve"]))
console.log(meeting.end.toISOString())
await calendar.book("Review", meeting.end, 30, new Set(["Ada"]))
console.log(await calendar.book("Lunch", monday, 60, new Set()).catch((error) => error.message))
for (const [name, minutes] of (await calendar.busy()) ?? []) console.log(name, minutes)
console.log(new TextDecoder().decode(await calendar.export()).trim())
console.log(String(await api.epochNanoseconds(monday)))

io.destroy()
