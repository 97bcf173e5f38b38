// What a session writes, keeps, repeats and refuses, against a scripted server.
import { strict as assert } from "node:assert"
import { test } from "node:test"
import { SessionLost } from "../index.js"
import { begin, beginSession, ID, sockets, tick } from "./double.mjs"

const text = (n) => JSON.stringify({ n })
const texts = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => text(from + i))
const send = (connection, from, to = from) => {
	for (let n = from; n <= to; n++) connection.send({ n })
}

test("nothing is sent before the session has begun", async () => {
	const { connection, states } = await begin()
	assert.deepEqual(sockets[0].offers, ["kkrpc.compact-json", "kkrpc.session.1+bytes.1", "kkrpc.session.1", "kkrpc.bytes.1"])
	send(connection, 1, 2)
	sockets[0].accept()
	assert.deepEqual(sockets[0].take(), ["#open"])
	assert.equal(connection.state.phase, "connecting")
	sockets[0].says(`#session ${ID} 30000 1048576`)
	assert.deepEqual(sockets[0].take(), texts(1, 2))
	send(connection, 3)
	assert.deepEqual(sockets[0].take(), texts(3, 3))
	assert.deepEqual(states, [{ phase: "open" }])
})

test("a socket that ends before the session has begun loses nothing", async () => {
	const { connection } = await begin()
	send(connection, 1)
	sockets[0].accept()
	sockets[0].ends()
	await tick(250)
	sockets[1].accept()
	assert.deepEqual(sockets[1].take(), ["#open"])
	sockets[1].says(`#session ${ID} 30000 1048576`)
	assert.deepEqual(sockets[1].take(), texts(1, 1))
})

test("a session without a message goes on too", async () => {
	const { connection, states, messages } = await beginSession()
	for (let n = 0; n < 3; n++) {
		sockets[n].ends()
		await tick(1000)
		sockets[n + 1].accept()
		assert.deepEqual(sockets[n + 1].take(), [`#resume ${ID} 0`])
		sockets[n + 1].says("#resumed 0")
	}
	assert.deepEqual(states.map(({ phase }) => phase), ["open", "paused", "open", "paused", "open", "paused", "open"])
	send(connection, 1)
	assert.deepEqual(sockets[3].take(), texts(1, 1))
	sockets[3].says(text(101))
	assert.deepEqual(messages, [{ n: 101 }])
})

test("a new socket goes on where each side is", async () => {
	const { connection, states, messages } = await beginSession()
	send(connection, 1, 5)
	sockets[0].says(text(101), "#ack 2", text(102))
	assert.deepEqual(messages, [{ n: 101 }, { n: 102 }])
	sockets[0].ends()
	assert.equal(connection.state.phase, "paused")
	send(connection, 6)
	await tick(250)
	sockets[0].says(text(999)) // of a socket that has ended
	sockets[1].accept()
	assert.deepEqual(sockets[1].take(), [`#resume ${ID} 2`])
	sockets[1].says("#resumed 4", text(103))
	assert.deepEqual(sockets[1].take(), texts(5, 6))
	assert.deepEqual(messages, [{ n: 101 }, { n: 102 }, { n: 103 }])
	assert.deepEqual(states.map(({ phase }) => phase), ["open", "paused", "open"])
	// Acknowledged on the first socket, not on the second one: from there on.
	sockets[1].ends()
	await tick(250)
	sockets[2].accept()
	assert.deepEqual(sockets[2].take(), [`#resume ${ID} 3`])
	sockets[2].says("#resumed 4")
	assert.deepEqual(sockets[2].take(), texts(5, 6))
})

test("messages are acknowledged after 64, after 64 KiB, and after a second", async () => {
	await beginSession()
	const [socket] = sockets
	for (let n = 1; n < 64; n++) socket.says(text(n))
	assert.deepEqual(socket.take(), [])
	socket.says(text(64))
	assert.deepEqual(socket.take(), ["#ack 64"])
	socket.says(JSON.stringify("x".repeat(65_534)))
	assert.deepEqual(socket.take(), ["#ack 65"])
	socket.says(text(66))
	await tick(999)
	assert.deepEqual(socket.take(), [])
	await tick(1)
	assert.deepEqual(socket.take(), ["#ack 66"])
	await tick(5000)
	assert.deepEqual(socket.take(), [])
})

test("on an open socket messages wait for the peer beyond the bound", async () => {
	const { connection } = await beginSession({ replayBuffer: 20 }) // two messages of 7 bytes
	send(connection, 1, 4)
	assert.deepEqual(sockets[0].take(), [...texts(1, 2), "#ping"])
	sockets[0].says("#ack 1")
	assert.deepEqual(sockets[0].take(), [...texts(3, 3), "#ping"])
	sockets[0].says("#ack 3")
	assert.deepEqual(sockets[0].take(), texts(4, 4))
	connection.send("x".repeat(100)) // more than the bound: alone
	assert.deepEqual(sockets[0].take(), ["#ping"])
	sockets[0].says("#ack 4")
	assert.equal(sockets[0].take().length, 1)
	assert.equal(connection.state.phase, "open")
})

