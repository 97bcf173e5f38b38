// Bytes in binary frames, against a scripted server whose frames are written by hand from docs/protocol.md.
import { strict as assert } from "node:assert"
import { Buffer } from "node:buffer"
import { mock, test } from "node:test"
import superjson, { SuperJSON } from "../../../interop/js/node_modules/superjson/dist/index.js"
import { connect } from "../index.js"
import { begin, Double, ID, settle, sockets, tick } from "./double.mjs"

const MARK = "Ab0-_cdefghijklm"
const superJson = { dialect: "compact-superjson", codec: { encode: superjson.stringify, decode: superjson.parse } }
const ascii = (text) => [...Buffer.from(text)]
const u32 = (n) => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]
const zeros = (n) => Array(n).fill(0)

/** frame is one of the server: its text, and parts of a type and of bytes. The further fields are what a server may do wrong. */
function frame(text, parts, { first = u32(0xb1), count = parts.length, length = Buffer.byteLength(text), reserved = 0, mark = MARK, utf8, filler = 0, tail = [], table } = {}) {
	table ??= parts.flatMap(([type, bytes]) => [...u32(bytes.length), type, 0, 0, 0])
	const list = [...first, ...u32(count), ...u32(length), ...u32(reserved), ...ascii(mark), ...table, ...ascii(text)]
	if (utf8) list.splice(32 + table.length + 2, 1, utf8)
	for (const [, bytes] of parts) {
		while (list.length % 8) list.push(filler)
		list.push(...bytes)
	}
	return new Uint8Array(list.concat(tail)).buffer
}

/** opened has a plain connection with bytes that is open, on sockets[0]. */
async function opened(options) {
	const t = await begin({ session: false, ...options })
	sockets[0].accept("kkrpc.bytes.1")
	return { ...t, send: (v, ...rest) => t.connection.send({ t: "r", id: "1", v }, ...rest) }
}

/** sent takes the last frame apart, whose numbers are little-endian. Bytes are lists. */
function sent(socket = sockets[0]) {
	const data = socket.take().at(-1)
	assert.ok(data instanceof Uint8Array, `${data} is no frame`)
	const all = Buffer.from(data)
	const count = all.readUInt32LE(4)
	let end = 32 + 8 * count + all.readUInt32LE(8)
	const text = all.toString("utf8", 32 + 8 * count, end)
	const parts = Array.from({ length: count }, (_, i) => {
		end = Math.ceil(end / 8) * 8 + all.readUInt32LE(32 + 8 * i)
		return [all[36 + 8 * i], [...all.subarray(end - all.readUInt32LE(32 + 8 * i), end)]]
	})
	assert.equal(end, all.length)
	const mark = all.toString("latin1", 16, 32)
	return { text, parts, mark, plain: text.replaceAll(mark, "#") }
}

test("bytes are offered for kkrpc 2, with a session and without", async () => {
	for (const [options, ...offers] of [
		[{}, "kkrpc.compact-json", "kkrpc.session.1+bytes.1", "kkrpc.session.1", "kkrpc.bytes.1"],
		[{ session: false }, "kkrpc.compact-json", "kkrpc.bytes.1"],
		[{ bytes: false }, "kkrpc.compact-json", "kkrpc.session.1"],
		[{ bytes: false, session: false }, "kkrpc.compact-json"],
		[{ dialect: "compact-superjson", protocols: ["chat"], token: () => "t" }, "kkrpc.compact-superjson", "chat", "kkrpc.session.1+bytes.1", "kkrpc.session.1", "kkrpc.bytes.1", "kkrpc.token.t"],
		[{ dialect: "classic-superjson" }, "kkrpc.classic-superjson", "kkrpc.session.1"],
		[{ dialect: null }, "kkrpc.session.1"]
	]) {
		await begin(options)
		assert.deepEqual(sockets[0].offers, offers)
	}
})

