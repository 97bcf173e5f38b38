// When a connection tries again, gives up and tells of it, against a scripted server.
import { strict as assert } from "node:assert"
import { getEventListeners } from "node:events"
import process from "node:process"
import { mock, test } from "node:test"
import { connect } from "../index.js"
import { begin, beginSession, Double, ID, settle, sockets, tick } from "./double.mjs"

test("attempts are spread over times that grow", async () => {
	const { connection, states } = await begin({ backoff: { min: 100, max: 1000 } })
	for (const [i, bound] of [100, 200, 400, 800, 1000, 1000].entries()) {
		sockets[i].ends()
		await tick(bound / 2 - 1)
		assert.equal(sockets.length, i + 1)
		await tick(1)
		assert.equal(sockets.length, i + 2)
	}
	assert.deepEqual(new Set(states.map(({ phase }) => phase)), new Set(["connecting"]))
	assert.equal(connection.state.reason.code, 1006)
	// A session that begins is not enough for short times again, a message is.
	sockets[6].accept()
	sockets[6].says(`#session ${ID} 30000 1048576`)
	sockets[6].ends()
	await tick(499)
	assert.equal(sockets.length, 7)
	await tick(1)
	sockets[7].accept()
	sockets[7].says("#resumed 0", "{}")
	sockets[7].ends()
	await tick(50)
	assert.equal(sockets.length, 9)
})

test("the whole range of times is used", async () => {
	await begin({ backoff: { min: 100 } })
	mock.method(Math, "random", () => 0)
	sockets[0].ends()
	await tick(1)
	assert.equal(sockets.length, 2)
	mock.method(Math, "random", () => 0.999)
	sockets[1].ends()
	await tick(198)
	assert.equal(sockets.length, 2)
	await tick(2)
	assert.equal(sockets.length, 3)
})

test("a session gets an attempt before the server gives it up", async () => {
	await begin({ backoff: { min: 1000 } })
	sockets[0].accept()
	sockets[0].says(`#session ${ID} 20000 1048576`)
	sockets[0].ends()
	// The last short wait begins after 18.5 s and ends after 21 s. Nobody keeps the session then, so that there is no hurry.
	for (const [i, bound] of [1000, 2000, 4000, ...Array(7).fill(5000), 30_000, 30_000].entries()) {
		await tick(bound / 2 - 1)
		assert.equal(sockets.length, i + 1)
		await tick(1)
		assert.equal(sockets.length, i + 2)
		sockets[i + 1].ends()
	}
})

test("an attempt has its time, token included", async () => {
	const { connection } = await begin({ connectTimeout: 3000 })
	await tick(2999)
	assert.equal(sockets[0].closed, undefined)
	await tick(1)
	assert.deepEqual(sockets[0].closed, { code: 4408 })
	assert.match(connection.state.reason.message, /no connection within 3000 ms/)
	await tick(250)
	sockets[1].accept() // and no more
	await tick(3000)
	assert.deepEqual(sockets[1].closed, { code: 4408 })

	let tokens = 0
	const slow = await begin({ connectTimeout: 3000, token: () => (tokens++, new Promise(() => {})) })
	await tick(3000)
	await tick(250)
	assert.equal(tokens, 2)
	assert.equal(sockets.length, 0)
	assert.equal(slow.connection.state.phase, "connecting")
})

test("a plain connection is open at once, and closed once its socket has ended", async () => {
	for (const code of [1000, 1001, 1006, 1008]) {
		const { connection, states, messages, reasons } = await begin()
		connection.send({ n: 1 })
		sockets[0].accept("kkrpc.compact-json")
		connection.send({ n: 2 })
		assert.deepEqual(sockets[0].take(), ['{"n":1}', '{"n":2}'])
		sockets[0].says('{"n":3}', "#ack 1", "no message")
		assert.deepEqual(messages, [{ n: 3 }])
		sockets[0].ends(code, "text")
		assert.deepEqual(states.map(({ phase }) => phase), ["open", "closed"])
		assert.equal(connection.state.reason.name, "ConnectionClosed")
		assert.equal(connection.state.reason.code, code)
		assert.deepEqual(reasons, [code === 1000 ? undefined : connection.state.reason])
		await tick(60_000)
		assert.equal(sockets.length, 1)
	}
})

