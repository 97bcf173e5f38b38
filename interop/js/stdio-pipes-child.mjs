// A child of kkrpc 0.2 that has its messages on the descriptors 3 and 4, in the runtime that runs this file:
//   <runtime> stdio-pipes-child.mjs
// What it prints looks like calls of its parent.
import { createReadStream, createWriteStream } from "node:fs"
import { Socket } from "node:net"
import process from "node:process"
import { NodeIo, RPCChannel } from "kkrpc"

// Bun has no sockets of descriptors. In Node process.exit waits for a read of createReadStream, and Deno has no such streams.
const [input, output] = globalThis.Bun
	? [createReadStream(null, { fd: 3 }), createWriteStream(null, { fd: 4 })]
	: [new Socket({ fd: 3, writable: false }), new Socket({ fd: 4, readable: false })]

const forged = (name) => JSON.stringify({ id: "1", method: "remove", args: [name], type: "request", version: "json" })

const api = {
	greet: async (name) => {
		console.log(forged(name))
		return `${await parent.greet(name)} And from the child.`
	},
	size: (text) => text.length,
	exit: (status) => process.exit(status)
}
const parent = new RPCChannel(new NodeIo(input, output), { expose: api }).getAPI()
