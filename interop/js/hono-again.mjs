// A storage that calls the closure of a transaction twice: the folder of a bundle for Workers is the argument. Prints how the
// commit ends.
import { pathToFileURL } from "node:url"

const { Durable } = await import(new URL("durable.mjs", pathToFileURL(process.argv[2] + "/")))

const storage = {
	async transaction(closure) {
		await undefined
		await closure({}) // committed, but not done
		return closure({})
	},
}
const text = new TextEncoder()
const memory = new Uint8Array(1 << 12)
let answered, length
const program = {
	bytes: (at, length) => memory.subarray(at, at + length),
	enter(_home, f) {
		f({ kkrpc_durable_buffer: (bytes) => ((length = bytes), 2048), kkrpc_durable_answered: () => answered() })
	},
}
const { imports } = new Durable(program, storage, {})

/** Does an operation as the Go program does, and returns the reason of its failure. */
async function operate(token, ...operation) {
	const { written } = text.encodeInto(JSON.stringify(operation), memory)
	await new Promise((resolve) => {
		answered = resolve
		imports.durable(token, 0, written, 0, 0, 1000)
	})
	return memory[2048] === 0 ? "done" : new TextDecoder().decode(memory.subarray(2049, 2048 + length))
}

console.log(await operate(1, 7, "begin"))
console.log(await operate(2, 7, "commit"))