test("the offers are the dialect, further ones, the session and the token", async () => {
	let n = 0
	await begin({ dialect: "classic-json", protocols: ["chat"], token: async () => `t${++n}` })
	assert.deepEqual(sockets[0].offers, ["kkrpc.classic-json", "chat", "kkrpc.session.1", "kkrpc.token.t1"])
	assert.equal(sockets[0].url, "ws://server/ws")
	sockets[0].ends()
	await tick(250)
	assert.deepEqual(sockets[1].offers.at(-1), "kkrpc.token.t2")
	await begin({ session: false, dialect: null })
	assert.deepEqual(sockets[0].offers, [])
	await begin({ session: false, bytes: false, token: () => "a b&c", tokenParameter: "ticket" })
	assert.equal(sockets[0].url, "ws://server/ws?ticket=a+b%26c")
	assert.deepEqual(sockets[0].offers, ["kkrpc.compact-json"])
})

test("a token that cannot be sent ends the connection, one that fails is asked for again", async () => {
	for (const value of ["", "a b", "a,b", "a/b"]) {
		const { connection } = await begin({ token: () => value })
		assert.equal(connection.state.phase, "closed")
		assert.match(connection.state.reason.message, /base64url/)
	}
	const answers = [() => Promise.reject(new Error("offline")), () => { throw new Error("broken") }, () => "t"]
	const { connection } = await begin({ token: () => answers.shift()() })
	assert.equal(connection.state.reason.message, "offline")
	await tick(250)
	assert.equal(connection.state.reason.message, "broken")
	await tick(500)
	assert.equal(sockets.length, 1)
})

test("a token that comes after the end is not used", async () => {
	let give
	const { connection } = await begin({ token: () => new Promise((resolve) => (give = resolve)) })
	connection.close()
	give("t")
	await settle()
	assert.equal(sockets.length, 0)
	assert.equal(connection.state.phase, "closed")
})

test("close tells the state and not kkrpc", async () => {
	for (const opened of [true, false]) {
		const { connection, states, reasons } = opened ? await beginSession() : await begin()
		connection.close()
		connection.close()
		assert.deepEqual(sockets[0].closed, { code: 1000 })
		assert.deepEqual(states.at(-1), { phase: "closed" })
		assert.deepEqual(reasons, [])
		sockets[0].accept()
		sockets[0].says("{}")
		sockets[0].ends()
		await tick(60_000)
		assert.equal(sockets.length, 1)
		assert.throws(() => connection.send({}), { name: "ConnectionClosed" })
	}
})

test("a signal closes the connection, and kkrpc is told", async () => {
	const controller = new AbortController()
	const { connection, reasons } = await beginSession({ signal: controller.signal })
	const reason = new Error("enough")
	controller.abort(reason)
	assert.deepEqual(connection.state, { phase: "closed", reason })
	assert.deepEqual(reasons, [reason])
	assert.deepEqual(sockets[0].closed, { code: 1000 })
	assert.deepEqual(getEventListeners(controller.signal, "abort"), [])

	const late = await begin({ signal: AbortSignal.abort(reason) })
	await settle()
	assert.deepEqual(late.connection.state, { phase: "closed", reason })
	assert.deepEqual(late.reasons, [reason])
	assert.equal(sockets.length, 0)
})

test("a silent server is asked, and given up if it does not answer", async () => {
	const { connection } = await beginSession({ heartbeat: { interval: 1000, timeout: 300 } })
	sockets[0].says("{}")
	await tick(1000)
	assert.deepEqual(sockets[0].take(), ["#ack 1"])
	await tick(999)
	assert.deepEqual(sockets[0].take(), [])
	await tick(1)
	assert.deepEqual(sockets[0].take(), ["#ping"])
	sockets[0].says("#ack 0")
	await tick(300)
	assert.equal(connection.state.phase, "open")
	await tick(1700)
	assert.deepEqual(sockets[0].take(), ["#ping"])
	await tick(299)
	assert.equal(connection.state.phase, "open")
	await tick(1)
	assert.equal(connection.state.phase, "paused")
	assert.deepEqual(sockets[0].closed, { code: 4408 })
})

