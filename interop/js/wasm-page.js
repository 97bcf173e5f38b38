// The script of a page or of a Web Worker that runs /client.wasm, a Go program built for js/wasm, against /ws of its own
// origin, and posts what it prints to /lines.
const origin = self.location.origin
async function run() {
	if (self.importScripts) {
		importScripts("/wasm_exec.js")
	} else {
		await new Promise((resolve, reject) => {
			const script = Object.assign(document.createElement("script"), { src: "/wasm_exec.js", onload: resolve, onerror: reject })
			document.head.append(script)
		})
	}
	let printed = ""
	const { log } = console
	console.log = (line) => { printed += line + "\n" } // what wasm_exec.js does with standard output
	const go = new Go()
	go.argv = ["client", origin.replace("http", "ws") + "/ws"]
	const { instance } = await WebAssembly.instantiateStreaming(fetch("/client.wasm"), go.importObject)
	await go.run(instance)
	console.log = log
	return printed
}
run().catch((err) => `the program ended with ${err?.stack ?? err}`).then((body) => fetch("/lines", { method: "POST", body }))
