// An unmodified kkrpc client in a closed loop:
//   <runtime> client.mjs ADDR INFLIGHT MILLISECONDS npm|2 json
// It prints {"event":"begin"} when it starts to measure, {"event":"end","calls":n} and {"event":"times"}, durations in ns.
import process from "node:process"
import { pathToFileURL } from "node:url"

const [addr, inFlight, window, version, codec] = process.argv.slice(2)
const url = `ws://${addr}/ws`
const api = await connect()
const say = (line) => console.log(JSON.stringify(line))
let calls = 0
let measuring = false
let stopping = false
const times = []

async function connect() {
	if (version === "npm") {
		const { RPCChannel, WebSocketClientIO } = await import("kkrpc")
		return new RPCChannel(new WebSocketClientIO({ url }), { serialization: { version: codec } }).getAPI()
	}
	const entry = (name) => import(pathToFileURL(`${process.env.KKRPC_V2}/packages/kkrpc/src/entries/${name}.ts`).href)
	const [{ RPCChannel }, { webSocketClientTransport }] = await Promise.all(["mod", "ws"].map(entry))
	return new RPCChannel(webSocketClientTransport({ url }), {}).getAPI()
}

async function loop(first) {
	for (let n = first; !stopping; n++) {
		const a = 1000 + (n % 1000)
		const b = 3000 + (n % 997)
		const start = n % 16 ? 0 : performance.now()
		const got = await api.math.add(a, b)
		if (got !== a + b) throw new Error(`${a} + ${b} = ${got}`)
		if (measuring) {
			calls++
			if (start) times.push(performance.now() - start)
		}
	}
}

const loops = Array.from({ length: Number(inFlight) }, (_, i) => loop(i))
for (const l of loops)
	l.catch((err) => {
		console.error(err)
		process.exit(1)
	})
setTimeout(() => {
	measuring = true
	say({ event: "begin" })
	setTimeout(async () => {
		measuring = false
		say({ event: "end", calls })
		stopping = true
		await Promise.all(loops)
		times.sort((a, b) => a - b)
		const at = (q) => Math.round((times[Math.floor(q * times.length)] ?? 0) * 1e6)
		say({ event: "times", p50: at(0.5), p99: at(0.99) })
		process.exit(0)
	}, Number(window))
}, Number(window) / 2)
