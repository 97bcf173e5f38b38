// A kkrpc 0.2 child that serves the conformance API to the process that started it, in the runtime that runs this file
// and by that runtime's own adapter, or by Node's if the second argument is node:
//   <runtime> stdio-child.mjs json|superjson [node]
import process from "node:process"
import { BunIo, DenoIo, NodeIo, RPCChannel } from "kkrpc"
import { makeAPI } from "./api.mjs"

const [codec, adapter] = process.argv.slice(2)

function ownIo() {
	if (adapter === "node") return new NodeIo(process.stdin, process.stdout)
	if (globalThis.Deno) return new DenoIo(Deno.stdin.readable)
	if (globalThis.Bun) return new BunIo(Bun.stdin.stream())
	return new NodeIo(process.stdin, process.stdout)
}

let rpc
const expose = {
	...makeAPI(() => rpc.getAPI()),
	print: (...lines) => lines.forEach((line) => console.log(line)),
	exit: (status) => process.exit(status)
}
rpc = new RPCChannel(ownIo(), { expose, serialization: { version: codec } })