test("a plain connection is asked by the application alone", async () => {
	let probes = 0
	const asked = await begin({ heartbeat: { interval: 1000, timeout: 300, probe: () => probes++ } })
	sockets[0].accept("kkrpc.compact-json")
	await tick(2000)
	assert.equal(probes, 1)
	await tick(300)
	assert.equal(asked.connection.state.phase, "closed")
	assert.equal(asked.reasons[0].code, 1006)

	const unasked = await begin({ heartbeat: { interval: 1000, timeout: 300 } })
	sockets[0].accept("kkrpc.compact-json")
	await tick(10_000)
	assert.equal(unasked.connection.state.phase, "open")
	assert.deepEqual(sockets[0].take(), [])
})

test("a page that comes back tries at once", async (t) => {
	const window = new EventTarget()
	const document = Object.assign(new EventTarget(), { visibilityState: "hidden" })
	const given = { navigator: { onLine: true }, document, addEventListener: window.addEventListener.bind(window), removeEventListener: window.removeEventListener.bind(window) }
	for (const [name, value] of Object.entries(given)) {
		const old = Object.getOwnPropertyDescriptor(globalThis, name)
		Object.defineProperty(globalThis, name, { value, configurable: true })
		t.after(() => (old ? Object.defineProperty(globalThis, name, old) : delete globalThis[name]))
	}
	const hide = (persisted) => window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted }))

	const { connection } = await beginSession()
	sockets[0].ends()
	window.dispatchEvent(new Event("online"))
	await settle()
	assert.equal(sockets.length, 2)
	window.dispatchEvent(new Event("online")) // one attempt is under way
	await settle()
	assert.equal(sockets.length, 2)
	sockets[1].ends()
	document.dispatchEvent(new Event("visibilitychange"))
	await settle()
	assert.equal(sockets.length, 2) // it is hidden
	document.visibilityState = "visible"
	document.dispatchEvent(new Event("visibilitychange"))
	await settle()
	assert.equal(sockets.length, 3)
	sockets[2].accept()
	sockets[2].says("#resumed 0")
	sockets[2].take()
	window.dispatchEvent(new Event("offline"))
	assert.deepEqual(sockets[2].take(), ["#ping"])
	hide(true)
	assert.equal(connection.state.phase, "paused")
	assert.deepEqual(sockets[2].closed, { code: 4408 })
	window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }))
	await settle()
	assert.equal(sockets.length, 3)
	window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }))
	document.dispatchEvent(new Event("visibilitychange"))
	await settle()
	assert.equal(sockets.length, 4)
	sockets[3].accept()
	sockets[3].says("#resumed 0")
	hide(false)
	assert.equal(connection.state.phase, "closed")
	window.dispatchEvent(new Event("online"))
	await settle()
	assert.equal(sockets.length, 4)
	for (const name of ["online", "offline", "pageshow", "pagehide"]) assert.deepEqual(getEventListeners(window, name), [])
	assert.deepEqual(getEventListeners(document, "visibilitychange"), [])
})

test("messages wait for their channel", async () => {
	mock.timers.reset()
	for (const end of [false, true]) {
		const connection = connect("ws://server/ws", { WebSocket: Double, heartbeat: { interval: 0 } })
		await settle()
		const socket = sockets.at(-1)
		socket.accept("kkrpc.compact-json")
		socket.says("1", "2")
		if (end) socket.ends()
		const messages = []
		connection.subscribe((message) => messages.push(message))
		assert.deepEqual(messages, [])
		socket.says("3")
		await settle()
		assert.deepEqual(messages, end ? [1, 2] : [1, 2, 3])
		const closed = new Promise((resolve) => connection.onClose(resolve))
		if (!end) socket.ends()
		assert.equal((await closed).code, 1006)
	}
})

test("kkrpc 0.x reads in order, and reads nothing after the end", async () => {
	const { connection } = await begin({ dialect: "classic-json" })
	await connection.write("a\n")
	sockets[0].accept()
	sockets[0].says(`#session ${ID} 30000 1048576`)
	assert.deepEqual(sockets[0].take(), ["#open", "a\n"])
	sockets[0].says("b\n", "c\n")
	assert.equal(await connection.read(), "b\n")
	assert.equal(await connection.read(), "c\n")
	const next = connection.read()
	sockets[0].says("d\n")
	assert.equal(await next, "d\n")
	const never = connection.read()
	sockets[0].says("__DESTROY__")
	assert.equal(connection.state.phase, "closed")
	assert.deepEqual(sockets[0].closed, { code: 1000 })
	await connection.write("e\n") // does not reject: kkrpc 0.2 would not catch it
	assert.equal(await Promise.race([never, settle().then(() => "pending")]), "pending")
})

