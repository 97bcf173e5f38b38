// A kkrpc 0.2 parent that starts a child and runs the conformance checks against it, in the runtime that runs this file:
//   <runtime> stdio-parent.mjs json|superjson COMMAND [ARG...]
// It prints what client.mjs prints, and then how the child ended once its standard input was closed, {"exit"}.
import { spawn } from "node:child_process"
import process from "node:process"
import { NodeIo, RPCChannel } from "kkrpc"
import { clientAPI } from "./api.mjs"
import { checks, run } from "./checks.mjs"

const [codec, command, ...args] = process.argv.slice(2)
const version = "0.2.2"
const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] })
const exited = new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)))
const io = globalThis.Bun ? queuedIo(child.stdout, child.stdin) : new NodeIo(child.stdout, child.stdin)
const rpc = new RPCChannel(io, { expose: clientAPI(version), serialization: { version: codec } })

/**
 * queuedIo is for Bun, which emits several chunks in one turn: NodeIo of 0.2 listens for one at a time and loses the
 * others.
 */
function queuedIo(readable, writable) {
	const chunks = []
	let wake
	readable.on("data", (chunk) => {
		chunks.push(chunk)
		wake?.()
	})
	return {
		name: "queued-io",
		read: async () => {
			while (chunks.length === 0) await new Promise((resolve) => (wake = resolve))
			return chunks.shift()
		},
		write: (data) => new Promise((resolve, reject) => writable.write(data, (err) => (err ? reject(err) : resolve())))
	}
}

const failed = await run(checks, { api: rpc.getAPI(), codec, version, send: (text) => io.write(text) })
child.stdin.end()
console.log(JSON.stringify({ check: "stdio/exit", ok: (await exited) === 0, error: `the child ended with ${await exited}` }))
process.exit(failed === 0 ? 0 : 1)
