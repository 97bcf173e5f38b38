// What npm/client does with bytes in the runtime that runs this, without kkrpc.
import { decode, encode } from "../../npm/client/bytes.js"
import { connect } from "../../npm/client/index.js"
import { sameBytes, valuesOfBytes } from "./values-bytes.mjs"

const json = { encode: JSON.stringify, decode: JSON.parse }

/** exchange has a server in Go echo bytes, in frames, with sessions and without. It resolves to how many values came back. */
export async function exchange(url, WebSocket = globalThis.WebSocket, sessions = [false, true]) {
	let n = 0
	for (const session of sessions) {
		const frames = { sent: 0, received: 0 } // binary ones
		class CountingWebSocket extends WebSocket {
			constructor(...args) {
				super(...args)
				this.addEventListener("message", ({ data }) => (frames.received += typeof data !== "string"))
			}

			send(data) {
				frames.sent += typeof data !== "string"
				super.send(data)
			}
		}
		const connection = connect(url, { session, replayBuffer: 4 << 20, WebSocket: CountingWebSocket })
		const pending = new Map()
		connection.subscribe(({ id, v, e }) => {
			const { resolve, reject } = pending.get(id)
			if (e) reject(new Error(e.m))
			else resolve(v)
		})
		const any = (v) =>
			new Promise((resolve, reject) => {
				pending.set(`${++n}`, { resolve, reject })
				connection.send({ t: "q", id: `${n}`, op: "call", p: ["any"], a: [{ __kkrpc_next_arg__: "value", v }] })
			})
		const before = n
		const values = [...Object.values(valuesOfBytes).filter((value) => ArrayBuffer.isView(value) && !(value instanceof DataView)), new Uint8Array(1 << 20).fill(7)]
		for (const [i, got] of (await Promise.all(values.map(any))).entries()) sameBytes(got, values[i])
		connection.close()
		if (frames.sent !== n - before || frames.received !== n - before) throw new Error(`${n - before} values, and ${frames.sent} binary frames sent, ${frames.received} received`)
	}
	return n
}

/** measure returns how long it takes to encode and to decode 1 MiB, as multiples of one copy of it, and to encode without bytes, of JSON.stringify. */
export function measure() {
	const bytes = new Uint8Array(1 << 20).fill(7)
	const message = { t: "r", id: "1", v: bytes }
	const frame = encode(message, json).buffer
	const [copy, encoding, decoding] = best([() => bytes.slice(), () => encode(message, json), () => decode(frame, json)], 20)
	const call = { t: "q", id: "0b821f6e-2c5a-4f3e-9f5e-1d2c3b4a5f60", op: "call", p: ["math", "add"], a: [1, 2].map((v) => ({ __kkrpc_next_arg__: "value", v })) }
	const list = { t: "r", id: "1", v: Array.from({ length: 100 }, (_, id) => ({ id, name: `user ${id}`, email: `user${id}@example.com`, active: id % 2 === 0, roles: ["admin", "user"] })) }
	const [plainCall, ownCall] = best([() => JSON.stringify(call), () => encode(call, json)], 10_000)
	const [plainList, ownList] = best([() => JSON.stringify(list), () => encode(list, json)], 200)
	return { encode: encoding / copy, decode: decoding / copy, call: ownCall / plainCall, list: ownList / plainList }
}

/** best returns for each function the time of its fastest of 20 rounds, of so many calls each. */
function best(functions, calls) {
	const times = functions.map(() => Infinity)
	for (let round = 0; round < 20; round++) {
		for (const [i, f] of functions.entries()) {
			const start = performance.now()
			for (let call = 0; call < calls; call++) sink = f()
			times[i] = Math.min(times[i], performance.now() - start)
		}
	}
	return times
}

export let sink // so that no call can be left out