test("the server may want less to be kept", async () => {
	const { connection } = await begin()
	sockets[0].accept()
	sockets[0].says(`#session ${ID} 30000 20`)
	send(connection, 1, 4)
	assert.deepEqual(sockets[0].take(), ["#open", ...texts(1, 2), "#ping"])
})

test("the bound ends a paused session, counted in bytes of UTF-8", async () => {
	for (const [message, size] of [["xx", 4], ["é", 4], ["\u20ac", 5], ["\u{1f422}", 6]]) {
		const smaller = await beginSession({ replayBuffer: 3 * size - 1 })
		sockets[0].ends()
		for (let i = 0; i < 2; i++) smaller.connection.send(message)
		assert.throws(() => smaller.connection.send(message), { reason: "buffer" })

		const { connection, reasons } = await beginSession({ replayBuffer: 3 * size })
		connection.send(message)
		sockets[0].says("#ack 1") // and does not count any more
		sockets[0].ends()
		for (let i = 0; i < 3; i++) connection.send(message)
		assert.equal(connection.state.phase, "paused")
		assert.throws(() => connection.send(message), { name: "SessionLost", reason: "buffer" })
		assert.ok(connection.state.reason instanceof SessionLost)
		assert.deepEqual(reasons, [connection.state.reason])
		await tick(60_000)
		assert.equal(sockets.length, 1)
	}
})

test("a refusal ends the session with its reason", async () => {
	for (const [frame, reason, message] of [
		["#refused unknown no such session", "unknown", "session lost: no such session"],
		["#refused behind", "behind", "session lost: behind"]
	]) {
		const { connection, reasons } = await beginSession()
		sockets[0].ends()
		await tick(250)
		sockets[1].accept()
		sockets[1].says(frame)
		sockets[1].ends(4410)
		const { phase, reason: err } = connection.state
		assert.deepEqual([phase, err.name, err.reason, err.message], ["closed", "SessionLost", reason, message])
		assert.deepEqual(reasons, [err])
		assert.throws(() => connection.send({}), err)
	}
})

test("a server without sessions that answers instead ends the session", async () => {
	const { connection } = await beginSession()
	sockets[0].ends()
	await tick(250)
	sockets[1].accept("kkrpc.compact-json")
	assert.equal(connection.state.reason.reason, "unsupported")
})

test("what the server may not send ends the session", async () => {
	const first = [text(1), "#ack 0", "#resumed 0", `#session ${ID} 30000`, `#session ${ID} 030000 1`, `#session ${ID} -1 1`, "#session short 1 1", "#", "#ping"]
	for (const frame of first) {
		const { connection } = await begin()
		sockets[0].accept()
		sockets[0].says(frame)
		assert.equal(connection.state.reason?.reason, "protocol", frame)
		assert.deepEqual(sockets[0].closed, { code: 4400 })
	}
	const later = ["#ack 3", "#ack", "#ack 01", "#ack x", "#ack 9007199254740993", `#session ${ID} 1 1`, "#resumed 1", "#refused unknown", "#pong"]
	for (const frame of later) {
		const { connection } = await beginSession()
		send(connection, 1, 2)
		sockets[0].says(frame)
		assert.equal(connection.state.reason?.reason, "protocol", frame)
	}
	{
		const { connection } = await beginSession()
		send(connection, 1, 2)
		sockets[0].says("#ack 2", "#ack 1") // less than before
		assert.equal(connection.state.reason?.reason, "protocol")
	}
	for (const frame of ["#resumed 3", "#resumed", `#session ${ID} 1 1`, text(1)]) {
		const { connection } = await beginSession()
		send(connection, 1, 2)
		sockets[0].ends()
		await tick(250)
		sockets[1].accept()
		sockets[1].says(frame)
		assert.equal(connection.state.reason?.reason, "protocol", frame)
	}
})

test("close frames end a session, but for those of a server that comes back", async () => {
	for (const [code, phase] of [[1006, "paused"], [0, "paused"], [1001, "paused"], [1012, "paused"], [1013, "paused"], [1000, "closed"], [1005, "closed"], [1008, "closed"], [1011, "closed"], [4409, "closed"]]) {
		const { connection, reasons } = await beginSession()
		sockets[0].ends(code, "text")
		assert.equal(connection.state.phase, phase, code)
		assert.equal(connection.state.reason.code, code || 1006)
		if (phase === "closed") assert.deepEqual(reasons, [code === 1000 ? undefined : connection.state.reason])
	}
})

test("a ping is answered by an acknowledgement", async () => {
	await beginSession()
	sockets[0].says("#ping", text(1), "#ping", "#ping")
	assert.deepEqual(sockets[0].take(), ["#ack 0", "#ack 1", "#ack 1"])
})