test("a URL says what is not offered then", async () => {
	const by = (query) => `ws://server/ws?a=b&kkrpc=${query}#c`
	for (const [query, options, frames, ...offers] of [
		["compact-json", {}, false],
		["compact-json,bytes.1", {}, true],
		["compact-superjson%2Cbytes.1", { ...superJson, protocols: ["chat"] }, true, "chat"],
		["compact-json,bytes.1", { session: true }, true, "kkrpc.compact-json", "kkrpc.session.1"],
		["compact-json,bytes.1", { dialect: null }, true],
	]) {
		const { connection } = await begin(options, by(query))
		assert.deepEqual(sockets[0].offers, offers)
		if (options.session) continue
		assert.equal(sockets[0].url, by(query))
		connection.send({ t: "r", id: "1", v: Uint8Array.of(1) })
		sockets[0].accept("")
		assert.equal(typeof sockets[0].take()[0], frames ? "object" : "string")
	}
	assert.throws(() => connect(by("compact-json"), { WebSocket: Double, dialect: "compact-superjson" }), /the URL names compact-json, and the option dialect compact-superjson/)
	assert.throws(() => connect(new URL(by("classic-json,bytes.1")), { WebSocket: Double }), /kkrpc 0.x takes no bytes/)
	const { connection } = await begin({ dialect: "classic-json" }, by("classic-json"))
	assert.deepEqual(sockets[0].offers, [])
	connection.read() // kkrpc 0.x may
})

test("frames by the URL arrive", async () => {
	const { messages } = await begin({}, "ws://server/ws?kkrpc=compact-json,bytes.1")
	sockets[0].accept("")
	sockets[0].says(frame(`{"t":"r","id":"1","v":"${MARK}0"}`, [[0, [1, 2]]]))
	assert.deepEqual(messages, [{ t: "r", id: "1", v: Uint8Array.of(1, 2) }])
})

