// What the host does with the events of a server, apart from any: the folder of a bundle is the argument. Prints the name of
// each check that fails, and why.
import { readFile } from "node:fs/promises"
import { pathToFileURL } from "node:url"

const folder = pathToFileURL(process.argv[2] + "/")
await import(new URL("wasm_exec.js", folder))
const { createHost } = await import(new URL("host.mjs", folder))
const { Batch } = await import(new URL("batch.mjs", folder))
const program = WebAssembly.compile(await readFile(new URL("api.wasm", folder)))
await program // which takes a while, and no check's time

/** A connection of a server: what Hono gives to the events, and what the peer gets. */
class Connection {
	raw = {}
	sent = []
	closed = new Promise((resolve) => (this.close = (code, reason) => resolve(`${code} ${reason}`)))

	send(text) {
		this.sent.push(JSON.parse(text))
		this.#answered?.()
	}

	#answered
	async answers(n) {
		while (this.sent.length < n) await new Promise((resolve) => (this.#answered = resolve))
		return this.sent.map((answer) => answer.v)
	}
}

const request = (op, ...path) => JSON.stringify({ t: "q", id: "1", op, p: path })
const greet = (name) => JSON.stringify({ t: "q", id: "1", op: "call", p: ["greet"], a: [name] })
const silent = { log() {} }
const context = { req: { url: "http://localhost/ws", param: () => ({}), header: () => ({}) } }

/** Opens a connection whose peer says something, and returns it when it is answered. */
async function asks(host, data, ws = new Connection()) {
	const events = host.handler(context)
	events.onOpen({}, ws)
	events.onMessage({ data }, ws)
	return (await ws.answers(1))[0]
}

function want(got, wanted) {
	if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`got ${JSON.stringify(got)}, want ${JSON.stringify(wanted)}`)
}

const checks = {
	async "a program that cannot be loaded is loaded again"() {
		let times = 0
		const host = createHost(() => (++times === 1 ? Promise.reject(new Error("too many open files")) : program), silent)
		const first = new Connection()
		host.handler(context).onOpen({}, first)
		want(await first.closed, "1011 the server cannot start")
		want(await asks(host, greet("you")), "Hello, you!")
	},

	async "another version of Go is loaded by another bundle"() {
		const host = createHost(() => program, silent)
		const { Go } = globalThis
		globalThis.Go = class {}
		try {
			want(await asks(host, greet("you")), "Hello, you!")
		} finally {
			globalThis.Go = Go
		}
	},

	async "bytes of all kinds"() {
		const host = createHost(() => program, silent)
		const bytes = new TextEncoder().encode(greet("you"))
		const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
		shared.set(bytes)
		const padded = new Uint8Array(bytes.length + 9)
		padded.set(bytes, 5)
		for (const data of [bytes, bytes.buffer, shared.buffer, padded.subarray(5, 5 + bytes.length), new DataView(bytes.buffer), new Blob([bytes])]) {
			want(await asks(host, data), "Hello, you!")
		}
		const ws = new Connection()
		host.handler(context).onMessage({ data: 7 }, ws)
		want(await ws.closed, "1003 the message is neither text nor bytes")
	},

	async "a Blob keeps its place"() {
		const host = createHost(() => program, silent)
		const ws = new Connection()
		const events = host.handler(context)
		for (const name of ["a", "b", "c", "d"]) {
			events.onMessage({ data: name < "c" ? new Blob([greet(name)]) : greet(name) }, ws)
		}
		want(await ws.answers(4), ["Hello, a!", "Hello, b!", "Hello, c!", "Hello, d!"])
	},

	async "more is said in Blobs than may wait at once"() {
		const host = createHost(() => program, silent)
		const ws = new Connection()
		const events = host.handler(context)
		let read = () => {} // lets the last Blob but one be read
		for (let i = 0; i < 20; i++) {
			const data = new Blob([greet(`${i}`).padEnd(1 << 19)])
			const before = read
			const may = new Promise((resolve) => (read = resolve))
			data.arrayBuffer = () => may.then(() => Blob.prototype.arrayBuffer.call(data))
			events.onMessage({ data }, ws)
			before()
			if (i > 0) await ws.answers(i)
		}
		read()
		want((await ws.answers(20)).at(-1), "Hello, 19!")
	},

	async "what was said before the start is heard, also if the peer has left"() {
		const host = createHost(() => program, silent)
		const ws = new Connection()
		const events = host.handler(context)
		events.onOpen({}, ws)
		events.onMessage({ data: JSON.stringify({ t: "q", id: "1", op: "set", p: ["settings", "theme"], v: "dark" }) }, ws)
		events.onClose({ code: 1000 }, ws)
		events.onMessage({ data: greet("nobody") }, ws)
		want(await asks(host, request("get", "settings", "theme")), "dark")
		want(ws.sent.filter((answer) => answer.v !== true), [])
	},

	async "too much is said before the start"() {
		const host = createHost(() => program, silent)
		const ws = new Connection()
		const events = host.handler(context)
		for (let i = 0; i < 9; i++) events.onMessage({ data: "x".repeat(1 << 19) }, ws)
		want(await ws.closed, "1013 the server is still starting")
		const many = new Connection() // small ones, as of a client that makes all of its calls at once
		const others = host.handler(context)
		for (let i = 0; i < 3000; i++) others.onMessage({ data: greet("you") }, many)
		want((await many.answers(3000)).length, 3000)
	},

	async "a program that does not get to Serve"() {
		const { Go, setTimeout } = globalThis
		globalThis.Go = class extends Go {
			run = () => new Promise(() => {}) // as with a deadlock
		}
		const host = createHost(() => program, { log: (text) => said(text) })
		let said
		const told = new Promise((resolve) => (said = resolve))
		globalThis.setTimeout = (f, time, ...args) => setTimeout(f, time === 10_000 ? 0 : time, ...args)
		try {
			host.handler(context).onOpen({}, new Connection())
			want((await told).slice(0, 64), "kkrpc: the Go program has not called wasm.Serve for 10 s; its co")
		} finally {
			Object.assign(globalThis, { Go, setTimeout })
		}
	},

	async "two connections are given the same handlers"() {
		const host = createHost(() => program, silent)
		const [one, other] = [new Connection(), new Connection()]
		const events = host.handler(context)
		events.onOpen({}, one)
		events.onOpen({}, other)
		events.onMessage({ data: greet("other") }, other)
		events.onClose({ code: 1000 }, other)
		events.onMessage({ data: greet("one") }, one)
		want(await one.answers(1), ["Hello, one!"])
		want(await other.closed, "1011 the server has failed")
		want(other.sent, [])
	},

	async "messages that only a timer waits for"() {
		const timers = []
		const got = [] // what was delivered, together
		const contexts = { early: true, soon: (f) => (timers.push(f), undefined) }
		const made = () => new Batch(contexts, (sockets) => got.push(sockets.flatMap(({ inbox }) => inbox.splice(0)).join("")))
		const says = (batch, socket, text) => [...text].forEach((letter) => batch.add(socket, letter))
		const [a, b, one, other] = [made(), made(), { inbox: [] }, { inbox: [] }]
		const delivers = (...wanted) => want(got.splice(0), wanted)
		says(a, one, "1234567") // each alone
		delivers("1", "2", "3", "4", "5", "6", "7")
		says(a, one, "8abc") // the eighth has it tried whether more come
		delivers("8", "ab")
		says(b, other, "x") // where another's wait, one more waits as well
		delivers()
		timers.splice(0).at(-1)()
		delivers("x")
		says(a, one, "de")
		delivers("cd")
		a.drop() // its socket has closed
		says(b, other, "y")
		delivers("y")
	},

	async "a client that waits for each answer hardly waits for a timer"() {
		let waited = 0
		const contexts = { early: true, soon: (f) => void (waited++, queueMicrotask(f)) }
		const batch = new Batch(contexts, (sockets) => sockets.forEach(({ inbox }) => inbox.splice(0)))
		const one = { inbox: [] }
		for (let n = 0; n < 4000; n++) {
			batch.add(one, "x")
			await Promise.resolve()
		}
		if (waited < 5 || waited > 12) throw new Error(`${waited} of 4000 waited, want about 9`)
	},

	async "an error of the connection closes it"() {
		const host = createHost(() => program, silent)
		const ws = new Connection()
		const events = host.handler(context)
		events.onMessage({ data: greet("you") }, ws)
		await ws.answers(1)
		events.onError({}, ws)
		want(await ws.closed, "1011 the server has failed")
	},

	async "the origin is not known"() {
		const ws = new Connection()
		createHost(() => program, silent).handler().onOpen({}, ws)
		want((await ws.closed).slice(0, 38), "1008 the server cannot tell the origin")
	},

	async "the runtime says why it has closed"() {
		const host = createHost(() => program, silent)
		const told = new Connection()
		const events = host.handler(context)
		events.onMessage({ data: request("call", "ends") }, told) // kkrpc takes a missing a for no arguments
		await told.answers(1)
		const ended = async (event, data) => {
			const ws = new Connection()
			const other = host.handler(context)
			other.onMessage({ data: greet("you") }, ws)
			await ws.answers(1)
			other[event](data, ws)
			events.onMessage({ data: request("call", "ends") }, told)
			return (await told.answers(told.sent.length + 1)).at(-1)
		}
		const limit = (text) => [`limit: channel closed: wasm: closed with code 1009: the message is too large for the JavaScript server: ${text}: limit reached`]
		const plain = (text) => [`channel closed: wasm: ${text}`]
		want(await ended("onError", { error: new RangeError("Max payload size exceeded") }), limit("Max payload size exceeded")) // ws, Node
		want(await ended("onClose", { code: 1006, reason: "Received too big message" }), limit("Received too big message")) // Bun
		want(await ended("onError", { message: "Frame too large", error: new Error("Frame too large") }), limit("Frame too large")) // Deno
		want(await ended("onError", { message: "protocolError.description = Message is too large" }), limit("protocolError.description = Message is too large")) // workerd
		want(await ended("onError", { error: new Error("read ECONNRESET") }), plain("the connection ended without a close frame: read ECONNRESET"))
		want(await ended("onError", {}), plain("the connection ended without a close frame"))
		want(await ended("onClose", { code: 1009, reason: "too large" }), plain("the peer closed with code 1009"))
	},

	async "Bun does not take what is over its backpressureLimit"() {
		const host = createHost(() => program, silent)
		const ws = new Connection()
		let [room, refused] = [1, 0]
		ws.raw = {
			readyState: 1,
			cork: (f) => f(),
			getBufferedAmount: () => 0,
			send(text) {
				if (room === 0) return refused++, 0
				room--
				ws.send(text)
				return text.length
			},
		}
		const events = host.handler(context)
		for (let i = 0; i < 50; i++) events.onMessage({ data: greet(`${i}`) }, ws)
		await ws.answers(1)
		events.onMessage({ data: greet("50") }, ws)
		while (ws.sent.length < 51) {
			await new Promise((resolve) => setTimeout(resolve))
			room = 3
		}
		want(ws.sent.map((answer) => answer.v), Array.from({ length: 51 }, (_, i) => `Hello, ${i}!`))
		const turn = async (n) => {
			for (refused = 0; refused < n; ) await new Promise((resolve) => setTimeout(resolve))
		}
		room = 0
		events.onMessage({ data: greet("last") }, ws)
		await turn(1)
		events.onMessage({ data: new Uint8Array([255]) }, ws) // for which the program closes the connection
		await turn(3)
		want(ws.sent.length, 51)
		room = 1
		want((await ws.closed).slice(0, 4), "1007") // after what it had to say
		want(ws.sent.at(-1).v, "Hello, last!")
	},

	async "more is said to a program that starts than may wait at all"() {
		const host = createHost(() => program, silent)
		const opened = Array.from({ length: 40 }, () => [host.handler(context), new Connection()])
		for (const [events, ws] of opened) {
			ws.closed.then((how) => (ws.how = how))
			events.onMessage({ data: greet("you").padEnd(2 << 19) }, ws)
		}
		const [events, worst] = opened[7] // which says most
		events.onMessage({ data: "x".repeat(2 << 20) }, worst)
		for (const [events, ws] of opened.slice(8, 32)) events.onMessage({ data: greet("again").padEnd(2 << 19) }, ws)
		want(await worst.closed, "1013 the server is still starting")
		for (const [, ws] of opened) if (ws !== worst) want((await ws.answers(1))[0], "Hello, you!")
		want(opened.filter(([, ws]) => ws.how !== undefined).length, 1)
	},

	async "a connection that closes before its first event"() {
		const host = createHost(() => program, silent)
		const ws = new Connection()
		const events = host.handler(context)
		events.onClose({ code: 1006 }, ws)
		events.onMessage({ data: greet("you") }, ws)
		want(await asks(host, greet("other")), "Hello, other!")
		want(ws.sent, [])
	},
}

for (const [name, check] of Object.entries(checks)) {
	let timeout
	const late = new Promise((_, reject) => (timeout = setTimeout(() => reject(new Error("nothing happened for 30 s")), 30_000)))
	try {
		await Promise.race([check(), late])
	} catch (error) {
		console.log(`${name}: ${error.message}`)
	}
	clearTimeout(timeout)
}
process.exit()
