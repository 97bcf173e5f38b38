// A kkrpc 2 over npm/client that exchanges bytes:
//   <runtime> npm-client-bytes.mjs URL json|superjson 2.1.0 base|streaming|remote-refs
// SESSION=1 offers a session, TEXT=1 offers no bytes. It prints what client.mjs prints.
import { strict as assert } from "node:assert"
import process from "node:process"
import { connect } from "../../npm/client/index.js"
import { capabilities } from "./capabilities.mjs"
import { run } from "./checks.mjs"
import { loadKkrpc } from "./npm-client-load.mjs"
import { sameBytes, valuesOfBytes } from "./values-bytes.mjs"

const [url, codec, version, channel] = process.argv.slice(2)
const { SESSION, TEXT } = process.env

let frames = { sent: 0, received: 0 } // binary ones

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

const { RPCChannel, superJsonCodec, proxy = (fn) => fn } = await loadKkrpc(version, channel)
const connection = connect(url, {
	dialect: `compact-${codec}`,
	...(codec === "superjson" && { codec: superJsonCodec() }),
	session: Boolean(SESSION),
	bytes: !TEXT,
	backoff: { min: 20, max: 100 },
	WebSocket: CountingWebSocket
})
const expose = { swap: async (bytes) => ({ swapped: new Uint8Array(bytes).reverse(), length: bytes.length }) }
const api = new RPCChannel(connection, { expose }).getAPI()

const size = TEXT ? 1 << 12 : 1 << 20

/** pattern is size bytes that differ by n. */
const pattern = (n) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + n) & 0xff)

/** fromGo is what a value is once Go has had it as any: an ArrayBuffer and a DataView are a []byte there. */
function fromGo(value) {
	if (value instanceof ArrayBuffer) return new Uint8Array(value)
	return value instanceof DataView ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : value
}

/** framed counts the binary frames that a check sends and receives; those that are repeated count again. */
async function framed(sent, received, check) {
	frames = { sent: 0, received: 0 }
	await check()
	if (TEXT) assert.deepEqual(frames, { sent: 0, received: 0 })
	else assert.ok(frames.sent >= sent && frames.received >= received, `${frames.sent} binary frames were sent and ${frames.received} received`)
}

const checks = [
	{
		name: "bytes/echo",
		needs: ["bytes"],
		run: () => framed(1, 1, async () => sameBytes(await api.echo(pattern(1)), pattern(1)))
	},
	...Object.entries(valuesOfBytes).map(([name, value]) => ({
		name: `bytes/any-${name}`,
		needs: [/ArrayBuffer|DataView/.test(name) ? "beside" : "bytes"], // SuperJSON has no form for these
		run: () => framed(1, 1, async () => sameBytes((await api.any({ deep: [value, 1] })).deep[0], fromGo(value)))
	})),
	{ name: "bytes/sum", run: () => framed(1, 0, async () => assert.equal(await api.sum(Uint8Array.from([1, 2, 253])), 256)) },
	{ name: "bytes/sum-buffer", needs: ["bytes"], run: () => framed(1, 0, async () => assert.equal(await api.sum(Buffer.from([1, 2, 253])), 256)) },
	{
		name: "bytes/strings-beside",
		needs: ["bytes"],
		run: () =>
			framed(1, 1, async () => {
				const [text, bytes] = await api.any(["AAAAAAAAAAAAAAAA0", Uint8Array.of(1)])
				assert.equal(text, "AAAAAAAAAAAAAAAA0")
				sameBytes(bytes, Uint8Array.of(1))
			})
	},
	{
		name: "bytes/mutation-after-a-call",
		run: () =>
			framed(1, 0, async () => {
				const bytes = Uint8Array.of(1, 2, 3)
				const sum = api.sum(bytes)
				bytes.fill(0)
				assert.equal(await sum, 6)
			})
	},
	{
		name: "bytes/callback",
		needs: ["bytes"],
		run: () =>
			framed(1, 3, async () => {
				const got = []
				await api.report(pattern(2), proxy((n, bytes) => got.push([n, bytes])))
				assert.deepEqual(got.map(([n]) => n), [1, 2, 3])
				for (const [, bytes] of got) sameBytes(bytes, pattern(2))
			})
	},
	{
		name: "bytes/call-of-go",
		needs: ["bytes"],
		run: () => framed(1, 0, async () => assert.equal(await api.drive(5), 5))
	},
	{
		name: "bytes/error", // whose fields Go writes into the text
		needs: ["superjson"],
		run: () =>
			framed(1, 0, async () => {
				const err = await api.fail(Uint8Array.of(1, 2)).then(() => assert.fail("no error"), (err) => err)
				assert.equal(err.message, "refused")
				sameBytes(err.data, Uint8Array.of(1, 2))
			})
	},
	{
		name: "bytes/stream",
		needs: ["streams", "bytes"],
		run: () =>
			framed(0, 5, async () => {
				let n = 0
				for await (const bytes of await api.items(5, size)) sameBytes(bytes, pattern(n++))
				assert.equal(n, 5)
			})
	},
	{
		name: "bytes/stream-argument",
		needs: ["stream-arguments", "bytes"],
		run: () =>
			framed(5, 0, async () => {
				async function* items() {
					for (let n = 0; n < 5; n++) yield pattern(n)
				}
				assert.equal(await api.take(items()), 5)
			})
	}
]
const can = capabilities(version, channel, codec)
if (!TEXT) can.add("bytes").add("beside") // under JSON too
const failed = await run(checks, { api, can })
process.exit(failed === 0 ? 0 : 1)