test("a frame is as the protocol has it", async () => {
	const { connection } = await opened()
	connection.send({ t: "q", id: "7", op: "call", p: ["f"], a: [{ __kkrpc_next_arg__: "value", v: new Uint8Array([1, 2, 3]) }, new Float64Array([1])] })
	const all = [...sockets[0].take()[0]]
	const mark = Buffer.from(all.slice(16, 32)).toString()
	assert.match(mark, /^[A-Za-z0-9_-]{16}$/)
	const text = `{"t":"q","id":"7","op":"call","p":["f"],"a":[{"__kkrpc_next_arg__":"value","v":"${mark}1"},"${mark}0"]}`
	assert.equal(text.length, 121)
	assert.deepEqual(all, [
		...[0xb1, 0, 0, 0, 2, 0, 0, 0, 121, 0, 0, 0, 0, 0, 0, 0],
		...ascii(mark),
		...[8, 0, 0, 0, 8, 0, 0, 0], // part 0 is a Float64Array
		...[3, 0, 0, 0, 0, 0, 0, 0], // part 1 a Uint8Array
		...ascii(text), // ends at 169
		...zeros(7),
		...[0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
		...[1, 2, 3]
	])
	connection.send({ t: "q", id: "8", op: "call", p: ["f"], a: [] })
	assert.deepEqual(sockets[0].take(), ['{"t":"q","id":"8","op":"call","p":["f"],"a":[]}']) // without bytes it is text
})

// Each type with its number, its value, and the bytes of that.
const types = [
	[0, new Uint8Array([1, 255]), [1, 255]],
	[1, new Uint8ClampedArray([1, 300]), [1, 255]],
	[2, new Int8Array([-1]), [255]],
	[3, new Uint16Array([0x0102]), [2, 1]],
	[4, new Int16Array([-2]), [254, 255]],
	[5, new Uint32Array([0x01020304]), [4, 3, 2, 1]],
	[6, new Int32Array([-2]), [254, 255, 255, 255]],
	[7, new Float32Array([1]), [0, 0, 0x80, 0x3f]],
	[8, new Float64Array([1, -0]), [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x80]],
	[9, new BigUint64Array([2n ** 63n]), [0, 0, 0, 0, 0, 0, 0, 0x80]],
	[10, new BigInt64Array([-1n]), [255, 255, 255, 255, 255, 255, 255, 255]],
	[11, new Uint8Array([1, 2, 3]).buffer, [1, 2, 3]],
	[12, new DataView(new Uint8Array([1, 2, 3]).buffer, 1), [2, 3]]
]

test("all types are sent, also empty ones and parts of a buffer", async () => {
	const { send } = await opened()
	for (const [type, value, bytes] of types) {
		send(value)
		assert.deepEqual(sent().parts, [[type, bytes]])
		const empty = type === 12 ? new DataView(new ArrayBuffer(0)) : new value.constructor(0)
		send(empty)
		assert.deepEqual(sent().parts, [[type, []]])
	}
	send([Buffer.from("abc"), new Uint8Array([9, 1, 2, 9]).subarray(1, 3), new Uint16Array(new Uint8Array([9, 9, 1, 2]).buffer, 2), new SharedArrayBuffer(2)])
	assert.deepEqual(sent().parts, [[0, ascii("abc")], [0, [1, 2]], [3, [1, 2]], [11, [0, 0]]])
	send([new (class Own extends Uint8Array {})([5]), []])
	assert.deepEqual(sent().parts, [[0, [5]]])
	send({ [Symbol.toStringTag]: "Uint8Array", n: 1 })
	assert.deepEqual(sockets[0].take(), ['{"t":"r","id":"1","v":{"n":1}}'])
})

test("all types arrive, as views of the message", async () => {
	const { messages } = await opened()
	const received = () => messages.pop().v
	for (const [type, value, bytes] of types) {
		const data = frame(`{"t":"r","id":"1","v":["${MARK}0","${MARK}1"]}`, [[type, bytes], [type, []]])
		sockets[0].says(data)
		const [got, empty] = received()
		assert.deepEqual(got, type === 11 ? value : type === 12 ? new DataView(new Uint8Array(bytes).buffer) : value)
		assert.equal(got.constructor, value.constructor)
		assert.equal(got.buffer, type === 11 ? undefined : data)
		assert.equal(empty.byteLength, 0)
		assert.equal(empty.constructor, value.constructor)
	}
})

test("bytes stand in the values of every kind of message, and nowhere else", async () => {
	const { connection, messages } = await opened()
	const b = new Uint8Array([1])
	for (const [message, text] of [
		[{ t: "q", id: "1", op: "set", p: ["x"], v: b }, '{"t":"q","id":"1","op":"set","p":["x"],"v":"#0"}'],
		[{ t: "cb", id: "1", a: [b] }, '{"t":"cb","id":"1","a":["#0"]}'],
		[{ t: "sr", id: "1", sid: "2", d: false, v: { b } }, '{"t":"sr","id":"1","sid":"2","d":false,"v":{"b":"#0"}}'],
		[{ t: "r", id: "1", e: { n: "Error", m: "m", b } }, '{"t":"r","id":"1","e":{"n":"Error","m":"m","b":"#0"}}']
	]) {
		connection.send(message)
		assert.equal(sent().plain, text)
		sockets[0].says(frame(text.replace("#", MARK), [[0, [1]]]))
		assert.deepEqual(messages.pop(), message)
	}
	connection.send({ t: "q", id: "1", op: "call", p: ["f"], a: [b], meta: { b } })
	assert.equal(sent().plain, '{"t":"q","id":"1","op":"call","p":["f"],"a":["#0"],"meta":{"b":{"0":1}}}')
	sockets[0].says(frame(`{"t":"q","id":"${MARK}0","p":["${MARK}0"],"a":[{"${MARK}0":1}],"meta":{"m":"${MARK}0"}}`, [[0, [1]]]))
	assert.deepEqual(messages.pop(), { t: "q", id: `${MARK}0`, p: [`${MARK}0`], a: [{ [`${MARK}0`]: 1 }], meta: { m: `${MARK}0` } })
})

test("what is not the message's own placeholder stays a string", async () => {
	const { send, messages } = await opened()
	const b = new Uint8Array([1])
	send(b)
	const { mark } = sent()
	send([`${mark}0`, `${MARK}0`, b])
	const next = sent()
	assert.notEqual(next.mark, mark)
	assert.equal(next.plain, `{"t":"r","id":"1","v":["${mark}0","${MARK}0","#0"]}`)
	sockets[0].says(frame(`{"t":"r","id":"1","v":["${mark}0","x${MARK}0","${MARK.slice(1)}0","${MARK}0"]}`, [[0, [1]]]))
	assert.deepEqual(messages.pop().v, [`${mark}0`, `x${MARK}0`, `${MARK.slice(1)}0`, b])
	sockets[0].says(`{"t":"r","id":"1","v":"${MARK}0"}`) // text has no placeholders
	assert.equal(messages.pop().v, `${MARK}0`)
	sockets[0].says(new TextEncoder().encode('{"t":"r","id":"1","v":"é"}').buffer) // and may come as a binary message
	assert.equal(messages.pop().v, "é")
})

test("an object twice is a part once, and the same object there", async () => {
	const { send, messages } = await opened()
	const b = new Uint8Array([1])
	send([b, b, new Uint8Array([1]), b.buffer])
	const { plain, parts } = sent()
	assert.equal(plain, '{"t":"r","id":"1","v":["#0","#0","#1","#2"]}')
	assert.equal(parts.length, 3)
	sockets[0].says(frame(`{"t":"r","id":"1","v":["${MARK}1","${MARK}1"]}`, [[0, [9]], [0, [1]]])) // a part need not be named
	const [one, two] = messages.pop().v
	assert.deepEqual(one, b)
	assert.equal(one, two)
})

test("neither the caller's objects nor the message change", async () => {
	const { connection } = await opened()
	const b = new Uint8Array([1, 2])
	const inner = Object.freeze({ b, list: Object.freeze([b]) })
	const message = Object.freeze({ t: "r", id: "1", v: inner })
	connection.send(message)
	b[0] = 9
	assert.equal(inner.b, b)
	assert.equal(inner.list[0], b)
	assert.deepEqual(sent().parts, [[0, [1, 2]]])
})

test("toJSON, instances of classes and errors are the codec's", async () => {
	const { connection, send } = await opened()
	const b = new Uint8Array([1])
	class Own {
		b = b
	}
	send([{ toJSON: () => "own", b }, new Own(), Object.assign(new Error("x"), { b }), new Date(0), Object.assign([b], { toJSON: () => [] })])
	assert.deepEqual(sockets[0].take(), ['{"t":"r","id":"1","v":["own",{"b":{"0":1}},{"b":{"0":1}},"1970-01-01T00:00:00.000Z",[]]}'])
	const odd = JSON.parse('{"__proto__":1,"constructor":2}')
	send([Object.assign(Object.create(null), { b }), [, b], odd, new Map([[1, b]]), new Set([b])])
	const { plain, parts } = sent()
	assert.equal(plain, '{"t":"r","id":"1","v":[{"b":"#0"},[null,"#0"],{"__proto__":1,"constructor":2},{},{}]}')
	assert.equal(parts.length, 1)
	send([new Map([[1, new Uint8Array([2])]])]) // JSON writes nothing of it
	assert.deepEqual(sockets[0].take(), ['{"t":"r","id":"1","v":[{}]}'])
	connection.send(Object.assign(Object.create({ toJSON: () => "own" }), { v: b }))
	assert.deepEqual(sockets[0].take(), ['"own"'])
})

test("__proto__ is a name like any other", async () => {
	const { send, messages } = await opened()
	send(JSON.parse('{"__proto__":{"x":1},"y":[1]}', (key, value) => (key === "y" ? new Uint8Array(value) : value)))
	assert.equal(sent().plain, '{"t":"r","id":"1","v":{"__proto__":{"x":1},"y":"#0"}}')
	sockets[0].says(frame(`{"t":"r","id":"1","v":{"__proto__":"${MARK}0"}}`, [[0, [1]]]))
	const { v } = messages.pop()
	assert.equal(Object.getPrototypeOf(v), Object.prototype)
	assert.deepEqual(Object.getOwnPropertyDescriptor(v, "__proto__").value, new Uint8Array([1]))
})

/** through sends a value by a codec and has the frame come back. */
async function through(v, options = superJson) {
	const { send, messages } = await opened(options)
	send(v)
	const data = sockets[0].take()[0]
	assert.ok(data instanceof Uint8Array)
	sockets[0].says(data.buffer)
	return messages.pop().v
}

test("SuperJSON keeps maps, sets, sharing and cycles", async () => {
	const a = new Uint8Array([1])
	const b = new Float32Array([2])
	const got = await through({ map: new Map([[a, "a"], ["b", { b }], ["c", new Set([1, b, "z"])], ["d", undefined]]), date: new Date(1), big: 1n })
	assert.deepEqual(got, { map: new Map([[a, "a"], ["b", { b }], ["c", new Set([1, b, "z"])], ["d", undefined]]), date: new Date(1), big: 1n })
	assert.deepEqual([...got.map.values()][2], new Set([1, b, "z"]))
	assert.equal([...got.map.get("c")][1], got.map.get("b").b)

	const shared = { a }
	const sharing = await through({ one: shared, two: [shared] })
	assert.equal(sharing.one, sharing.two[0])
	assert.deepEqual(sharing.one.a, a)

	const parent = { children: [] }
	parent.children.push({ parent })
	parent.last = a // found once the cycle has been met
	const cycle = await through(parent)
	assert.equal(cycle.children[0].parent, cycle)
	assert.deepEqual(cycle.last, a)
	assert.equal(parent.children[0].parent, parent)
	assert.equal(parent.last, a)

	const mine = { set: new Set([a]), map: new Map([[a, a]]) }
	await through(mine)
	assert.deepEqual([...mine.set], [a])
	assert.deepEqual([...mine.map], [[a, a]])

	const only = new Map()
	only.set("self", only).set(a, new Set([only]))
	const map = await through(only)
	assert.equal(map.get("self"), map)
	assert.deepEqual([...map.keys()], ["self", a])
})

test("bytes arrive in errors, keys and elements of SuperJSON", async () => {
	const own = new SuperJSON()
	own.allowErrorProps("detail")
	const { messages } = await opened({ dialect: "compact-superjson", codec: { encode: (v) => own.stringify(v), decode: (text) => own.parse(text) } })
	const json = { t: "r", id: "1", v: { e: { name: "E", message: "m", cause: [`${MARK}0`], detail: `${MARK}1` }, s: [`${MARK}0`, 5], m: [[`${MARK}1`, `${MARK}0`]] } }
	const values = { v: { e: ["Error"], s: ["set"], m: ["map"] } }
	sockets[0].says(frame(JSON.stringify({ json, meta: { values, v: 1 } }), [[0, [1]], [2, [2]]]))
	const { e, s, m } = messages.pop().v
	assert.ok(e instanceof Error)
	assert.deepEqual(e.cause, [new Uint8Array([1])])
	assert.deepEqual(e.detail, new Int8Array([2]))
	assert.deepEqual([...s], [new Uint8Array([1]), 5])
	assert.deepEqual([...m], [[new Int8Array([2]), new Uint8Array([1])]])
})

const nested = (depth, inner) => {
	for (let i = 0; i < depth; i++) inner = i % 2 ? [inner] : { inner }
	return inner
}

test("depth is bounded by the codec alone", async () => {
	const depth = 3000
	assert.doesNotThrow(() => JSON.stringify(nested(depth)))
	let got = await through(nested(depth, new Uint8Array([1])), {})
	for (let i = depth; i-- > 0; ) got = i % 2 ? got[0] : got.inner
	assert.deepEqual(got, new Uint8Array([1]))

	const { send, messages, connection } = await opened()
	send(nested(depth))
	assert.deepEqual(sockets[0].take(), [JSON.stringify({ t: "r", id: "1", v: nested(depth) })])
	for (const inner of [1, new Uint8Array(1)]) assert.throws(() => send(nested(100_000, inner)), RangeError)
	sockets[0].says(frame(`{"t":"r","id":"1","v":${"[".repeat(200_000)}"${MARK}0"${"]".repeat(200_000)}}`, [[0, [1]]]))
	assert.equal(messages.length, 1)
	assert.equal(connection.state.phase, "open")
})

test("cycles and sharing end", async () => {
	const { send } = await opened()
	const cycle = [1, {}]
	cycle[1].cycle = cycle
	assert.throws(() => send(cycle), { name: "TypeError", message: /circular/ })
	cycle.push(new Uint8Array(1))
	assert.throws(() => send(cycle), { name: "TypeError", message: /circular/ })

	const own = new SuperJSON({ dedupe: true })
	const deduping = await opened({ dialect: "compact-superjson", codec: { encode: (v) => own.stringify(v), decode: own.parse } })
	let many = { b: 1 }
	for (let i = 0; i < 60; i++) many = [many, many] // 2^60 ways to the innermost
	deduping.send(many)
	assert.equal(typeof sockets[0].take()[0], "string")
	deduping.send([many, new Uint8Array(1)])
	assert.equal(sent().parts.length, 1)
})

test("65,536 parts are the most, and what is beyond stays in the text", async () => {
	const { send } = await opened()
	send(Array.from({ length: 65_537 }, (_, i) => new Uint8Array([i])))
	const { parts, plain } = sent()
	assert.equal(parts.length, 65_536)
	assert.ok(plain.endsWith('"#65535",{"0":0}]}'))
})

test("bytes that the server does not take are in the text", async () => {
	const b = new Uint8Array([1, 2])
	const text = '{"t":"r","id":"1","v":{"0":1,"1":2}}'
	for (const [options, protocol] of [[{}, "kkrpc.session.1"], [{}, "kkrpc.compact-json"], [{ bytes: false }, "kkrpc.compact-json"], [{ dialect: null }, ""]]) {
		const { connection, messages } = await begin(options)
		connection.send({ t: "r", id: "1", v: b }) // and nobody knows what the server takes
		b[0] = 7
		sockets[0].accept(protocol)
		if (protocol === "kkrpc.session.1") sockets[0].says(`#session ${ID} 30000 1048576`)
		b[0] = 1
		connection.send({ t: "r", id: "1", v: b })
		assert.deepEqual(sockets[0].take().filter((sent) => sent !== "#open"), [text, text])
		sockets[0].says(frame(`{"t":"r","id":"1","v":"${MARK}0"}`, [[0, [1]]]), new TextEncoder().encode('"é"').buffer)
		assert.deepEqual(messages, ["é"]) // the frame is no text
	}
})

test("SuperJSON has what the server does not take in its own form", async () => {
	const value = { map: new Map([[new Uint8Array([1]), new BigInt64Array([-1n])]]), at: new Date(0) }
	const { connection } = await begin({ session: false, ...superJson })
	connection.send({ t: "r", id: "1", v: value })
	sockets[0].accept("kkrpc.compact-superjson")
	assert.deepEqual(sockets[0].take(), [superjson.stringify({ t: "r", id: "1", v: value })])
})

test("a message that has no text ends the connection to a server that takes no bytes", async () => {
	const { connection, reasons } = await begin()
	connection.send({ t: "r", id: "1", v: new BigInt64Array(1) })
	sockets[0].accept("kkrpc.compact-json")
	const { phase, reason } = connection.state
	assert.deepEqual([phase, reason.name, reason.reason], ["closed", "SessionLost", "unsupported"])
	assert.match(reason.message, /BigInt/)
	assert.deepEqual(reasons, [reason])
	assert.deepEqual(sockets[0].take(), [])
	const later = await begin()
	sockets[0].accept("kkrpc.compact-json")
	assert.throws(() => later.connection.send({ t: "r", id: "1", v: new BigInt64Array(1) }), TypeError)
	assert.equal(later.connection.state.phase, "open")
})

test("a session repeats frames, as text on a server that takes none, and counts their bytes", async () => {
	const { connection } = await begin({ replayBuffer: 1000 })
	const send = (n) => connection.send({ t: "r", id: "1", v: new Uint8Array(100).fill(n) }) // 32 + 8 + 46 + 2 + 100 bytes
	const resume = async (i, protocol, arrived) => {
		sockets[i - 1].ends()
		await tick(500)
		sockets[i].accept(protocol)
		assert.deepEqual(sockets[i].take(), [`#resume ${ID} 0`])
		sockets[i].says(`#resumed ${arrived}`)
	}
	send(1)
	sockets[0].accept("kkrpc.session.1+bytes.1")
	assert.deepEqual(sockets[0].take(), ["#open"])
	sockets[0].says(`#session ${ID} 30000 1048576`)
	assert.equal(sockets[0].sent[0].length, 188)
	send(2)
	const [one, two] = sockets[0].take()
	assert.equal(two.at(-1), 2)

	await resume(1, "kkrpc.session.1+bytes.1", 0)
	assert.deepEqual(sockets[1].take(), [one, two])
	sockets[1].ends()
	for (let n = 3; n <= 5; n++) send(n) // 940 bytes
	assert.throws(() => send(6), { reason: "buffer" })

	const again = await begin()
	again.connection.send({ t: "r", id: "1", v: new Uint8Array([1]) })
	again.connection.send({ t: "r", id: "2" })
	sockets[0].accept("kkrpc.session.1+bytes.1")
	sockets[0].says(`#session ${ID} 30000 1048576`)
	assert.equal(sockets[0].take().length, 3)
	await resume(1, "kkrpc.session.1", 0)
	assert.deepEqual(sockets[1].take(), ['{"t":"r","id":"1","v":{"0":1}}', '{"t":"r","id":"2"}'])
	again.connection.send({ t: "r", id: "3", v: new Uint8Array([3]) })
	assert.deepEqual(sockets[1].take(), ['{"t":"r","id":"3","v":{"0":3}}'])
	await resume(2, "kkrpc.session.1+bytes.1", 2)
	assert.deepEqual(sockets[2].take(), ['{"t":"r","id":"3","v":{"0":3}}'])
	again.connection.send({ t: "r", id: "4", v: new Uint8Array([4]) })
	assert.deepEqual(sent(sockets[2]).parts, [[0, [4]]])
	assert.equal(again.connection.state.phase, "open")
})

test("what was a frame waits for room as the text that it is now", async () => {
	const { connection } = await begin({ replayBuffer: 700 })
	for (let n = 1; n <= 3; n++) connection.send({ t: "r", id: "1", v: new Uint8Array(100).fill(9) }) // 188 bytes as a frame, 714 as text
	sockets[0].accept("kkrpc.session.1")
	sockets[0].says(`#session ${ID} 30000 1048576`)
	const first = sockets[0].take()
	assert.deepEqual(first.map((text) => text.length), [5, 714, 5])
	sockets[0].says("#ack 1")
	assert.deepEqual(sockets[0].take().map((text) => text.length), [714, 5])
	sockets[0].says("#ack 2", "#ack 3")
	assert.equal(sockets[0].take().length, 1)
	connection.send("ok")
	assert.deepEqual(sockets[0].take(), ['"ok"'])
	sockets[0].says("#ack 4")
	sockets[0].ends()
	for (let i = 0; i < 7; i++) connection.send("x".repeat(98)) // 700 bytes, so that nothing else is counted
	assert.throws(() => connection.send(1), { reason: "buffer" })
})

test("frames are messages of a session", async () => {
	const { messages } = await begin()
	sockets[0].accept("kkrpc.session.1+bytes.1")
	sockets[0].says(`#session ${ID} 30000 1048576`)
	sockets[0].take()
	const bytes = zeros(65_536)
	sockets[0].says(frame(`{"t":"r","id":"1","v":"${MARK}0"}`, [[0, bytes]]))
	assert.deepEqual(sockets[0].take(), ["#ack 1"]) // 64 KiB
	assert.equal(messages[0].v.length, 65_536)
	sockets[0].says(frame(`{"t":"r","id":"1","v":"${MARK}0"}`, [[0, [1]]]))
	await tick(1000)
	assert.deepEqual(sockets[0].take(), ["#ack 2"])
})

test("frames wait for their channel", async () => {
	mock.timers.reset()
	const connection = connect("ws://server/ws", { WebSocket: Double, session: false, heartbeat: { interval: 0 } })
	await settle()
	const socket = sockets.at(-1)
	socket.accept("kkrpc.bytes.1")
	socket.says("1", frame(text, parts), "2")
	const messages = []
	connection.subscribe((message) => messages.push(message))
	await settle()
	assert.deepEqual(messages, [1, { t: "r", id: "1", v: new Uint16Array([0x0201]) }, 2])
	connection.close()
})

const text = `{"t":"r","id":"1","v":"${MARK}0"}`
const parts = [[3, [1, 2]]]
const malformed = [
	[/header$/, "first byte alone", new Uint8Array([0xb1]).buffer],
	[/header$/, "header that ends", frame(text, parts).slice(0, 31)],
	[/bytes in the header$/, "byte 1", frame(text, parts, { first: [0xb1, 1, 0, 0] })],
	[/bytes in the header$/, "byte 2", frame(text, parts, { first: [0xb1, 0, 1, 0] })],
	[/bytes in the header$/, "byte 3", frame(text, parts, { first: [0xb1, 0, 0, 1] })],
	[/parts 0$/, "no parts", frame(text.replace(`${MARK}0`, ""), [])],
	[/parts 65537$/, "65,537 parts", frame(text, Array(65_537).fill([0, []]))],
	[/./, "more parts than there are", frame(text, parts, { count: 2 })],
	[/./, "parts beyond the frame", frame(text, parts, { count: 0xffffffff })],
	[/./, "fewer parts than there are", frame(text, [...parts, [0, [1]]], { count: 1 })],
	[/for the text$/, "text beyond the frame", frame(text, parts, { length: 0xffffffff })],
	[/./, "text that is longer", frame(text, parts, { length: text.length + 1 })],
	[/./, "text that is shorter", frame(text, parts, { length: text.length - 1 })],
	[/bytes in the header$/, "reserved bytes", frame(text, parts, { reserved: 1 << 24 })],
	[/mark$/, "mark of other characters", frame(text.replaceAll(MARK, MARK.replace("-", "+")), parts, { mark: MARK.replace("-", "+") })],
	[/mark$/, "mark of no ASCII", frame(text, parts, { mark: "é23456789012345" })],
	[/type or length of part 0$/, "type 13", frame(text, [[13, [1]]])],
	[/type or length of part 0$/, "bytes behind a type", frame(text, parts, { table: [2, 0, 0, 0, 3, 0, 1, 0] })],
	[/type or length of part 0$/, "half an element", frame(text, [[3, [1]]])],
	[/too few bytes for part 0$/, "part beyond the frame", frame(text, parts, { table: [3, 0, 0, 0, 0, 0, 0, 0] })],
	[/too few bytes for part 0$/, "part far beyond the frame", frame(text, parts, { table: [255, 255, 255, 255, 0, 0, 0, 0] })],
	[/behind part 0$/, "part that ends before the frame", frame(text, parts, { table: [1, 0, 0, 0, 0, 0, 0, 0] })],
	[/behind part 0$/, "bytes behind the parts", frame(text, parts, { tail: [0] })],
	[/bytes before part 0$/, "padding of no zeros", frame(text, parts, { filler: 1 })],
	[/./, "text that is no UTF-8", frame(text, parts, { utf8: 0xff })],
	[/./, "byte order mark", frame(`\ufeff${text}`, parts)],
	[/./, "text that is no JSON", frame(`${text.slice(0, -1)} `, parts)],
	[/./, "text that is no message", frame("null", parts)],
	[/placeholder of no part$/, "index beyond the parts", frame(`{"v":"${MARK}1"}`, parts)],
	[/placeholder of no part$/, "mark without an index", frame(`{"v":"${MARK}"}`, parts)],
	[/placeholder of no part$/, "index with a zero before", frame(`{"v":"${MARK}00"}`, parts)],
	[/placeholder of no part$/, "index with text behind", frame(`{"v":["${MARK}0 "]}`, parts)],
	[/placeholder of no part$/, "negative index", frame(`{"a":[{"v":"${MARK}-1"}]}`, parts)],
]

test("a malformed frame ends the connection", async () => {
	for (const [problem, name, data] of malformed) {
		for (const session of [false, true]) {
			const { connection, messages, reasons } = await begin({ session })
			sockets[0].accept(session ? "kkrpc.session.1+bytes.1" : "kkrpc.bytes.1")
			if (session) sockets[0].says(`#session ${ID} 30000 1048576`)
			sockets[0].says(frame(text, parts))
			assert.deepEqual(messages.pop().v, new Uint16Array([0x0201]))
			sockets[0].says(data)
			const { phase, reason } = connection.state
			assert.deepEqual([phase, reason?.name, reason?.reason], ["closed", "SessionLost", "protocol"], name)
			assert.match(reason.message, /^session lost: the server sent a malformed frame: ./)
			assert.match(reason.message, problem, name)
			assert.deepEqual(reasons, [reason])
			assert.deepEqual(sockets[0].closed, { code: 4400 })
			assert.deepEqual(messages, [])
		}
	}
	const { connection } = await begin()
	sockets[0].accept("kkrpc.session.1+bytes.1")
	sockets[0].says(frame(text, parts)) // before the session
	assert.equal(connection.state.reason.reason, "protocol")
})