const request = (id, method = "f") => `{"id":"${id}","method":"${method}","args":[],"type":"request","version":"json"}\n`
const answer = (id, args) => `{"id":"${id}","method":"","args":${args},"type":"response","version":"json"}\n`

test("calls of kkrpc 0.x that wait are answered with an error when the connection closes", async () => {
	const { connection } = await begin({ dialect: "classic-superjson" })
	sockets[0].accept("kkrpc.classic-superjson")
	await connection.write(request("a-1"))
	await connection.write(`{"json":${request("a-2").trim()}}\n`)
	await connection.write(request("a-3"))
	await connection.write(answer("b-1", '{"result":1}')) // of a call of the server
	await connection.write('{"id":"c-1","method":"1-2-3-4","args":[["x"]],"type":"callback","version":"json"}\n')
	sockets[0].says(answer("a-1", '{"result":1}'))
	assert.equal(await connection.read(), answer("a-1", '{"result":1}'))
	const next = connection.read()
	sockets[0].ends(4401, "unknown token")
	const refused = '{"error":"connection closed with 4401: unknown token"}'
	assert.equal(await next, answer("a-2", refused))
	assert.equal(await connection.read(), answer("a-3", refused))
	const late = connection.read()
	await connection.write(request("a-4"))
	assert.equal(await late, answer("a-4", refused))
	assert.equal(await Promise.race([connection.read(), settle().then(() => "pending")]), "pending")
})

test("calls of kkrpc 0.x end when this side closes the connection", async () => {
	const { connection } = await begin({ dialect: "classic-json" })
	await connection.write(request("a-1"))
	connection.close()
	assert.equal(await connection.read(), answer("a-1", '{"error":"the connection is closed"}'))
})

test("a listener that fails keeps nobody from being told", async () => {
	const { connection, states, reasons } = await begin()
	const uncaught = []
	process.setUncaughtExceptionCaptureCallback((err) => uncaught.push(err.message))
	const stop = connection.onState(() => {
		throw new Error("state")
	})
	connection.onClose(() => {
		throw new Error("close")
	})
	const late = []
	connection.onState(({ phase }) => late.push(phase))
	connection.send({ n: 1 })
	sockets[0].accept("kkrpc.compact-json")
	stop()
	sockets[0].ends()
	await settle()
	process.setUncaughtExceptionCaptureCallback(null)
	assert.deepEqual(sockets[0].take(), ['{"n":1}'])
	assert.deepEqual(late, ["open", "closed"])
	assert.equal(reasons.length, 1)
	assert.deepEqual(uncaught, ["state", "close"])
	assert.equal(states.length, 2)
})

test("what the runtime says of a failure is in the reason", async () => {
	const { connection } = await begin({ backoff: { min: undefined } })
	sockets[0].onerror({ message: "Unexpected server response: 401" })
	sockets[0].ends()
	assert.equal(connection.state.reason.message, "connection closed with 1006: Unexpected server response: 401")
	await tick(249)
	assert.equal(sockets.length, 1)
	await tick(1)
	assert.equal(sockets.length, 2)
})

test("a mistake is named", async () => {
	assert.throws(() => connect("ws://server/ws", { WebSocket: null }), { name: "TypeError", message: /WebSocket/ })
	const compact = connect("ws://server/ws", { WebSocket: Double })
	assert.throws(() => compact.read(), /dialect to classic-json/)
	compact.close()
	const classic = connect("ws://server/ws", { WebSocket: Double, dialect: "classic-superjson" })
	assert.throws(() => classic.subscribe(() => {}), /dialect to compact-json/)
	classic.close()
	const { connection } = await begin({ WebSocket: class { constructor() { throw new SyntaxError("bad URL") } } })
	assert.deepEqual([connection.state.phase, connection.state.reason.message], ["closed", "bad URL"])
	const relative = await begin({ token: () => "t", tokenParameter: "ticket" }, "/ws") // and no page that it is relative to
	assert.equal(relative.connection.state.phase, "closed")
	assert.match(relative.connection.state.reason.message, /URL/)
})
