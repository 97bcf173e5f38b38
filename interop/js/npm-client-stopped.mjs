// The client of TestStoppedNodeProcess: node npm-client-stopped.mjs 1s|default URL
//
// It has calls in both directions and callbacks under way, and prints "going". Once its input ends and everything has gone
// on, it ends what is under way, and prints what the server has seen.
import { strict as assert } from "node:assert"
import process from "node:process"
import { connect } from "../../npm/client/index.js"
import { loadKkrpc } from "./npm-client-load.mjs"

const [ping, url] = process.argv.slice(2)
const heartbeat = ping === "default" ? {} : { interval: 1000, timeout: 1000 }

const last = { next: 0, progress: 0, drive: 0 }
const waiting = new Set()
/** step notes a number. The numbers begin with 1, and have to come in order. */
function step(name, n) {
	assert.equal(n, last[name] + 1, name)
	last[name] = n
	for (const check of waiting) check()
}
/** goOn waits until everything has counted some more. */
function goOn() {
	const enough = Object.entries(last).map(([name, n]) => [name, n + 20])
	return new Promise((resolve) => {
		const check = () => {
			if (enough.some(([name, n]) => last[name] < n)) return
			waiting.delete(check)
			resolve()
		}
		waiting.add(check)
	})
}

const { RPCChannel } = await loadKkrpc("0.2.2")
const connection = connect(url, { dialect: "classic-json", heartbeat, backoff: { max: 1000 } })
const api = new RPCChannel(connection, { expose: { tick: (n) => step("drive", n) }, serialization: { version: "json" } }).getAPI()

let finishing = false
async function next() {
	do step("next", await api.next())
	while (!finishing)
	return last.next
}
const tasks = [next(), api.progress((n) => step("progress", n)), api.drive(), api.hold()]
await goOn()
console.log("going")
for await (const _ of process.stdin);
await goOn()
finishing = true
await api.finish()
const [calls, ...rest] = await Promise.all(tasks)
assert.deepEqual(rest, [last.progress, last.drive, 1])
const stats = await api.stats()
assert.equal(stats.calls, calls)
console.log(JSON.stringify(stats))
process.exit(0)
