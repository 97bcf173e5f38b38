// Runs testdata/gojs, and prints what its runtime does. The arguments are the folder with wasm_exec.js and gojs.wasm, and what
// the program is to do.
import { readFile } from "node:fs/promises"
import process from "node:process"
import { pathToFileURL } from "node:url"

const [folder, does] = process.argv.slice(2)
const at = (name) => new URL(name, pathToFileURL(folder + "/"))
await import(at("wasm_exec.js"))
const go = new globalThis.Go()
go.argv.push(does)
const { instance } = await WebAssembly.instantiate(await readFile(at("gojs.wasm")), go.importObject)
const { exports } = instance

let ended = false
go.run(instance).then(() => (ended = true))
if (does === "exports") {
	console.log("a blocking export returned 42:", exports.wait() === 42)
	const size = () => exports.mem.buffer.byteLength >> 20
	exports.grow()
	const large = size()
	exports.shrink()
	console.log("memory above 256 MiB:", large > 256, "shrunk:", size() < large)
	process.exit()
}
process.on("uncaughtException", (error) => {
	console.log("thrown later:", error.message)
	process.exit()
})
process.on("beforeExit", () => console.log("the promise of go.run is settled:", ended))
